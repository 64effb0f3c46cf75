#pragma once

// AdamW on the model's flat buffers, gradient clipping, and learning-rate schedules.

#include "core/config/run_config.h"
#include "core/cuda/kernel_args.h"
#include "core/model/weights.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace qed {

// Learning rate of step `step` (from 1) of `num_steps`: linear warm-up, then the schedule.
double learning_rate(const TrainTable& options, std::int64_t step, std::int64_t num_steps);

// Loshchilov & Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2, with the
// defaults and the order of operations of torch.optim.AdamW.
class AdamW {
 public:
  explicit AdamW(Weights& weights);

  // Scales the gradient to at most `clip_norm` (0: as it is), updates the weights and their rounded
  // copy, and clears the gradient. Returns the norm before clipping. Throws Error when it is not
  // finite; then nothing has changed but the gradient.
  double step(const TrainTable& options, double lr);

  // For checkpoints: the moments under the weights' names, prefixed "m." and "v.".
  void write(const std::filesystem::path& file) const;
  void read(const std::filesystem::path& file);
  std::int64_t num_steps() const { return num_steps_; }
  void set_num_steps(std::int64_t n) { num_steps_ = n; }

 private:
  void update_on_cpu(const cuda::AdamwArgs& args, float grad_scale);
  std::vector<TensorSpec> moments() const;

  Weights& weights_;
  at::Tensor m_, v_;  // [size] float32, in the weights' layout
  std::int64_t num_steps_ = 0;
};

}  // namespace qed
