#pragma once

// The draws of a batch, on the CPU's threads or on the GPU.

#include "core/rollout/draw.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace qed {

// A hidden state: a row of a tensor. Borrowed.
struct HiddenRow {
  const at::Tensor* from;
  std::int64_t row;
};

// The hidden states one below the other, [rows, D], neighbours copied in one piece.
at::Tensor stack_rows(std::span<const HiddenRow> rows);

// A draw: what it depends on, and its row of the logits. Borrowed; in.logits is set here.
struct RowDraw {
  const DrawPlan* plan;
  DrawInput in;
  std::uint64_t key, position;
  std::int64_t logits_row;  // on the GPU the draw's own number
};

// Draws from rows of `logits` [rows, V], each as draw.plan->draw() says; on the GPU only rounding
// tells the two apart. Throws Error where that does. `entropy`, unless it is null, becomes that of
// each row's softmax(logits * inv_temperature).
std::vector<DrawPlan::Draw> draw_rows(const at::Tensor& logits, std::span<const RowDraw> draws,
                                      std::vector<float>* entropy);

// The GPU's half.
std::vector<DrawPlan::Draw> draw_on_gpu(const at::Tensor& logits, std::span<const RowDraw> draws,
                                        std::vector<float>* entropy);

}  // namespace qed
