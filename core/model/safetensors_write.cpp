#include "core/model/safetensors.h"
#include "core/util/error.h"
#include "core/util/files.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace qed {

namespace {

constexpr std::int64_t kPieceFloats = 1 << 18;

std::string header_text(std::span<const TensorSpec> tensors, Dtype dtype) {
  nlohmann::ordered_json index = {{"__metadata__", {{"format", "pt"}}}};  // transformers wants it
  std::int64_t offset = 0;
  for (const TensorSpec& t : tensors) {
    const std::int64_t end = offset + t.numel() * num_bytes(dtype);
    index[t.name] = {
        {"dtype", dtype_tag(dtype)}, {"shape", t.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string header = index.dump();
  header.resize((header.size() + 7) / 8 * 8, ' ');  // so that the tensors are aligned
  return header;
}

}  // namespace

std::int64_t rows_per_piece(const TensorSpec& spec) {
  const std::int64_t rows = kPieceFloats / std::max<std::int64_t>(spec.row_length(), 1) / 16 * 16;
  return std::clamp<std::int64_t>(rows, 16, std::max<std::int64_t>(spec.rows(), 16));
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorSpec> tensors,
                       Dtype dtype, const RowSource& rows) {
  const std::string header = header_text(tensors, dtype);
  const std::uint64_t length = header.size();
  FileReplacement file(path);
  file.append({reinterpret_cast<const char*>(&length), 8});
  file.append(header);
  std::vector<float> numbers;
  std::vector<char> bytes;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TensorSpec& t = tensors[i];
    const std::int64_t step = rows_per_piece(t);
    for (std::int64_t row = 0; row < t.rows(); row += step) {
      const std::int64_t count = std::min(step, t.rows() - row);
      const std::int64_t n = count * t.row_length();
      numbers.resize(static_cast<std::size_t>(n));
      bytes.resize(static_cast<std::size_t>(n * num_bytes(dtype)));
      rows(i, row, count, numbers.data());
      from_float32(numbers.data(), n, dtype, bytes.data());
      file.append({bytes.data(), bytes.size()});
    }
  }
  file.commit();
}

}  // namespace qed
