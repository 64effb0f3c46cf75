#include "core/model/safetensors.h"

#include "core/util/error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

namespace qed {

namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the limit of the reference implementation
constexpr int kMaxDepth = 3;                       // header, entry, list of numbers

Error bad(const std::string& path, const std::string& what) {
  return Error(cat(path, " is not a valid safetensors file: ", what),
               "get or write the file again");
}

// Nothing where it is no JSON, or nested deeper than a header is.
std::optional<json> parse_json(const char* begin, const char* end) {
  struct TooDeep {};
  const auto limit = [](int depth, json::parse_event_t, json&) {
    if (depth > kMaxDepth) throw TooDeep();
    return true;
  };
  try {
    json value = json::parse(begin, end, limit, false);
    if (value.is_object()) return value;
  } catch (const TooDeep&) {
  }
  return std::nullopt;
}

// A list of whole numbers, none negative; nothing where it is anything else.
std::optional<std::vector<std::uint64_t>> numbers(const json& entry, const char* key) {
  const auto it = entry.find(key);
  if (it == entry.end() || !it->is_array()) return std::nullopt;
  std::vector<std::uint64_t> out;
  for (const json& n : *it) {
    if (!n.is_number_unsigned()) return std::nullopt;
    out.push_back(n.get<std::uint64_t>());
  }
  return out;
}

// Nothing where the entry is malformed.
std::optional<TensorEntry> parse_entry(const json& entry) {
  if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string()) {
    return std::nullopt;
  }
  const auto shape = numbers(entry, "shape"), range = numbers(entry, "data_offsets");
  if (!shape || !range || range->size() != 2) return std::nullopt;
  TensorEntry out{entry["dtype"].get<std::string>(), {}, (*range)[0], (*range)[1]};
  for (const std::uint64_t n : *shape) {
    if (n > INT64_MAX) return std::nullopt;
    out.shape.push_back(static_cast<std::int64_t>(n));
  }
  return out;
}

// Bytes of a tensor of this shape; nothing where the number has no room in 64 bits.
std::optional<std::uint64_t> bytes_of(std::span<const std::int64_t> shape, Dtype dtype) {
  auto bytes = static_cast<std::uint64_t>(num_bytes(dtype));
  for (const std::int64_t n : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(n), &bytes)) return std::nullopt;
  }
  return bytes;
}

}  // namespace

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (const auto n : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(n);
  return out + "]";
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path.string()) {
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Error(cat("cannot read ", path_, ": ", std::strerror(errno)));
  struct stat info {};
  ::fstat(fd, &info);
  size_ = static_cast<std::uint64_t>(info.st_size);
  void* map = size_ > 0 ? ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
  ::close(fd);
  if (map == MAP_FAILED) throw Error(cat(path_, " is empty or cannot be mapped"));
  data_ = static_cast<const char*>(map);
  try {
    parse();
    check_layout();
  } catch (...) {
    ::munmap(map, size_);
    throw;
  }
}

SafetensorsFile::~SafetensorsFile() { ::munmap(const_cast<char*>(data_), size_); }

void SafetensorsFile::parse() {
  std::uint64_t header = 0;
  if (size_ < 8) throw bad(path_, "it is shorter than its header");
  std::memcpy(&header, data_, 8);
  if (header > kMaxHeader || header > size_ - 8) {
    throw bad(path_, "its header is longer than the file");
  }
  body_ = 8 + header;
  const auto index = parse_json(data_ + 8, data_ + body_);
  if (!index) throw bad(path_, "its header is not a JSON object");
  for (const auto& [name, entry] : index->items()) {
    if (name == "__metadata__") continue;
    auto tensor = parse_entry(entry);
    if (!tensor) throw bad(path_, cat("the entry of `", name, "` is malformed"));
    tensors_[name] = std::move(*tensor);
  }
}

void SafetensorsFile::check_layout() const {
  std::vector<const std::pair<const std::string, TensorEntry>*> order;
  for (const auto& tensor : tensors_) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::pair(a->second.begin, a->second.end) < std::pair(b->second.begin, b->second.end);
  });
  const std::uint64_t body = size_ - body_;
  std::uint64_t at = 0;
  for (const auto* tensor : order) {
    const auto& [name, t] = *tensor;
    if (t.end > body) {
      throw bad(path_, cat("`", name, "` ends at byte ", t.end, ", but there are only ", body));
    }
    if (t.begin != at || t.end < t.begin) {
      throw bad(path_, cat("`", name, "` begins at byte ", t.begin, ", not ", at));
    }
    at = t.end;
    const auto dtype = dtype_of_tag(t.tag);
    if (dtype && bytes_of(t.shape, *dtype) != t.end - t.begin) {
      throw bad(path_, cat("`", name, "` is ", t.tag, " ", shape_text(t.shape), ", but has ",
                           t.end - t.begin, " bytes"));
    }
  }
  if (at != body) throw bad(path_, cat("its tensors end at byte ", at, ", not ", body));
}

void SafetensorsFile::read(std::uint64_t begin, std::uint64_t end, Dtype dtype, float* out) const {
  QED_CHECK(begin <= end && end <= size_ - body_);
  to_float32(dtype, data_ + body_ + begin,
             static_cast<std::int64_t>(end - begin) / qed::num_bytes(dtype), out);
  // Whole pages; the last one may still be wanted. The file keeps what is dropped here.
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t first = (body_ + begin) / page * page, last = (body_ + end) / page * page;
  if (last > first) ::madvise(const_cast<char*>(data_) + first, last - first, MADV_DONTNEED);
}

}  // namespace qed
