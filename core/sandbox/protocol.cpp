#include "core/sandbox/protocol.h"

#include "core/util/error.h"

#include <cstring>
#include <type_traits>

namespace qed::sandbox {
namespace {

constexpr std::size_t kHeader = sizeof(std::uint32_t);                            // the length
constexpr std::size_t kMinFrame = sizeof(std::uint32_t) + sizeof(std::uint64_t);  // kind, ticket

class Writer {
 public:
  void operator()(std::string_view text) {
    (*this)(std::uint64_t{text.size()});
    out_ += text;
  }
  void operator()(const std::string& text) { (*this)(std::string_view(text)); }
  void operator()(bool value) { (*this)(std::uint32_t{value}); }
  template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) void operator()(T value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <class T>
  void operator()(const std::vector<T>& list) {
    (*this)(std::uint64_t{list.size()});
    for (const T& x : list) (*this)(x);
  }
  template <class T>
  requires requires(Writer& w, const T& x) { visit(w, x); }
  void operator()(const T& x) { visit(*this, x); }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// Once something does not fit, all that follows is left as it is.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  void operator()(std::string& text) {
    const std::uint64_t n = length();
    text = left_.substr(0, n);
    left_.remove_prefix(n);
  }
  void operator()(bool& value) {
    std::uint32_t number = 0;
    (*this)(number);
    is_good_ = is_good_ && number <= 1;
    value = number == 1;
  }
  template <class T>
  requires(std::is_integral_v<T> && !std::is_same_v<T, bool>) void operator()(T& value) {
    if (left_.size() < sizeof value) return fail();
    std::memcpy(&value, left_.data(), sizeof value);
    left_.remove_prefix(sizeof value);
  }
  template <class T>
  void operator()(std::vector<T>& list) {
    const std::uint64_t n = length();  // an element has a byte at least
    for (std::uint64_t i = 0; i < n && is_good_; ++i) (*this)(list.emplace_back());
  }
  template <class T>
  requires requires(Reader& r, T& x) { visit(r, x); }
  void operator()(T& x) { visit(*this, x); }
  bool is_done() const { return is_good_ && left_.empty(); }

 private:
  // Of a text or list: no more than there are bytes.
  std::uint64_t length() {
    std::uint64_t n = 0;
    (*this)(n);
    if (n > left_.size()) fail();
    return is_good_ ? n : 0;
  }
  void fail() {
    is_good_ = false;
    left_ = {};
  }

  std::string_view left_;
  bool is_good_ = true;
};

// One function per type for both directions: V is Writer or Reader, X the type, const or not.
template <class V, class X>
requires std::is_same_v<std::remove_const_t<X>, File>
void visit(V& v, X& x) { v(x.name), v(x.data), v(x.is_executable); }

template <class V, class X>
requires std::is_same_v<std::remove_const_t<X>, Limits>
void visit(V& v, X& x) {
  v(x.processes), v(x.cpu_ms), v(x.wall_ms), v(x.memory_bytes);
  v(x.disk_bytes), v(x.files), v(x.output_bytes);
}

template <class V, class X>
requires std::is_same_v<std::remove_const_t<X>, Job>
void visit(V& v, X& x) {
  v(x.files), v(x.build), v(x.products), v(x.command), v(x.inputs);
  v(x.build_limits), v(x.run_limits), v(x.stops);
}

template <class V, class X>
requires std::is_same_v<std::remove_const_t<X>, Run>
void visit(V& v, X& x) {
  v(x.outcome), v(x.exit_code), v(x.signal), v(x.cpu_us), v(x.wall_us), v(x.memory_bytes);
  v(x.output), v(x.errors);
}

template <class V, class X>
requires std::is_same_v<std::remove_const_t<X>, Result>
void visit(V& v, X& x) { v(x.failure), v(x.build), v(x.runs); }

template <class V, class X>
requires std::is_same_v<std::remove_const_t<X>, Report>
void visit(V& v, X& x) {
  v(x.failure), v(x.wait_status), v(x.cpu_us), v(x.memory_bytes), v(x.products);
}

template <class T>
std::string write(const T& value) {
  Writer out;
  visit(out, value);
  return out.take();
}

template <class T>
std::optional<T> read(std::string_view bytes) {
  Reader in(bytes);
  T value;
  visit(in, value);
  if (!in.is_done()) return std::nullopt;
  return value;
}

}  // namespace

void append_frame(std::string& out, Kind kind, std::uint64_t ticket, std::string_view body) {
  QED_CHECK(body.size() <= kMaxFrame - kMinFrame, body.size());
  Writer head;
  head(static_cast<std::uint32_t>(kMinFrame + body.size()));
  head(static_cast<std::uint32_t>(kind));
  head(ticket);
  out += head.take();
  out += body;
}

std::optional<Frame> FrameReader::next() {
  const std::string_view left = std::string_view(bytes_).substr(at_);
  if (is_broken_ || left.size() < kHeader) return std::nullopt;
  std::uint32_t size = 0, kind = 0;
  std::memcpy(&size, left.data(), sizeof size);
  is_broken_ = size < kMinFrame || size > kMaxFrame;
  if (is_broken_ || left.size() - kHeader < size) return std::nullopt;
  Frame out;
  std::memcpy(&kind, left.data() + kHeader, sizeof kind);
  std::memcpy(&out.ticket, left.data() + kHeader + sizeof kind, sizeof out.ticket);
  out.kind = static_cast<Kind>(kind);
  out.body = left.substr(kHeader + kMinFrame, size - kMinFrame);
  at_ += kHeader + size;
  if (at_ == bytes_.size() || at_ > (1 << 20)) {  // moving what is left for each would be quadratic
    bytes_.erase(0, at_);
    at_ = 0;
  }
  return out;
}

std::string write_job(const Job& job) { return write(job); }
std::optional<Job> read_job(std::string_view bytes) { return read<Job>(bytes); }

std::string write_result(const Result& result) { return write(result); }
std::optional<Result> read_result(std::string_view bytes) { return read<Result>(bytes); }

std::string write_report(const Report& report) { return write(report); }
std::optional<Report> read_report(std::string_view bytes) { return read<Report>(bytes); }

}  // namespace qed::sandbox
