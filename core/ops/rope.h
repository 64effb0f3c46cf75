#pragma once

// Rotary position embedding on whole heads, in the split-halves form of Hugging Face checkpoints:
// (a, b) -> (a cos - b sin, b cos + a sin). Su et al., "RoFormer" (2021), section 3.4.2.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace qed::ops {

// Cosines and sines of the angles position * frequency, in float32 as transformers does; rows are
// made when they are first wanted. Not thread-safe but in rope(), which several threads may call.
class RopeTable {
 public:
  RopeTable() = default;
  // frequency [dim / 2]
  explicit RopeTable(std::vector<float> frequency) : frequency_(std::move(frequency)) {}

  // Makes rows for at least the positions below `positions`. Tensors taken before stay as they are.
  void grow(std::int64_t positions);

  std::int64_t half() const { return static_cast<std::int64_t>(frequency_.size()); }
  std::int64_t positions() const { return cos_.defined() ? cos_.size(0) : 0; }
  const at::Tensor& cos() const { return cos_; }  // [positions, dim / 2] float32
  const at::Tensor& sin() const { return sin_; }
  // The same on the GPU, where there is one.
  const at::Tensor& device_cos() const { return device_cos_; }
  const at::Tensor& device_sin() const { return device_sin_; }

 private:
  std::vector<float> frequency_;
  at::Tensor cos_, sin_, device_cos_, device_sin_;
};

// Rotates the first `heads` heads of each row of x, in place, and returns x. x [T, >= heads * dim]
// float32, contiguous; position [T] int64, each >= 0. Differentiable in x. [any]
at::Tensor rope(const at::Tensor& x, const at::Tensor& position, RopeTable& table,
                std::int64_t heads);

}  // namespace qed::ops
