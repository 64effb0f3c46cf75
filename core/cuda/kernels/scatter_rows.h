#pragma once

// The body of scatter_rows.

#include "core/cuda/kernels/quads.h"
#include "core/cuda/train_args.h"

namespace qed::cuda {

// i = target * quads of a row + quad: a thread adds up its columns alone, so the order is that of
// the sources.
template <class From, class To>
struct ScatterRowsBody {
  ScatterRowsArgs a;

  std::int64_t size() const { return a.targets * num_quads(a.dim); }
  QED_DEVICE void operator()(std::int64_t i) const {
    are_whole(a.dim, a.from, a.to) ? run<true>(i) : run<false>(i);
  }

 private:
  template <bool kWhole>
  QED_DEVICE void run(std::int64_t i) const {
    const std::int64_t target = i / num_quads(a.dim), column = i % num_quads(a.dim) * 4;
    To* const to = static_cast<To*>(a.to) + a.target[target] * a.dim;
    Quad<float> sum{};
    if (a.accumulate != 0) sum = load_wide<kWhole>(to, column, a.dim);
    add_in_order(sum, a.first[target], a.first[target + 1], [&](std::int64_t j) {
      const From* const from = static_cast<const From*>(a.from) + a.source[j] * a.dim;
      return load_wide<kWhole>(from, column, a.dim);
    });
    store_wide<kWhole>(to, column, a.dim, sum);
  }
};

}  // namespace qed::cuda
