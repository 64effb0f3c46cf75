#include "core/rollout/draw_rows.h"

#include "core/ops/device.h"
#include "core/ops/distribution.h"
#include "core/util/parallel.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>

namespace qed {

namespace {

// How many of the rows from i on follow each other in one tensor.
std::size_t run_length(std::span<const HiddenRow> rows, std::size_t i) {
  std::size_t n = 1;
  while (i + n < rows.size() && rows[i + n].from == rows[i].from &&
         rows[i + n].row == rows[i].row + static_cast<std::int64_t>(n)) {
    ++n;
  }
  return n;
}

}  // namespace

at::Tensor stack_rows(std::span<const HiddenRow> rows) {
  const at::Tensor& first = *rows.front().from;
  const auto num_rows = static_cast<std::int64_t>(rows.size());
  if (run_length(rows, 0) == rows.size()) return first.narrow(0, rows.front().row, num_rows);
  ops::Device* const gpu = ops::device();
  at::Tensor out = gpu != nullptr ? gpu->empty({num_rows, first.size(1)}, first.scalar_type())
                                  : at::empty({num_rows, first.size(1)}, first.options());
  for (std::size_t i = 0; i < rows.size();) {
    const std::size_t n = run_length(rows, i);
    const auto count = static_cast<std::int64_t>(n);
    const at::Tensor from = rows[i].from->narrow(0, rows[i].row, count);
    const at::Tensor to = out.narrow(0, static_cast<std::int64_t>(i), count);
    if (gpu != nullptr) {
      gpu->copy(to, from);
    } else {
      std::memcpy(to.mutable_data_ptr(), from.const_data_ptr(), from.nbytes());
    }
    i += n;
  }
  return out;
}

std::vector<DrawPlan::Draw> draw_rows(const at::Tensor& logits, std::span<const RowDraw> draws,
                                      std::vector<float>* entropy) {
  if (ops::device() != nullptr) return draw_on_gpu(logits, draws, entropy);
  const std::int64_t vocab = logits.size(1);
  const float* const data = logits.const_data_ptr<float>();
  std::vector<DrawPlan::Draw> out(draws.size());
  if (entropy != nullptr) entropy->resize(draws.size());
  const std::int64_t grain = std::clamp<std::int64_t>(32'768 / vocab, 1, 8);
  const auto n = static_cast<std::int64_t>(draws.size());
  parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
    DrawScratch scratch;
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const RowDraw& draw = draws[i];
      DrawInput in = draw.in;
      in.logits = {data + draw.logits_row * vocab, static_cast<std::size_t>(vocab)};
      out[i] = draw.plan->draw(in, draw.key, draw.position, scratch);
      if (entropy == nullptr) continue;
      (*entropy)[i] = ops::entropy(in.logits, draw.plan->inv_temperature());
    }
  });
  return out;
}

}  // namespace qed
