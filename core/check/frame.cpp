#include "core/check/frame.h"

#include "core/host/plugin_call.h"
#include "core/util/error.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace qed::check {
namespace {

constexpr std::size_t kSlack = 64;  // zeros after a span that is not guarded

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

std::size_t whole_pages(std::size_t n) {
  return (n + page_bytes() - 1) / page_bytes() * page_bytes();
}

std::int32_t append(qed_writer* self, const std::uint8_t* data, std::uint64_t n) {
  auto& sink = *static_cast<Sink*>(self->host);
  if (n > sink.limit - sink.text.size()) return sink.has_refused = true, 1;
  sink.text.append(reinterpret_cast<const char*>(data), n);
  return 0;
}

void add_metric(qed_metrics* self, qed_str name, double sum, double count) {
  auto& log = *static_cast<MetricLog*>(self->host);
  log.text += cat(from_abi(name), " ", sum, "/", count, "; ");
}

}  // namespace

Frame::Frame(const Form& form, std::uint64_t seed) : form_(form) {
  char* message = output<char>(form_.message_cap, '\0');
  err_ = output_struct(qed_err{0, QED_OK, message, form_.message_cap, 0});
  cancel_ = output<std::uint32_t>(1, 0);
  call_ = const_cast<qed_call*>(input_struct(qed_call{0, 0, seed, 0, cancel_, err_}));
}

// Revoked memory stays mapped, so that no later call gets the same address.
Frame::~Frame() {
  for (const Block& block : blocks_) {
    if (block.mapped == 0) {
      std::free(block.base);
    } else if (form_.place == Place::kRevoked) {
      ::mprotect(block.base, block.mapped, PROT_NONE);
    } else {
      ::munmap(block.base, block.mapped);
    }
  }
}

void Frame::cancel() { *cancel_ = 1; }

void* Frame::allocate(std::size_t n, bool is_input, bool is_struct) {
  if (form_.place == Place::kPlain) {
    auto* base = static_cast<std::byte*>(std::calloc(n + kSlack, 1));
    if (base == nullptr) throw std::bad_alloc();
    blocks_.push_back({base, 0, n, is_input});
    return base;
  }
  const bool is_guarded = form_.place == Place::kGuarded && !is_struct;
  const std::size_t usable = whole_pages(is_guarded ? n : n + kSlack);
  const std::size_t mapped = usable + (is_guarded ? page_bytes() : 0);
  void* p = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  auto* base = static_cast<std::byte*>(p);
  blocks_.push_back({base, mapped, usable, is_input});
  if (!is_guarded) return base;
  ::mprotect(base + usable, page_bytes(), PROT_NONE);
  return base + usable - n;
}

void* Frame::input(const void* data, std::size_t n) {
  void* p = allocate(n, true);
  if (n > 0) std::memcpy(p, data, n);
  return p;
}

qed_str Frame::text(std::string_view s) {
  return {static_cast<const char*>(input(s.data(), s.size())), s.size()};
}

qed_bytes Frame::bytes(std::string_view s) {
  return {static_cast<const std::uint8_t*>(input(s.data(), s.size())), s.size()};
}

Sink& Frame::sink() {
  Sink& sink = sinks_.emplace_back();
  sink.limit = form_.writer_limit;
  sink.abi = output_struct(qed_writer{0, 0, &sink, &append});
  return sink;
}

MetricLog& Frame::metrics() {
  MetricLog& log = metrics_.emplace_back();
  log.abi = output_struct(qed_metrics{0, 0, &log, &add_metric});
  return log;
}

void Frame::seal() {
  if (form_.place != Place::kReadOnly) return;
  for (const Block& block : blocks_) {
    if (block.is_input) ::mprotect(block.base, block.mapped, PROT_READ);
  }
}

Reply Frame::reply(std::int32_t status) const {
  const std::uint64_t n = std::min(err_->msg_len, form_.message_cap);
  Reply reply = {status, to_utf8({err_->msg, n}), ""};
  if (err_->msg_len > form_.message_cap) {
    reply.problem = cat("msg_len is ", err_->msg_len, " and msg_cap ", form_.message_cap);
  }
  const auto is_poison = [](std::byte b) { return b == std::byte{kPoison}; };
  for (const auto tail : tails_) {
    if (!std::ranges::all_of(tail, is_poison)) reply.problem = "it wrote past the end of a struct";
  }
  return reply;
}

}  // namespace qed::check
