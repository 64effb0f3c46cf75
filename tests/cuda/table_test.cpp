// The table of the GPU that this CPU plays, whole calls of it, against the CPU's ops.

#include "core/ops/attention.h"
#include "core/ops/gemm.h"
#include "tests/cuda/attention_batch.h"
#include "tests/cuda/numbers.h"
#include "tests/cuda/on_gpu.h"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

namespace qed::cuda {
namespace {

struct Product {
  static constexpr std::int64_t kRows = 5, kCols = 19, kDepth = 37;
  std::vector<float> a = random_floats(kRows * kDepth, 1), b = random_floats(kDepth * kCols, 2),
                     c = random_floats(kRows * kCols, 3), bias = random_floats(kCols, 4);

  // C = A B + bias, or C + A B, by the CPU's op.
  std::vector<float> by_cpu(bool accumulate) const {
    std::vector<float> to = c;
    ops::gemm({.rows = kRows,
               .cols = kCols,
               .depth = kDepth,
               .a = a.data(),
               .a_row = kDepth,
               .a_col = 1,
               .b = b.data(),
               .b_panel = 16,
               .b_depth = kCols,
               .c = to.data(),
               .c_row = kCols,
               .c_panel = 16,
               .bias = accumulate ? nullptr : bias.data(),
               .accumulate = accumulate});
    return to;
  }
};

std::vector<float> turned(const std::vector<float>& x, std::int64_t rows, std::int64_t cols) {
  std::vector<float> to(x.size());
  for (std::int64_t i = 0; i < rows * cols; ++i) {
    to[static_cast<std::size_t>(i % cols * rows + i / cols)] = x[static_cast<std::size_t>(i)];
  }
  return to;
}

TEST(PlayedGpu, MultipliesAsTheCpuDoes) {
  const Product p;
  for (int kind = 0; kind < 8; ++kind) {
    const bool turn_a = (kind & 1) != 0, turn_b = (kind & 2) != 0, accumulate = (kind & 4) != 0;
    const OnGpu<float> a(turn_a ? turned(p.a, p.kRows, p.kDepth) : p.a);
    const OnGpu<float> b(turn_b ? turned(p.b, p.kDepth, p.kCols) : p.b), c(p.c), bias(p.bias);
    const GemmArgs args{.rows = p.kRows,
                        .cols = p.kCols,
                        .depth = p.kDepth,
                        .ab_dtype = kFloat32,
                        .c_dtype = kFloat32,
                        .a_turned = turn_a,
                        .b_turned = turn_b,
                        .accumulate = accumulate,
                        .exact = 0,
                        .a = a.get(),
                        .b = b.get(),
                        .c = c.get(),
                        .a_step = turn_a ? p.kRows : p.kDepth,
                        .b_step = turn_b ? p.kDepth : p.kCols,
                        .c_step = p.kCols,
                        .bias = accumulate ? nullptr : bias.get()};
    ASSERT_EQ(played_gpu().table.gemm(args, played_gpu().stream), 0);
    const std::vector<float> gpu = c.read(), cpu = p.by_cpu(accumulate);
    // The CPU's chain begins with the bias, and it may not round products.
    for (std::size_t i = 0; i < cpu.size(); ++i) ASSERT_NEAR(gpu[i], cpu[i], 1e-5) << i;
  }
}

// Forward, then backward with the lse that it left, of sequences of which some share a prefix.
template <class T>
Gradients attend(const Batch& b, std::int32_t dtype) {
  const PlayedGpu& gpu = played_gpu();
  const ops::Heads& h = b.heads;
  const float scale = 1 / std::sqrt(static_cast<float>(h.dim));
  const DeviceLayout layout(b);
  std::vector<std::int32_t> keys;
  for (std::size_t s = 0; s < b.length.size(); ++s) {
    const std::int64_t p = b.prefix[s];
    const std::int64_t before = p < 0 ? 0 : b.length[static_cast<std::size_t>(p)];
    for (std::int64_t i = 0; i < b.length[s]; ++i) {
      keys.push_back(static_cast<std::int32_t>(before + i + 1));
    }
  }
  const OnGpu<T> qkv(as<T>(b.qkv)), dout(as<T>(b.dout)), out(b.dout.size()), dqkv(b.qkv.size());
  const OnGpu<std::int32_t> num_keys(keys), sequence(layout.sequence), offset(layout.offset),
      prefix(layout.prefix), child_first(layout.child_first), child(layout.child);
  const std::size_t row_heads = keys.size() * static_cast<std::size_t>(h.heads);
  const OnGpu<float> part(b.dout.size() * 2), part_max(row_heads * 2), part_sum(row_heads * 2);
  const OnGpu<float> lse(row_heads), delta(row_heads);
  const AttentionArgs forward{.rows = b.rows(),
                              .heads = h.heads,
                              .kv_heads = h.kv_heads,
                              .dim = h.dim,
                              .dtype = dtype,
                              .scale = scale,
                              .qkv = qkv.get(),
                              .pool = nullptr,
                              .sequence = sequence.get(),
                              .num_keys = num_keys.get(),
                              .pages = nullptr,
                              .max_pages = 0,
                              .offset = offset.get(),
                              .prefix = prefix.get(),
                              .max_splits = 2,
                              .part = part.get(),
                              .part_max = part_max.get(),
                              .part_sum = part_sum.get(),
                              .out = out.get(),
                              .lse = lse.get()};
  EXPECT_EQ(gpu.table.attention(forward, gpu.stream), 0);
  const AttentionBackwardArgs backward{.rows = b.rows(),
                                       .sequences = std::ssize(b.length),
                                       .heads = h.heads,
                                       .kv_heads = h.kv_heads,
                                       .dim = h.dim,
                                       .dtype = dtype,
                                       .scale = scale,
                                       .qkv = qkv.get(),
                                       .out = out.get(),
                                       .dout = dout.get(),
                                       .lse = lse.get(),
                                       .sequence = sequence.get(),
                                       .offset = offset.get(),
                                       .prefix = prefix.get(),
                                       .child_first = child_first.get(),
                                       .child = child.get(),
                                       .delta = delta.get(),
                                       .dqkv = dqkv.get()};
  EXPECT_EQ(gpu.table.attention_backward(backward, gpu.stream), 0);
  Gradients result;
  for (const T& x : out.read()) result.out.push_back(to_float(x));
  for (const T& x : dqkv.read()) result.dqkv.push_back(to_float(x));
  return result;
}

template <class T>
void check_attention(const Batch& b, std::int32_t dtype, double tolerance) {
  const Gradients cpu = run_on_cpu(b), gpu = attend<T>(b, dtype);
  ::setenv("FAKE_GPU_ORDER", "reverse", 1);
  const Gradients reverse = attend<T>(b, dtype);
  ::unsetenv("FAKE_GPU_ORDER");
  EXPECT_EQ(gpu.out, reverse.out);
  EXPECT_EQ(gpu.dqkv, reverse.dqkv);
  expect_near(gpu.out, cpu.out, tolerance);
  expect_near(gpu.dqkv, cpu.dqkv, tolerance);
}

TEST(PlayedGpu, UndoesItsOwnAttentionWhateverTheOrderOfThreads) {
  // Two orders of adding up; then a few roundings to a bfloat16, one after another.
  check_attention<float>(random_batch({6, 2, 16}, {40, 7, 1, 260}, {-1, 0, 0, -1}, 6), kFloat32,
                         2e-6);
  check_attention<Bfloat16>(rounded(random_batch({4, 2, 64}, {40, 7, 1, 33}, {-1, 0, 0, -1}, 7)),
                            kBfloat16, 6e-3);
}

TEST(PlayedGpu, WritesPagesAndAttendsToThemAsTheCpuDoes) {
  const PlayedGpu& gpu = played_gpu();
  const ops::Heads h{.heads = 6, .kv_heads = 2, .dim = 16};
  constexpr std::int32_t kLength = 300, kPages = 19;
  const auto numbers = random_floats(static_cast<std::size_t>(kLength * h.qkv_width()), 5);
  std::vector<std::int32_t> position, num_keys, page(kPages);
  for (std::int32_t p = 0; p < kLength; ++p) position.push_back(p), num_keys.push_back(p + 1);
  for (std::int32_t p = 0; p < kPages; ++p) page[static_cast<std::size_t>(p)] = kPages - p;

  const OnGpu<float> qkv(numbers), pool(static_cast<std::size_t>(20 * ops::page_floats(h)));
  const OnGpu<float> cos(std::vector<float>(kLength * 8, 1)), sin(std::vector<float>(kLength * 8));
  const OnGpu<std::int32_t> positions(position), keys(num_keys), pages(page);
  const OnGpu<std::int32_t> sequence(std::vector<std::int32_t>(kLength, 0));
  const std::size_t row_heads = kLength * 6;
  const OnGpu<float> part(row_heads * 2 * 16), part_max(row_heads * 2), part_sum(row_heads * 2);
  const OnGpu<float> out(row_heads * 16), lse(row_heads);
  const RopeArgs rope{.rows = kLength,
                      .heads = h.heads,
                      .kv_heads = h.kv_heads,
                      .dim = h.dim,
                      .dtype = kFloat32,
                      .direction = 1,
                      .qkv = qkv.get(),
                      .position = positions.get(),
                      .cos = cos.get(),
                      .sin = sin.get(),
                      .pool = pool.get(),
                      .sequence = sequence.get(),
                      .pages = pages.get(),
                      .max_pages = kPages};
  ASSERT_EQ(gpu.table.rope(rope, gpu.stream), 0);
  const AttentionArgs attention{.rows = kLength,
                                .heads = h.heads,
                                .kv_heads = h.kv_heads,
                                .dim = h.dim,
                                .dtype = kFloat32,
                                .scale = 0.25f,
                                .qkv = qkv.get(),
                                .pool = pool.get(),
                                .sequence = sequence.get(),
                                .num_keys = keys.get(),
                                .pages = pages.get(),
                                .max_pages = kPages,
                                .offset = nullptr,
                                .prefix = nullptr,
                                .max_splits = 2,
                                .part = part.get(),
                                .part_max = part_max.get(),
                                .part_sum = part_sum.get(),
                                .out = out.get(),
                                .lse = lse.get()};
  ASSERT_EQ(gpu.table.attention(attention, gpu.stream), 0);

  at::Tensor rows = at::empty({kLength, h.qkv_width()});
  std::copy(numbers.begin(), numbers.end(), rows.data_ptr<float>());
  const std::int64_t offset[] = {0, kLength};
  const at::Tensor cpu = ops::attention(rows, h, offset);
  const std::vector<float> got = out.read();
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], cpu.const_data_ptr<float>()[i], 3e-6) << i;  // two orders of adding up
  }
}

}  // namespace
}  // namespace qed::cuda
