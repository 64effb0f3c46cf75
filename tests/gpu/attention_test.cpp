// Attention of packed sequences and its backward on a GPU: prompts whose completions share them.

#include "core/cuda/kernels/attention_backward_mma.h"
#include "core/cuda/kernels/attention_mma.h"
#include "tests/gpu/gpu_test.h"

#include <type_traits>

namespace qed::cuda {
namespace {

constexpr std::int64_t kHeads = 4, kKvHeads = 2, kDim = 64, kRows = 233, kSequences = 6;
constexpr std::int64_t kWidth = (kHeads + 2 * kKvHeads) * kDim;

// Sequences of 100, 17, 1, 5, 40 and 70 rows; 1, 2 and 5 go on after 0, and 4 after 3.
struct Layout {
  Managed<std::int32_t> offset{{0, 100, 117, 118, 123, 163, 233}}, prefix{{-1, 0, 0, -1, 3, 0}},
      child_first{{0, 3, 3, 3, 4, 4, 4}}, child{{1, 2, 5, 4}};
  Managed<std::int32_t> sequence{std::vector<std::int32_t>(kRows)},
      num_keys{std::vector<std::int32_t>(kRows)};

  Layout() {
    for (std::int32_t s = 0; s < kSequences; ++s) {
      const std::int32_t* const at = offset.get();
      const std::int32_t before = prefix.get()[s];
      const std::int32_t seen = before < 0 ? 0 : at[before + 1] - at[before];
      for (std::int32_t row = at[s]; row < at[s + 1]; ++row) {
        sequence.get()[row] = s;
        num_keys.get()[row] = seen + row - at[s] + 1;
      }
    }
  }
};

// What the library takes for heads of 64 numbers.
template <class T>
struct Bodies {
  using Splits = AttentionBody<float>;
  using Queries = QueryGradientBody<float, kDim>;
  using Keys = KeyGradientBody<float, kDim>;
};
template <>
struct Bodies<Bfloat16> {
  using Splits = AttentionMmaBody<kDim>;
  using Queries = QueryGradientMmaBody<kDim>;
  using Keys = KeyGradientMmaBody<kDim>;
};

template <class T>
void check_packed_attention(const KernelTable& table) {
  const Layout layout;
  const Managed<T> qkv(random_numbers<T>(kRows * kWidth, 1)),
      dout(random_numbers<T>(kRows * kHeads * kDim, 2));
  const Managed<float> part(random_numbers<float>(kRows * kHeads * kDim, 3)),
      part_max(random_numbers<float>(kRows * kHeads, 4)),
      part_sum(random_numbers<float>(kRows * kHeads, 5)),
      delta(random_numbers<float>(kRows * kHeads, 6));
  Managed<T> out(dout.read()), dqkv(qkv.read());
  Managed<float> lse(delta.read());
  const AttentionArgs args{.rows = kRows,
                           .heads = kHeads,
                           .kv_heads = kKvHeads,
                           .dim = kDim,
                           .dtype = kDtype<T>,
                           .scale = 0.125f,
                           .qkv = qkv.get(),
                           .pool = nullptr,
                           .sequence = layout.sequence.get(),
                           .num_keys = layout.num_keys.get(),
                           .pages = nullptr,
                           .max_pages = 0,
                           .offset = layout.offset.get(),
                           .prefix = layout.prefix.get(),
                           .max_splits = 1,
                           .part = part.get(),
                           .part_max = part_max.get(),
                           .part_sum = part_sum.get(),
                           .out = out.get(),
                           .lse = lse.get()};
  const auto on_cpu = [&] {
    run_blocks(typename Bodies<T>::Splits{args}, num_blocks(args));
    run_elements(MergeBody<T>{args});
  };
  const auto on_gpu = [&] { check(table.attention(args, nullptr)); };
  expect_same("out", out, 4 * kGpuTolerance<T>, on_cpu, on_gpu);
  expect_same("lse", lse, 4 * kGpuTolerance<float>, on_cpu, on_gpu);

  const AttentionBackwardArgs backward{.rows = kRows,
                                       .sequences = kSequences,
                                       .heads = kHeads,
                                       .kv_heads = kKvHeads,
                                       .dim = kDim,
                                       .dtype = kDtype<T>,
                                       .scale = 0.125f,
                                       .qkv = qkv.get(),
                                       .out = out.get(),
                                       .dout = dout.get(),
                                       .lse = lse.get(),
                                       .sequence = layout.sequence.get(),
                                       .offset = layout.offset.get(),
                                       .prefix = layout.prefix.get(),
                                       .child_first = layout.child_first.get(),
                                       .child = layout.child.get(),
                                       .delta = delta.get(),
                                       .dqkv = dqkv.get()};
  const auto back_on_cpu = [&] {
    const typename Bodies<T>::Queries queries{backward};
    const typename Bodies<T>::Keys keys{backward};
    run_elements(DeltaBody<T>{backward});
    run_blocks(queries, queries.num_blocks());
    run_blocks(keys, keys.num_blocks());
  };
  expect_same("dqkv", dqkv, 4 * kGpuTolerance<T>, back_on_cpu,
              [&] { check(table.attention_backward(backward, nullptr)); });
}

TEST_F(OnGpu, AttentionOfPackedRowsAndItsBackwardAreTheirBodies) {
  check_packed_attention<float>(table_);
  check_packed_attention<Bfloat16>(table_);
}

}  // namespace
}  // namespace qed::cuda
