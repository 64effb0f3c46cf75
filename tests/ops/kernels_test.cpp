// The kernels of each instruction set: AVX2 and AVX-512 give equal bits, the generic ones are
// close.

#include "core/ops/cpu_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "core/ops/gemm.h"
#include "core/util/half.h"
#include "qed/philox.h"

namespace qed::ops {

namespace {

using Floats = std::vector<float>;

// The table of an instruction set; null where this CPU lacks it.
const CpuKernels* table(const std::string& isa) {
  for (const CpuKernels* t : all_kernels()) {
    if (isa == t->isa) return t;
  }
  return nullptr;
}
bool is_generic(const CpuKernels* t) { return t == table("generic"); }

Floats random_floats(std::size_t n, std::uint64_t seed, double scale = 1) {
  Floats out(n);
  Rng rng(seed);
  for (float& x : out) x = static_cast<float>(scale * (2 * rng.real() - 1));
  return out;
}

struct Work {
  std::string name;
  std::function<Floats(const CpuKernels&)> run;
};

std::vector<std::uint16_t> upper_halves(const Floats& x) {
  std::vector<std::uint16_t> out;
  for (const float v : x) out.push_back(std::bit_cast<std::uint32_t>(v) >> 16);
  return out;
}

// C [rows, cols], with the panel operand and bias padded to whole panels.
Floats run_gemm(const CpuKernels& kernels, std::int64_t rows, std::int64_t cols, std::int64_t depth,
                bool has_bias, bool is_bfloat16) {
  const Floats a = random_floats(rows * depth, 1),
               bias = random_floats(num_panels(cols) * kLanes, 2);
  const Floats b = random_floats(num_panels(cols) * kLanes * depth, 3);
  const auto halves = upper_halves(b);
  Floats c(rows * cols);
  gemm({.rows = rows,
        .cols = cols,
        .depth = depth,
        .a = a.data(),
        .a_row = depth,
        .a_col = 1,
        .b = is_bfloat16 ? nullptr : b.data(),
        .b_bfloat16 = is_bfloat16 ? halves.data() : nullptr,
        .b_panel = depth * kLanes,
        .b_depth = kLanes,
        .c = c.data(),
        .c_row = cols,
        .c_panel = kLanes,
        .bias = has_bias ? bias.data() : nullptr},
       kernels);
  return c;
}

// Keys and values of one kv head, in pages whose order is turned round; NaN past the last one.
struct Pages {
  std::vector<std::int32_t> ids;
  Floats data;
  std::int64_t stride;

  Pages(const float* k, const float* v, std::int64_t dim, std::int64_t length, std::int64_t width) {
    const std::int64_t pages = num_panels(length), padded = num_panels(dim) * kLanes;
    stride = kLanes * (dim + padded);
    data.assign(pages * stride, std::nanf(""));
    for (std::int64_t p = 0; p < pages; ++p)
      ids.push_back(static_cast<std::int32_t>(pages - 1 - p));
    for (std::int64_t t = 0; t < length; ++t) {
      float* page = data.data() + ids[t / kLanes] * stride;
      for (std::int64_t d = 0; d < dim; ++d) {
        page[d * kLanes + t % kLanes] = k[t * width + d];
        page[dim * kLanes + t % kLanes * padded + d] = v[t * width + d];
      }
    }
  }
};

// Forward of all rows, `step` positions to a tile, and the backward.
Floats run_attention(const CpuKernels& kernels, std::int64_t dim, std::int64_t length,
                     std::int64_t step) {
  const std::int64_t heads = 4, kv_heads = 2, width = (heads + 2 * kv_heads) * dim;
  const float scale = 1 / std::sqrt(static_cast<float>(dim));
  const Floats qkv = random_floats(length * width, 4, 3),
               dout = random_floats(length * heads * dim, 5);
  Floats out(length * heads * dim), lse(length * heads), dqkv(length * width);
  const float *k = qkv.data() + heads * dim, *v = k + kv_heads * dim;
  for (std::int64_t h = 0; h < kv_heads; ++h) {
    const Pages pages(k + h * dim, v + h * dim, dim, length, width);
    for (std::int64_t first = 0; first < length; first += step) {
      std::vector<const float*> q;
      std::vector<float*> to, row_lse;
      std::vector<std::int64_t> num_keys;
      for (std::int64_t t = first; t < std::min(length, first + step); ++t) {
        for (std::int64_t head = 2 * h; head < 2 * h + 2; ++head) {
          q.push_back(qkv.data() + t * width + head * dim);
          to.push_back(out.data() + (t * heads + head) * dim);
          row_lse.push_back(lse.data() + t * heads + head);
          num_keys.push_back(t + 1);
        }
      }
      Floats scratch(q.size() * num_panels(length) * kLanes);
      kernels.attention({.rows = static_cast<std::int64_t>(q.size()),
                         .q = q.data(),
                         .out = to.data(),
                         .lse = row_lse.data(),
                         .num_keys = num_keys.data(),
                         .kv = pages.data.data(),
                         .pages = pages.ids.data(),
                         .page_stride = pages.stride,
                         .head_dim = dim,
                         .scale = scale,
                         .scratch = scratch.data()});
    }
  }
  // The backward of the last rows, where the first three are no part of it.
  const std::int64_t skipped = length > 3 ? 3 : 0, padded = num_panels(dim) * kLanes;
  const std::int64_t size = num_panels(length) * kLanes * padded;
  for (std::int64_t h = 0; h < kv_heads; ++h) {
    Floats keys(size), values(size), dkeys(size), dvalues(size);
    for (std::int64_t t = 0; t < length; ++t) {
      std::copy_n(k + t * width + h * dim, dim, keys.data() + t * padded);
      std::copy_n(v + t * width + h * dim, dim, values.data() + t * padded);
    }
    Floats scratch(attention_backward_floats(length, 2, dim));
    const std::int64_t at = skipped * heads * dim + 2 * h * dim;
    kernels.attention_backward({.rows = length - skipped,
                                .num_keys = length,
                                .group = 2,
                                .head_dim = dim,
                                .scale = scale,
                                .q = qkv.data() + skipped * width + 2 * h * dim,
                                .out = out.data() + at,
                                .dout = dout.data() + at,
                                .lse = lse.data() + skipped * heads + 2 * h,
                                .dq = dqkv.data() + skipped * width + 2 * h * dim,
                                .q_stride = width,
                                .out_stride = heads * dim,
                                .lse_stride = heads,
                                .keys = keys.data(),
                                .values = values.data(),
                                .dkeys = dkeys.data(),
                                .dvalues = dvalues.data(),
                                .scratch = scratch.data()});
    dqkv.insert(dqkv.end(), dkeys.begin(), dkeys.end());
    dqkv.insert(dqkv.end(), dvalues.begin(), dvalues.end());
  }
  out.insert(out.end(), lse.begin(), lse.end());
  out.insert(out.end(), dqkv.begin(), dqkv.end());
  return out;
}

Floats run_row_ops(const CpuKernels& kernels, std::int64_t dim) {
  const std::int64_t rows = 5;
  const Floats x = random_floats(rows * 2 * dim, 6, 4), d = random_floats(rows * 2 * dim, 7);
  Floats y(rows * dim), dx(rows * dim), rstd(rows), gated(rows * dim), dgated(rows * 2 * dim);
  Floats dweight(dim);
  kernels.rms_norm(x.data(), d.data(), y.data(), rstd.data(), rows, dim, 1e-6f);
  kernels.rms_norm_backward(d.data(), x.data(), y.data(), rstd.data(), x.data(), dx.data(),
                            dweight.data(), rows, dim);
  kernels.swiglu(x.data(), gated.data(), rows, dim);
  kernels.swiglu_backward(d.data(), x.data(), dgated.data(), rows, dim);
  Floats out;
  for (const Floats* part : {&y, &dx, &dweight, &rstd, &gated, &dgated}) {
    out.insert(out.end(), part->begin(), part->end());
  }
  return out;
}

Floats run_rope(const CpuKernels& kernels, std::int64_t dim) {
  Floats x = random_floats(6 * 3 * dim, 8);
  const Floats cos = random_floats(9 * dim / 2, 9), sin = random_floats(9 * dim / 2, 10);
  const std::int64_t position[] = {0, 8, 3, 3, 1, 5};
  kernels.rope(x.data(), 3 * dim, position, cos.data(), sin.data(), 6, 2, dim, 1);
  return x;
}

Floats run_distribution(const CpuKernels& kernels, std::int64_t n) {
  const Floats logits = random_floats(n, 11, 20);
  const RowSoftmax s = kernels.row_softmax(logits.data(), n, 0.7f);
  Floats out(n);
  kernels.row_probs(logits.data(), n, 0.7f, s, out.data());
  out.insert(out.end(), {s.max, s.sum, kernels.row_entropy(logits.data(), n, 0.7f, s)});
  return out;
}

Floats run_adamw(const CpuKernels& kernels, std::int64_t n) {
  Floats w = random_floats(n, 12), m(n), v(n);
  for (int step = 1; step <= 3; ++step) {
    const Floats grad = random_floats(n, 12 + step, 0.1);
    kernels.adamw(w.data(), grad.data(), m.data(), v.data(), n, 1e-2f, 0.9f, 0.95f, 1e-8f, 0.01f,
                  1 - std::pow(0.9f, step), 1 - std::pow(0.95f, step), 0.5f);
  }
  std::vector<std::uint16_t> halves(w.size());
  kernels.round_bfloat16(w.data(), halves.data(), n);
  for (const std::uint16_t half : halves) w.push_back(from_bfloat16(half));
  w.insert(w.end(), m.begin(), m.end());
  w.insert(w.end(), v.begin(), v.end());
  return w;
}

std::vector<Work> all_work() {
  std::vector<Work> out;
  for (const std::int64_t rows : {1, 3, 8, 29, 401}) {
    for (const std::int64_t cols : {1, 16, 21, 64, 100}) {
      for (const bool is_bfloat16 : {false, true}) {
        out.push_back({"gemm of " + std::to_string(rows) + " x " + std::to_string(cols),
                       [=](const CpuKernels& k) {
                         return run_gemm(k, rows, cols, 37, cols > 16, is_bfloat16);
                       }});
      }
    }
  }
  for (const std::int64_t dim : {8, 16, 24, 64}) {
    for (const std::int64_t length : {1, 16, 35}) {
      out.push_back(
          {"attention of dim " + std::to_string(dim) + ", length " + std::to_string(length),
           [=](const CpuKernels& k) { return run_attention(k, dim, length, 5); }});
    }
    out.push_back({"rope of dim " + std::to_string(dim),
                   [=](const CpuKernels& k) { return run_rope(k, dim); }});
  }
  for (const std::int64_t n : {1, 15, 16, 21, 64, 151}) {
    out.push_back({"row ops of " + std::to_string(n),
                   [=](const CpuKernels& k) { return run_row_ops(k, n); }});
    out.push_back({"distribution over " + std::to_string(n),
                   [=](const CpuKernels& k) { return run_distribution(k, n); }});
    out.push_back(
        {"adamw on " + std::to_string(n), [=](const CpuKernels& k) { return run_adamw(k, n); }});
  }
  return out;
}

TEST(Kernels, Avx2AndAvx512GiveEqualBits) {
  if (table("avx512") == nullptr)
    GTEST_SKIP() << "this CPU has no AVX-512 (f, vl, dq), or no AVX2 and FMA";
  for (const Work& work : all_work()) {
    const Floats a = work.run(*table("avx2")), b = work.run(*table("avx512"));
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(std::memcmp(&a[i], &b[i], sizeof(float)), 0)
          << work.name << ": element " << i << " is " << a[i] << " and " << b[i];
    }
  }
}

TEST(Kernels, GenericKernelsAreClose) {
  if (table("avx2") == nullptr) GTEST_SKIP() << "this CPU has no AVX2 and FMA to compare with";
  constexpr float kTolerance = 1e-5f;  // of the largest number of a result
  for (const Work& work : all_work()) {
    const Floats a = work.run(*table("generic")), b = work.run(*table("avx2"));
    float largest = 0;
    for (const float x : b) largest = std::max(largest, std::abs(x));
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_NEAR(a[i], b[i], kTolerance * largest) << work.name << ": element " << i;
    }
  }
}

TEST(Kernels, GemmIsOneChainOfFusedMultiplyAddsInAscendingOrder) {
  if (table("avx2") == nullptr) GTEST_SKIP() << "this CPU has no FMA";
  const std::int64_t cols = 37, depth = 29;
  const Floats bias = random_floats(48, 2), whole = random_floats(48 * depth, 3);
  Floats cut;  // what is left of B as bfloat16
  for (const std::uint16_t half : upper_halves(whole)) {
    cut.push_back(std::bit_cast<float>(std::uint32_t{half} << 16));
  }
  for (const std::int64_t rows : {1, 2, 3, 5, 13, 31, 400}) {
    const Floats a = random_floats(rows * depth, 1);
    for (const CpuKernels* kernels : all_kernels()) {
      if (is_generic(kernels)) continue;  // multiplies and adds apart
      for (const Floats* b : {&whole, static_cast<const Floats*>(&cut)}) {
        const Floats c = run_gemm(*kernels, rows, cols, depth, true, b == &cut);
        for (std::int64_t i = 0; i < rows; ++i) {
          for (std::int64_t j = 0; j < cols; ++j) {
            float sum = bias[j];
            for (std::int64_t k = 0; k < depth; ++k) {
              sum = std::fma(a[i * depth + k], (*b)[(j / 16 * depth + k) * 16 + j % 16], sum);
            }
            ASSERT_EQ(c[i * cols + j], sum) << kernels->isa << " " << i << ", " << j;
          }
        }
      }
    }
  }
}

TEST(Kernels, AccumulatingGemmContinuesTheSameChain) {
  const std::int64_t rows = 13, cols = 37, depth = 29, cut = 11;
  const Floats a = random_floats(rows * depth, 21), b = random_floats(48 * depth, 22);
  const Floats bias = random_floats(48, 23);
  for (const CpuKernels* kernels : all_kernels()) {
    Floats whole(rows * cols), parts(rows * cols, NAN);
    Gemm g{.rows = rows,
           .cols = cols,
           .depth = depth,
           .a = a.data(),
           .a_row = depth,
           .a_col = 1,
           .b = b.data(),
           .b_panel = depth * kLanes,
           .b_depth = kLanes,
           .c = whole.data(),
           .c_row = cols,
           .c_panel = kLanes,
           .bias = bias.data()};
    gemm(g, *kernels);
    g.c = parts.data();
    g.depth = cut;
    gemm(g, *kernels);
    g.depth = depth - cut;
    g.a += cut;
    g.b += cut * kLanes;
    g.bias = nullptr;
    g.accumulate = true;
    gemm(g, *kernels);
    EXPECT_EQ(std::memcmp(whole.data(), parts.data(), whole.size() * sizeof(float)), 0)
        << kernels->isa;
  }
}

TEST(Kernels, NoKernelWritesPastItsRows) {
  for (const CpuKernels* kernels : all_kernels()) {
    const std::int64_t rows = 3, cols = 21, depth = 5;
    const Floats a = random_floats(rows * depth, 1), b = random_floats(32 * depth, 2);
    Floats c(rows * 32, 77.0f);  // rows of 32 floats, of which 21 are ours
    gemm({.rows = rows,
          .cols = cols,
          .depth = depth,
          .a = a.data(),
          .a_row = depth,
          .a_col = 1,
          .b = b.data(),
          .b_panel = depth * kLanes,
          .b_depth = kLanes,
          .c = c.data(),
          .c_row = 32,
          .c_panel = kLanes},
         *kernels);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = cols; j < 32; ++j) EXPECT_EQ(c[i * 32 + j], 77.0f) << kernels->isa;
    }
    Floats probs(25, 77.0f);
    kernels->row_probs(a.data(), 15, 1, kernels->row_softmax(a.data(), 15, 1), probs.data());
    for (std::size_t i = 15; i < probs.size(); ++i) EXPECT_EQ(probs[i], 77.0f) << kernels->isa;
  }
}

TEST(Kernels, ExpIsRightToTwoUnitsInTheLastPlace) {
  Floats x, y;
  for (double v = -86.9; v <= 0; v += 0.0137) x.push_back(static_cast<float>(v));
  y.resize(x.size());
  for (const CpuKernels* kernels : all_kernels()) {
    if (is_generic(kernels)) continue;  // without FMA the argument loses more
    kernels->row_probs(x.data(), static_cast<std::int64_t>(x.size()), 1, {0, 1}, y.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = std::exp(static_cast<double>(x[i]));
      const float near = static_cast<float>(exact);
      const double unit = std::nextafter(near, INFINITY) - near;
      ASSERT_LE(std::abs(y[i] - exact), 2 * unit) << kernels->isa << " exp(" << x[i] << ")";
    }
  }
}

TEST(Kernels, SoftmaxStatisticsHoldAtTheEdges) {
  for (const CpuKernels* kernels : all_kernels()) {
    for (const std::int64_t n : {1, 2, 15, 16, 17, 33}) {
      const auto size = static_cast<float>(n);
      const Floats equal(n, -3.5f);
      const RowSoftmax flat = kernels->row_softmax(equal.data(), n, 2);
      EXPECT_EQ(flat.max, -7) << kernels->isa;
      EXPECT_EQ(flat.sum, size) << kernels->isa;
      EXPECT_NEAR(kernels->row_entropy(equal.data(), n, 2, flat), std::log(size), 1e-6) << n;

      Floats sharp(n, -1e4f);  // one token has everything
      sharp.back() = 1e4f;
      const RowSoftmax one = kernels->row_softmax(sharp.data(), n, 1);
      EXPECT_EQ(one.max, 1e4f);
      EXPECT_NEAR(one.sum, 1, 1e-6);
      EXPECT_NEAR(kernels->row_entropy(sharp.data(), n, 1, one), 0, 1e-6) << n;
    }
  }
}

}  // namespace
}  // namespace qed::ops
