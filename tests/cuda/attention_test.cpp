// Rope, the write to pages, and attention over them: the GPU's bodies, run on the CPU, against the
// CPU's kernels, which read the pages that the bodies wrote.

#include "core/cuda/kernels/attention.h"
#include "core/cuda/kernels/attention_mma.h"
#include "core/cuda/kernels/elements.h"
#include "core/ops/cpu_kernels.h"
#include "tests/cuda/host_block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace qed::cuda {
namespace {

using ops::cpu_kernels;

struct Shape {
  std::int64_t heads, kv_heads, dim;
  std::int64_t width() const { return (heads + 2 * kv_heads) * dim; }
};

// A sequence whose rows are all written, on pages in an order of their own.
template <class T>
struct Sequence {
  Shape shape;
  std::int64_t length;
  std::vector<T> qkv;  // rotated once it is written
  std::vector<T> pool;
  std::vector<float> cos, sin;
  std::vector<std::int32_t> pages, position;

  Sequence(const Shape& s, std::int64_t n, unsigned seed) : shape(s), length(n) {
    const auto numbers = random_floats(static_cast<std::size_t>(n * s.width()), seed);
    for (const float x : numbers) put(qkv.emplace_back(), x);
    const std::int64_t num_pages = (n + kPageSlots - 1) / kPageSlots;
    pages.resize(static_cast<std::size_t>(num_pages));
    for (std::int64_t p = 0; p < num_pages; ++p) {  // the last page first, page 0 of the pool free
      pages[static_cast<std::size_t>(p)] = static_cast<std::int32_t>(num_pages - p);
    }
    pool.resize(static_cast<std::size_t>((num_pages + 1) * layout().page()));
    for (std::int64_t p = 0; p < n; ++p) {
      position.push_back(static_cast<std::int32_t>(p));
      for (std::int64_t d = 0; d < s.dim / 2; ++d) {
        const float angle = static_cast<float>(p) * std::pow(1e4f, -2.0f * d / s.dim);
        cos.push_back(std::cos(angle));
        sin.push_back(std::sin(angle));
      }
    }
  }

  PageLayout layout() const { return {shape.kv_heads, shape.dim}; }

  void write() {
    const std::vector<std::int32_t> sequence(static_cast<std::size_t>(length), 0);
    run_elements(RopeBody<T>{{.rows = length,
                              .heads = shape.heads,
                              .kv_heads = shape.kv_heads,
                              .dim = shape.dim,
                              .dtype = 0,
                              .direction = 1,
                              .qkv = qkv.data(),
                              .position = position.data(),
                              .cos = cos.data(),
                              .sin = sin.data(),
                              .pool = pool.data(),
                              .sequence = sequence.data(),
                              .pages = pages.data(),
                              .max_pages = std::ssize(pages)}});
  }
};

// Sequences side by side, without pages.
struct PackedRows {
  std::vector<std::int32_t> offset, prefix;
};

struct Attended {
  std::vector<float> out, lse;
};

// Attention of some rows, `first` and those after it; by Body, then the merge.
template <class Body, class T>
Attended attend_with(const Sequence<T>& s, std::int64_t first, std::int64_t max_splits,
                     const PackedRows* packed = nullptr) {
  const std::int64_t rows = s.length - first;
  std::vector<std::int32_t> sequence(static_cast<std::size_t>(rows), 0), num_keys;
  for (std::int64_t r = first; r < s.length; ++r) {
    num_keys.push_back(static_cast<std::int32_t>(r + 1));
  }
  for (std::size_t b = 0; packed != nullptr && b < packed->prefix.size(); ++b) {
    for (std::int32_t r = packed->offset[b]; r < packed->offset[b + 1]; ++r) {
      sequence[static_cast<std::size_t>(r)] = static_cast<std::int32_t>(b);
    }
  }
  const auto numbers = static_cast<std::size_t>(rows * s.shape.heads);
  std::vector<T> out(numbers * static_cast<std::size_t>(s.shape.dim));
  const auto splits = static_cast<std::size_t>(max_splits);
  std::vector<float> part(out.size() * splits, NAN), max(numbers * splits, NAN), sum = max;
  Attended result{{}, std::vector<float>(numbers)};
  const AttentionArgs args{.rows = rows,
                           .heads = s.shape.heads,
                           .kv_heads = s.shape.kv_heads,
                           .dim = s.shape.dim,
                           .dtype = 0,
                           .scale = 1 / std::sqrt(static_cast<float>(s.shape.dim)),
                           .qkv = s.qkv.data() + first * s.shape.width(),
                           .pool = packed == nullptr ? s.pool.data() : nullptr,
                           .sequence = sequence.data(),
                           .num_keys = num_keys.data(),
                           .pages = s.pages.data(),
                           .max_pages = std::ssize(s.pages),
                           .offset = packed == nullptr ? nullptr : packed->offset.data(),
                           .prefix = packed == nullptr ? nullptr : packed->prefix.data(),
                           .max_splits = max_splits,
                           .part = part.data(),
                           .part_max = max.data(),
                           .part_sum = sum.data(),
                           .out = out.data(),
                           .lse = result.lse.data()};
  run_blocks(Body{args}, Body{args}.num_blocks());
  run_elements(MergeBody<T>{args});
  for (const T& x : out) result.out.push_back(to_float(x));
  return result;
}

template <class T>
Attended attend_on_gpu(const Sequence<T>& s, std::int64_t first, std::int64_t max_splits,
                       const PackedRows* packed = nullptr) {
  return attend_with<AttentionBody<T>>(s, first, max_splits, packed);
}

// The same by the CPU's kernel, over the pages of `s`.
Attended attend_on_cpu(const Sequence<float>& s, std::int64_t row) {
  const Shape& h = s.shape;
  Attended out{std::vector<float>(static_cast<std::size_t>(h.heads * h.dim)),
               std::vector<float>(static_cast<std::size_t>(h.heads))};
  const std::int64_t num_keys = row + 1, group = h.heads / h.kv_heads;
  std::vector<float> scratch(static_cast<std::size_t>(num_keys + 15) / 16 * 16);
  for (std::int64_t head = 0; head < h.heads; ++head) {
    const float* q = s.qkv.data() + row * h.width() + head * h.dim;
    float* to = out.out.data() + head * h.dim;
    float* lse = out.lse.data() + head;
    cpu_kernels().attention({.rows = 1,
                             .q = &q,
                             .out = &to,
                             .lse = &lse,
                             .num_keys = &num_keys,
                             .kv = s.pool.data() + head / group * s.layout().head(),
                             .pages = s.pages.data(),
                             .page_stride = s.layout().page(),
                             .head_dim = h.dim,
                             .scale = 1 / std::sqrt(static_cast<float>(h.dim)),
                             .scratch = scratch.data()});
  }
  return out;
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << i;
}

// Heads of Qwen2.5-0.5B and 1.5B; a head that fills no vector; more heads to a key than a tile has.
const Shape kShapes[] = {{14, 2, 64}, {12, 2, 128}, {3, 1, 20}, {40, 2, 8}, {2, 2, 256}};

TEST(Rope, RotatesQueriesAndKeysAsTheCpuDoes) {
  for (const Shape& shape : kShapes) {
    Sequence<float> s(shape, 19, 1);
    std::vector<float> cpu = s.qkv;
    const std::vector<std::int64_t> position(s.position.begin(), s.position.end());
    cpu_kernels().rope(cpu.data(), shape.width(), position.data(), s.cos.data(), s.sin.data(), 19,
                       shape.heads + shape.kv_heads, shape.dim, 1);
    s.write();
    expect_near(s.qkv, cpu, 1e-6);
  }
}

TEST(Attention, IsTheCpusOverThePagesThatTheGpuWrites) {
  for (const Shape& shape : kShapes) {
    for (const std::int64_t length : {1, 15, 16, 17, 256, 257, 600}) {
      Sequence<float> s(shape, length, 2);
      s.write();
      const Attended cpu = attend_on_cpu(s, length - 1);
      const Attended gpu = attend_on_gpu(s, length - 1, (length + kSplit - 1) / kSplit);
      expect_near(gpu.out, cpu.out, 3e-6);
      expect_near(gpu.lse, cpu.lse, 3e-6);
    }
  }
}

TEST(Attention, InBfloat16IsNearTheCpusOfTheRoundedNumbers) {
  for (const Shape& shape : kShapes) {
    Sequence<Bfloat16> small(shape, 300, 3);
    small.write();
    Sequence<float> wide(shape, 300, 3);
    wide.qkv = widened(small.qkv);
    wide.pool = widened(small.pool);
    expect_near(attend_on_gpu(small, 299, 2).out, attend_on_cpu(wide, 299).out, 4e-3);
  }
}

TEST(Attention, OfARowDependsOnItsKeysAloneToTheBit) {
  Sequence<float> s(kShapes[0], 300, 4);
  s.write();
  const Attended alone = attend_on_gpu(s, 299, 2);
  const Attended batch = attend_on_gpu(s, 250, 5);  // with rows of one split, and room for more
  const auto width = static_cast<std::ptrdiff_t>(alone.out.size());
  EXPECT_EQ(std::vector<float>(batch.out.end() - width, batch.out.end()), alone.out);
}

TEST(Attention, OfPackedRowsIsThatOverPagesToTheBit) {
  Sequence<float> s(kShapes[0], 300, 5);
  s.write();
  const Attended paged = attend_on_gpu(s, 0, 2);
  const PackedRows whole{{0, 300}, {-1}}, in_two{{0, 90, 300}, {-1, 0}};
  for (const PackedRows* packed : {&whole, &in_two}) {
    const Attended found = attend_on_gpu(s, 0, 2, packed);
    EXPECT_EQ(found.out, paged.out);
    EXPECT_EQ(found.lse, paged.lse);
  }
}

// What lies behind the last position of a page is no number there.
template <int kDim>
void expect_nearly_the_cpus_on_tensor_cores(std::int64_t heads, std::int64_t kv_heads) {
  const Shape shape{heads, kv_heads, kDim};
  for (const std::int64_t length : {1, 17, 255, 256, 300}) {
    SCOPED_TRACE(testing::Message() << "dim " << kDim << ", length " << length);
    Sequence<Bfloat16> small(shape, length, 5), dirty = small;
    small.write();
    std::ranges::fill(dirty.pool, Bfloat16{0x7fff});
    dirty.write();
    Sequence<float> wide(shape, length, 5);
    wide.qkv = widened(small.qkv);
    wide.pool = widened(small.pool);
    const std::int64_t row = length - 1, splits = (length + kSplit - 1) / kSplit;
    const Attended gpu = attend_with<AttentionMmaBody<kDim>>(dirty, row, splits);
    const Attended cpu = attend_on_cpu(wide, row);
    expect_near(gpu.out, cpu.out, 8e-3);  // the probabilities are rounded, then the result
    expect_near(gpu.lse, cpu.lse, 3e-6);
  }
}

TEST(AttentionOnTensorCores, IsNearTheCpusOfTheRoundedNumbers) {
  expect_nearly_the_cpus_on_tensor_cores<64>(14, 2);
  expect_nearly_the_cpus_on_tensor_cores<80>(20, 1);
  expect_nearly_the_cpus_on_tensor_cores<96>(3, 3);
  expect_nearly_the_cpus_on_tensor_cores<128>(12, 2);
}

TEST(AttentionOnTensorCores, OfARowDependsOnItsKeysAloneToTheBit) {
  Sequence<Bfloat16> s(kShapes[0], 300, 6);
  s.write();
  const Attended alone = attend_with<AttentionMmaBody<64>>(s, 299, 2);
  const Attended batch = attend_with<AttentionMmaBody<64>>(s, 290, 3);
  const auto width = static_cast<std::ptrdiff_t>(alone.out.size());
  EXPECT_EQ(std::vector<float>(batch.out.end() - width, batch.out.end()), alone.out);
}

// Rows that lie side by side are taken together, of one sequence or of two.
TEST(AttentionOnTensorCores, OfPackedRowsIsThatOverPagesToTheBit) {
  for (const Shape& shape : {Shape{2, 1, 64}, Shape{3, 3, 64}, Shape{7, 1, 64}}) {
    Sequence<Bfloat16> s(shape, 40, 7);
    s.write();
    const Attended paged = attend_with<AttentionMmaBody<64>>(s, 0, 1);
    const PackedRows packed{{0, 17, 40}, {-1, 0}};
    const Attended found = attend_with<AttentionMmaBody<64>>(s, 0, 1, &packed);
    EXPECT_EQ(found.out, paged.out);
    EXPECT_EQ(found.lse, paged.lse);
  }
}

TEST(AttentionOnTensorCores, OfPackedRowsIsThatOverPagesWhereASplitBegins) {
  Sequence<Bfloat16> s({2, 1, 64}, 264, 8);
  s.write();
  const PackedRows packed{{0, 100, 264}, {-1, 0}};
  const Attended paged = attend_with<AttentionMmaBody<64>>(s, 263, 2);
  const Attended found = attend_with<AttentionMmaBody<64>>(s, 0, 2, &packed);
  const auto width = static_cast<std::ptrdiff_t>(paged.out.size());
  EXPECT_EQ(std::vector<float>(found.out.end() - width, found.out.end()), paged.out);
}

}  // namespace
}  // namespace qed::cuda
