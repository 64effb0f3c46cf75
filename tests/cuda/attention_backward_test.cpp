// The backward of packed attention: the GPU's bodies, run on the CPU, against the autograd of the
// CPU's op.

#include "core/cuda/kernels/attention_backward_mma.h"
#include "tests/cuda/attention_batch.h"

#include <gtest/gtest.h>

namespace qed::cuda {
namespace {

// Sums of the CPU are made in other orders; of the largest gradient.
constexpr double kFloatTolerance = 4e-6;
// Half a unit in the last place of a bfloat16 is 2e-3, for the result and for what the rounding of
// `out` moves delta.
constexpr double kBfloatTolerance = 5e-3;

void expect_near(const std::vector<float>& a, const std::vector<float>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  double largest = 0;
  for (const float x : b) largest = std::max(largest, std::abs(static_cast<double>(x)));
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance * largest) << i;
}

template <int kDim>
std::vector<float> run_in_floats(const Batch& b, const Gradients& cpu) {
  return run_on_gpu<float, QueryGradientBody<float, kDim>, KeyGradientBody<float, kDim>>(b,
                                                                                         cpu.out);
}

template <int kDim>
void expect_the_cpus(const ops::Heads& heads, const Numbers& length, const Numbers& prefix) {
  SCOPED_TRACE(testing::Message() << heads.heads << ":" << heads.kv_heads << " x " << heads.dim);
  const Batch b = random_batch(heads, length, prefix, 1);
  const Gradients cpu = run_on_cpu(b);
  expect_near(run_in_floats<kDim>(b, cpu), cpu.dqkv, kFloatTolerance);
}

template <class Queries, class Keys>
void expect_nearly_the_cpus(const ops::Heads& heads, const Numbers& length, const Numbers& prefix) {
  SCOPED_TRACE(testing::Message() << heads.heads << ":" << heads.kv_heads << " x " << heads.dim);
  const Batch b = rounded(random_batch(heads, length, prefix, 2));
  const Gradients cpu = run_on_cpu(b);
  expect_near((run_on_gpu<Bfloat16, Queries, Keys>(b, cpu.out)), cpu.dqkv, kBfloatTolerance);
}

TEST(AttentionBackward, IsTheCpus) {
  expect_the_cpus<64>({1, 1, 16}, {17, 300, 1}, {-1, -1, -1});
  expect_the_cpus<64>({2, 1, 64}, {1, 130, 17}, {-1, -1, -1});
  expect_the_cpus<64>({3, 3, 20}, {64, 63, 65, 128}, {-1, -1, -1, -1});
  expect_the_cpus<128>({7, 1, 80}, {17, 33}, {-1, -1});
  expect_the_cpus<128>({2, 1, 128}, {100, 1, 17}, {-1, -1, -1});
  expect_the_cpus<256>({4, 2, 256}, {1, 17, 16}, {-1, -1, -1});
}

TEST(AttentionBackward, OfSharedPromptsIsTheCpus) {
  expect_the_cpus<64>({4, 2, 16}, {100, 17, 1, 5, 40, 70}, {-1, 0, 0, -1, 3, 0});
  expect_the_cpus<64>({7, 1, 64}, {17, 20, 1}, {-1, 0, 0});
  expect_the_cpus<128>({1, 1, 80}, {5, 64, 17, 33}, {-1, -1, 1, 1});
  expect_the_cpus<128>({2, 1, 128}, {33, 17, 1}, {-1, 0, 0});
  expect_the_cpus<256>({1, 1, 200}, {17, 1, 18}, {-1, 0, 0});
}

template <int kDim>
void expect_nearly_the_cpus_plainly(const ops::Heads& heads, const Numbers& length,
                                    const Numbers& prefix) {
  expect_nearly_the_cpus<QueryGradientBody<Bfloat16, kDim>, KeyGradientBody<Bfloat16, kDim>>(
      heads, length, prefix);
}

template <int kDim>
void expect_nearly_the_cpus_on_tensor_cores(std::int64_t heads, std::int64_t kv_heads,
                                            const Numbers& length, const Numbers& prefix) {
  expect_nearly_the_cpus<QueryGradientMmaBody<kDim>, KeyGradientMmaBody<kDim>>(
      {heads, kv_heads, kDim}, length, prefix);
}

TEST(AttentionBackward, InBfloat16IsNearTheCpusOfTheRoundedNumbers) {
  expect_nearly_the_cpus_plainly<64>({2, 1, 64}, {17, 70, 1}, {-1, 0, 0});
  expect_nearly_the_cpus_plainly<128>({7, 1, 80}, {17, 33}, {-1, -1});
  expect_nearly_the_cpus_plainly<128>({1, 1, 128}, {33, 17, 1}, {-1, 0, 0});
  expect_nearly_the_cpus_plainly<256>({2, 2, 256}, {18}, {-1});
}

TEST(AttentionBackward, OnTensorCoresIsNearTheCpusOfTheRoundedNumbers) {
  expect_nearly_the_cpus_on_tensor_cores<64>(7, 1, {17, 70, 1}, {-1, -1, -1});
  expect_nearly_the_cpus_on_tensor_cores<64>(1, 1, {200, 17}, {-1, -1});
  expect_nearly_the_cpus_on_tensor_cores<64>(2, 1, {140, 17, 1, 20}, {-1, 0, 0, 0});
  expect_nearly_the_cpus_on_tensor_cores<80>(2, 2, {5, 33, 17, 20}, {-1, -1, 1, 1});
  expect_nearly_the_cpus_on_tensor_cores<96>(1, 1, {130}, {-1});
  expect_nearly_the_cpus_on_tensor_cores<128>(2, 1, {64, 17, 65}, {-1, 0, -1});
}

// Rows first .. first + count - 1 of a batch's numbers.
std::vector<float> rows_of(const std::vector<float>& x, std::size_t width, std::int64_t first,
                           std::int64_t count) {
  const auto begin = x.begin() + first * static_cast<std::ptrdiff_t>(width);
  return {begin, begin + count * static_cast<std::ptrdiff_t>(width)};
}

void append(std::vector<float>& to, const std::vector<float>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

template <class T, class Queries, class Keys>
void expect_the_same_bits_in_every_batch(const ops::Heads& heads) {
  const Batch all = rounded(random_batch(heads, {19, 90, 30}, {-1, -1, -1}, 3));
  const Batch alone{heads,
                    {90},
                    {-1},
                    rows_of(all.qkv, all.width(), 19, 90),
                    rows_of(all.dout, all.out_width(), 19, 90)};
  const auto of_all = run_on_gpu<T, Queries, Keys>(all, run_on_cpu(all).out);
  const auto of_one = run_on_gpu<T, Queries, Keys>(alone, run_on_cpu(alone).out);
  EXPECT_EQ(rows_of(of_all, all.width(), 19, 90), of_one);
}

TEST(AttentionBackward, OfASequenceHasTheSameBitsInEveryBatch) {
  expect_the_same_bits_in_every_batch<float, QueryGradientBody<float, 64>,
                                      KeyGradientBody<float, 64>>({2, 1, 16});
  expect_the_same_bits_in_every_batch<Bfloat16, QueryGradientMmaBody<64>, KeyGradientMmaBody<64>>(
      {2, 1, 64});
}

TEST(AttentionBackward, OfACompletionHasTheBitsOfOneWithItsOwnPrompt) {
  const Batch shared = random_batch({2, 1, 16}, {37, 50, 20}, {-1, 0, 0}, 4);
  Batch copied{shared.heads,
               {37 + 20},
               {-1},
               rows_of(shared.qkv, shared.width(), 0, 37),
               rows_of(shared.dout, shared.out_width(), 0, 37)};
  append(copied.qkv, rows_of(shared.qkv, shared.width(), 87, 20));
  append(copied.dout, rows_of(shared.dout, shared.out_width(), 87, 20));
  const auto of_shared = run_in_floats<64>(shared, run_on_cpu(shared));
  const auto of_copied = run_in_floats<64>(copied, run_on_cpu(copied));
  EXPECT_EQ(rows_of(of_shared, shared.width(), 87, 20), rows_of(of_copied, shared.width(), 37, 20));
}

TEST(AttentionBackward, FindsTheTilesOfEverySequenceOnce) {
  const Numbers length = {1, 64, 65, 0, 128, 3, 63, 0};
  const Batch b{{1, 1, 16}, length, Numbers(length.size(), -1), {}, {}};
  const DeviceLayout layout(b);
  AttentionBackwardArgs args{};
  args.rows = b.rows(), args.sequences = std::ssize(length), args.offset = layout.offset.data();
  std::vector<std::vector<std::int64_t>> found(length.size()), expected(length.size());
  for (std::int64_t i = 0; i < num_row_tiles(args, 64); ++i) {
    const RowTile tile = row_tile(args, 64, i);
    const auto s = static_cast<std::size_t>(tile.b);
    if (tile.first < length[s]) found[s].push_back(tile.first);
  }
  for (std::size_t s = 0; s < length.size(); ++s) {
    for (std::int64_t first = 0; first < length[s]; first += 64) expected[s].push_back(first);
  }
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace qed::cuda
