#pragma once

// The bytes between qed and its helper process, and between the helper and the first process of a
// run. Numbers are little-endian; a text or list begins with its length. A frame is its length as
// uint32 without itself, then kind, ticket and body. Whatever the bytes are, reading them ends with
// the value or with nothing, and takes no more memory than a small multiple of their number.

#include "core/sandbox/job.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qed::sandbox {

enum class Kind : std::uint32_t {
  kReady = 1,    // helper: it isolates programs; empty body
  kRefused = 2,  // helper: it cannot; why, as text
  kSubmit = 3,   // qed: a job
  kDrop = 4,     // qed: nobody waits for this ticket any more; empty body
  kResult = 5,   // helper: a result
};

struct Frame {
  Kind kind = Kind::kReady;
  std::uint64_t ticket = 0;
  std::string body;
};

// A longer frame is a mistake: the sides disagree on where frames begin.
inline constexpr std::uint32_t kMaxFrame = 1u << 30;

void append_frame(std::string& out, Kind kind, std::uint64_t ticket, std::string_view body);

// Cuts frames off the front of what was received.
class FrameReader {
 public:
  void add(std::string_view bytes) { bytes_ += bytes; }
  // The next whole frame; nothing: more bytes are needed, or the stream is broken.
  std::optional<Frame> next();
  bool is_broken() const { return is_broken_; }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
  bool is_broken_ = false;
};

std::string write_job(const Job& job);
std::optional<Job> read_job(std::string_view bytes);

std::string write_result(const Result& result);
std::optional<Result> read_result(std::string_view bytes);

std::string write_report(const Report& report);
std::optional<Report> read_report(std::string_view bytes);

}  // namespace qed::sandbox
