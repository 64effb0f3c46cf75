#pragma once

// The memory of one call into a plugin under test, laid out on purpose: with guard pages after
// every span, inputs that cannot be written, memory that vanishes when the call returns, structs of
// other sizes, writers that refuse. The checker calls the C ABI through frames alone.

#include "qed/abi.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qed::check {

// What a growable struct claims to be.
enum class StructSize {
  kFirst,    // of the first released level; what follows is poisoned
  kCurrent,  // of this qed; what follows is poisoned
  kLonger    // of a later qed: 64 bytes more, which are poisoned
};

enum class Place {
  kPlain,     // on the heap, with zeros after every span
  kGuarded,   // spans end at a page that faults
  kReadOnly,  // a write to an input faults
  kRevoked    // any access after the call faults
};

// How the memory of a call is laid out.
struct Form {
  Place place = Place::kPlain;
  StructSize size = StructSize::kCurrent;
  bool is_poisoned = false;              // false: zeros after a struct
  std::uint64_t writer_limit = 1 << 26;  // bytes; a writer refuses more
  std::uint64_t message_cap = 4096;
};

// sizeof at the first released level. These numbers never change; a struct that is new at a later
// level has the size that it had there.
constexpr std::uint32_t first_size(const qed_err*) { return 32; }
constexpr std::uint32_t first_size(const qed_call*) { return 40; }
constexpr std::uint32_t first_size(const qed_writer*) { return 24; }
constexpr std::uint32_t first_size(const qed_metrics*) { return 24; }
constexpr std::uint32_t first_size(const qed_host*) { return 72; }
constexpr std::uint32_t first_size(const qed_item*) { return 40; }
constexpr std::uint32_t first_size(const qed_item_out*) { return 24; }
constexpr std::uint32_t first_size(const qed_prompt_out*) { return 48; }
constexpr std::uint32_t first_size(const qed_sample*) { return 120; }
constexpr std::uint32_t first_size(const qed_score*) { return 48; }
constexpr std::uint32_t first_size(const qed_scored*) { return 56; }
constexpr std::uint32_t first_size(const qed_term*) { return 48; }
constexpr std::uint32_t first_size(const qed_stream*) { return 48; }
constexpr std::uint32_t first_size(const qed_batch*) { return 240; }
constexpr std::uint32_t first_size(const qed_advantage*) { return 64; }
constexpr std::uint32_t first_size(const qed_update*) { return 88; }
constexpr std::uint32_t first_size(const qed_loss*) { return 216; }
constexpr std::uint32_t first_size(const qed_request*) { return 48; }
constexpr std::uint32_t first_size(const qed_mask_row*) { return 64; }
constexpr std::uint32_t first_size(const qed_plan*) { return 24; }

// What a call answered.
struct Reply {
  std::int32_t status = QED_INTERNAL;
  std::string message;  // as far as it fits into the buffer
  std::string problem;  // what the call did to the memory around it; empty: nothing

  bool is_ok() const { return status == QED_OK && problem.empty(); }
  // What was given is refused, with a reason.
  bool is_refusal() const {
    return (status == QED_INVALID || status == QED_DATA || status == QED_UNSUPPORTED) &&
           problem.empty() && !message.empty();
  }
};

// A qed_writer and what was written.
struct Sink {
  std::string text;
  std::uint64_t limit = 0;
  bool has_refused = false;
  qed_writer* abi = nullptr;
};

// Named sums, as a loss adds them, in the order of the calls.
struct MetricLog {
  std::string text;
  qed_metrics* abi = nullptr;
};

// One call. Inputs and outputs are taken from it, then `seal`, then the call itself, then `reply`.
// Not moved: its structs point at each other.
class Frame {
 public:
  explicit Frame(const Form& form, std::uint64_t seed = 0);
  ~Frame();
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  qed_call* call() { return call_; }
  // For tests of deadlines; both take effect at once. Before `seal`.
  void cancel();
  void set_deadline(std::uint64_t ns) { call_->deadline_ns = ns; }

  // Inputs: copies. Empty stays empty: a pointer to no byte.
  qed_str text(std::string_view s);
  qed_bytes bytes(std::string_view s);
  template <class T>
  const T* array(std::span<const T> values) {
    return static_cast<const T*>(input(values.data(), values.size_bytes()));
  }
  // A growable struct that the plugin only reads.
  template <class T>
  const T* input_struct(T value) {
    return structure(value, true);
  }

  // Outputs.
  template <class T>
  T* output(std::size_t n, T fill) {
    auto* p = static_cast<T*>(allocate(n * sizeof(T), false));
    for (std::size_t i = 0; i < n; ++i) p[i] = fill;
    return p;
  }
  // A growable struct that the plugin writes to.
  template <class T>
  T* output_struct(T value) {
    return structure(value, false);
  }
  Sink& sink();
  MetricLog& metrics();

  void seal();
  Reply reply(std::int32_t status) const;

 private:
  struct Block {
    std::byte* base;
    std::size_t mapped;  // 0: on the heap
    std::size_t usable;
    bool is_input;
  };

  static constexpr int kPoison = 0xA5;

  void* allocate(std::size_t n, bool is_input, bool is_struct = false);
  void* input(const void* data, std::size_t n);

  template <class T>
  T* structure(T value, bool is_input) {
    constexpr std::size_t kMore = 64;
    static_assert(first_size(static_cast<const T*>(nullptr)) <= sizeof(T));
    const std::size_t size =
        form_.size == StructSize::kFirst ? first_size(static_cast<const T*>(nullptr)) : sizeof(T);
    value.size = static_cast<std::uint32_t>(size + (form_.size == StructSize::kLonger ? kMore : 0));
    auto* p = static_cast<std::byte*>(allocate(sizeof(T) + kMore, is_input, true));
    if (form_.is_poisoned) {
      std::memset(p, kPoison, sizeof(T) + kMore);
      tails_.push_back({p + size, sizeof(T) + kMore - size});
    }
    std::memcpy(p, &value, size);
    return reinterpret_cast<T*>(p);
  }

  Form form_;
  std::vector<Block> blocks_;
  std::vector<std::span<const std::byte>> tails_;  // poisoned, and to stay so
  std::deque<Sink> sinks_;
  std::deque<MetricLog> metrics_;
  qed_err* err_;
  qed_call* call_;
  std::uint32_t* cancel_;
};

}  // namespace qed::check
