// Rope, the write to pages, and attention over them: the GPU's bodies, run on the CPU, against the
// CPU's kernels, which read the pages that the bodies wrote.

#include "core/cuda/kernels/attention.h"
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

struct Attended {
  std::vector<float> out, lse;
};

// Attention of some rows, `first` and those after it.
template <class T>
Attended attend_on_gpu(const Sequence<T>& s, std::int64_t first, std::int64_t max_splits) {
  const std::int64_t rows = s.length - first;
  std::vector<std::int32_t> sequence(static_cast<std::size_t>(rows), 0), num_keys;
  for (std::int64_t r = first; r < s.length; ++r) {
    num_keys.push_back(static_cast<std::int32_t>(r + 1));
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
                           .pool = s.pool.data(),
                           .sequence = sequence.data(),
                           .num_keys = num_keys.data(),
                           .pages = s.pages.data(),
                           .max_pages = std::ssize(s.pages),
                           .max_splits = max_splits,
                           .part = part.data(),
                           .part_max = max.data(),
                           .part_sum = sum.data(),
                           .out = out.data(),
                           .lse = result.lse.data()};
  run_blocks(AttentionBody<T>{args}, num_blocks(args));
  run_elements(MergeBody<T>{args});
  for (const T& x : out) result.out.push_back(to_float(x));
  return result;
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

}  // namespace
}  // namespace qed::cuda
