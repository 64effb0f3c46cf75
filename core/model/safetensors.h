#pragma once

// The safetensors format: 8 bytes of header length, a JSON header, then the tensors' bytes.
// https://huggingface.co/docs/safetensors

#include "core/model/config.h"
#include "core/model/dtype.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace qed {

// What the header says of one tensor.
struct TensorEntry {
  std::string tag;  // the number format, as the header spells it
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  // bytes, from the end of the header
};

// "[2, 3]"
std::string shape_text(std::span<const std::int64_t> shape);

// A file mapped into memory. The header is checked as a whole: the tensors lie side by side, fill
// the file, and have as many bytes as their shapes say. Not copied; const members are thread-safe.
class SafetensorsFile {
 public:
  // Throws Error with the file and what is wrong.
  explicit SafetensorsFile(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  const std::string& path() const { return path_; }
  const std::map<std::string, TensorEntry>& tensors() const { return tensors_; }
  std::uint64_t num_bytes() const { return size_; }

  // Copies bytes begin .. end-1 of the body, converted, to `out`. What was read leaves memory
  // again: the weights exist once, in the caller's layout.
  void read(std::uint64_t begin, std::uint64_t end, Dtype dtype, float* out) const;

 private:
  void parse();
  void check_layout() const;

  std::string path_;
  const char* data_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint64_t body_ = 0;  // where the tensors begin
  std::map<std::string, TensorEntry> tensors_;
};

// Gives rows first_row .. first_row + num_rows - 1 of tensor `index` of a list, row-major.
using RowSource = std::function<void(std::size_t index, std::int64_t first_row,
                                     std::int64_t num_rows, float* out)>;

// Rows that are converted at a time, about 1 MiB of float32: a multiple of 16, or all there are.
std::int64_t rows_per_piece(const TensorSpec& spec);

// Writes tensors in the order given, as one atomic replacement of the file.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorSpec> tensors,
                       Dtype dtype, const RowSource& rows);

}  // namespace qed
