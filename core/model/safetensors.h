#pragma once

// The safetensors format: 8 bytes of header length, a JSON header, then the tensors' bytes.
// https://huggingface.co/docs/safetensors

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qed {

// A file mapped into memory. Every header field is checked against the file's size. Not copied;
// const members are thread-safe.
class SafetensorsFile {
 public:
  // Throws Error with the file and what is wrong.
  explicit SafetensorsFile(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  const std::string& path() const { return path_; }
  std::vector<std::string> names() const;  // sorted
  bool contains(const std::string& name) const { return tensors_.count(name) != 0; }

  // The numbers of a float32 tensor of this shape; borrowed. Throws Error with file and tensor when
  // it is missing or has another type or shape.
  std::span<const float> f32(const std::string& name, std::span<const std::int64_t> shape) const;

 private:
  struct Tensor {
    std::string dtype;
    std::vector<std::int64_t> shape;
    std::uint64_t begin, end;  // bytes, from the end of the header
  };
  void parse();

  std::string path_;
  const char* data_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint64_t body_ = 0;  // where the tensors begin
  std::map<std::string, Tensor> tensors_;
};

struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> data;  // row-major
};

// Writes float32 tensors, in the order given, as one atomic replacement of the file.
void write_safetensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors);

}  // namespace qed
