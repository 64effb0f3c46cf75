#include "core/model/safetensors.h"

#include "core/util/error.h"
#include "core/util/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>

namespace qed {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the limit of the reference implementation

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "[";
  for (const auto n : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(n);
  return out + "]";
}

}  // namespace

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
  } catch (...) {
    ::munmap(map, size_);
    throw;
  }
}

SafetensorsFile::~SafetensorsFile() { ::munmap(const_cast<char*>(data_), size_); }

void SafetensorsFile::parse() {
  const auto bad = [&](const std::string& what) {
    return Error(cat(path_, " is not a valid safetensors file: ", what));
  };
  std::uint64_t header = 0;
  if (size_ < 8) throw bad("it is shorter than its header");
  std::memcpy(&header, data_, 8);
  if (header > kMaxHeader || header > size_ - 8) throw bad("its header is longer than the file");
  body_ = 8 + header;
  const json index = json::parse(data_ + 8, data_ + body_, nullptr, false);
  if (!index.is_object()) throw bad("its header is not a JSON object");
  for (const auto& [name, entry] : index.items()) {
    if (name == "__metadata__") continue;
    Tensor t;
    try {
      t.dtype = entry.at("dtype").get<std::string>();
      t.shape = entry.at("shape").get<std::vector<std::int64_t>>();
      t.begin = entry.at("data_offsets").at(0).get<std::uint64_t>();
      t.end = entry.at("data_offsets").at(1).get<std::uint64_t>();
    } catch (const json::exception&) {
      throw bad(cat("the entry of `", name, "` is malformed"));
    }
    if (t.begin > t.end || t.end > size_ - body_) {
      throw bad(cat("`", name, "` ends at byte ", t.end, ", but there are only ", size_ - body_));
    }
    tensors_[name] = std::move(t);
  }
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : tensors_) out.push_back(name);
  return out;
}

std::span<const float> SafetensorsFile::f32(const std::string& name,
                                            std::span<const std::int64_t> shape) const {
  const auto it = tensors_.find(name);
  if (it == tensors_.end()) throw Error(cat(path_, " has no tensor `", name, "`"));
  const Tensor& t = it->second;
  if (t.dtype != "F32") {
    throw Error(cat("`", name, "` in ", path_, " is ", t.dtype, ", which is not supported"),
                "supported is F32; save the model with dtype float32");
  }
  std::uint64_t bytes = sizeof(float);
  for (const auto n : shape) bytes *= static_cast<std::uint64_t>(n);
  if (!std::equal(shape.begin(), shape.end(), t.shape.begin(), t.shape.end()) ||
      t.end - t.begin != bytes) {
    throw Error(cat("`", name, "` in ", path_, " is ", shape_text(t.shape), " (", t.end - t.begin,
                    " bytes), but config.json asks for ", shape_text(shape)));
  }
  const char* from = data_ + body_ + t.begin;
  if (reinterpret_cast<std::uintptr_t>(from) % alignof(float) != 0) {
    throw Error(cat("`", name, "` in ", path_, " is not aligned to 4 bytes"));
  }
  return {reinterpret_cast<const float*>(from), static_cast<std::size_t>(bytes / sizeof(float))};
}

void write_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors) {
  ordered_json index = {{"__metadata__", {{"format", "pt"}}}};  // transformers insists on it
  std::vector<std::string_view> parts(2);
  std::uint64_t offset = 0;
  for (const NamedTensor& t : tensors) {
    const std::uint64_t bytes = t.data.size() * sizeof(float);
    index[t.name] = {
        {"dtype", "F32"}, {"shape", t.shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
    parts.emplace_back(reinterpret_cast<const char*>(t.data.data()), bytes);
  }
  std::string header = index.dump();
  header.resize((header.size() + 7) / 8 * 8, ' ');  // so that the tensors are aligned
  const std::uint64_t length = header.size();
  parts[0] = {reinterpret_cast<const char*>(&length), 8};
  parts[1] = header;
  write_file(path, parts);
}

}  // namespace qed
