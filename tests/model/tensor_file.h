#pragma once

// Small safetensors files for tests.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/model/safetensors.h"
#include "tests/model/temporary_folder.h"

namespace qed {

struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> data;  // row-major
};

inline void write_tensors(const std::filesystem::path& file,
                          const std::vector<NamedTensor>& tensors, Dtype dtype = Dtype::kFloat32) {
  std::vector<TensorSpec> specs;
  for (const NamedTensor& t : tensors) specs.push_back({t.name, t.shape});
  write_safetensors(file, specs, dtype,
                    [&](std::size_t i, std::int64_t row, std::int64_t num_rows, float* out) {
                      const std::int64_t length = specs[i].row_length();
                      std::copy_n(tensors[i].data.begin() + row * length, num_rows * length, out);
                    });
}

}  // namespace qed
