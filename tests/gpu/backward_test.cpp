// What a training step adds to a forward pass, on a GPU: each kernel is its body.

#include "core/cuda/kernels/elements.h"
#include "core/cuda/kernels/head_norm_backward.h"
#include "core/cuda/kernels/rms_norm.h"
#include "core/cuda/kernels/scatter_rows.h"
#include "core/cuda/kernels/token_logp.h"
#include "tests/gpu/gpu_test.h"

#include <numeric>

namespace qed::cuda {
namespace {

std::vector<float> positive(std::int64_t n, unsigned seed) {
  auto out = random_numbers<float>(n, seed);
  for (float& x : out) x = 0.5f + std::abs(x);
  return out;
}

template <class T>
void check_rms_norm_backward(const KernelTable& table) {
  const std::int64_t rows = 300, dim = 896;
  const Managed<T> dy(random_numbers<T>(rows * dim, 1)), x(random_numbers<T>(rows * dim, 2)),
      before(random_numbers<T>(rows * dim, 3));
  const Managed<float> weight(random_numbers<float>(dim, 4)), rstd(positive(rows, 5)),
      parts(random_numbers<float>(num_row_pieces(rows) * dim, 6));
  Managed<T> dx(random_numbers<T>(rows * dim, 7));
  Managed<float> dweight(random_numbers<float>(dim, 8));
  const RmsNormBackwardArgs args{rows,         dim,      kDtype<T>,    0,
                                 dy.get(),     x.get(),  weight.get(), rstd.get(),
                                 before.get(), dx.get(), parts.get(),  dweight.get()};
  const auto on_cpu = [&] {
    const RmsNormPieceBody<T> piece{args};
    run_blocks(piece, piece.num_blocks());
    run_elements(PiecesBody{num_row_pieces(rows), dim, args.parts, args.dweight, nullptr});
    run_blocks(RmsNormBackwardBody<T>{args}, rows);
  };
  const auto on_gpu = [&] { check(table.rms_norm_backward(args, nullptr)); };
  expect_same("dx", dx, kGpuTolerance<T>, on_cpu, on_gpu);
  expect_same("dweight", dweight, kGpuTolerance<float>, on_cpu, on_gpu);
}

TEST_F(OnGpu, RmsNormBackwardIsItsBody) {
  check_rms_norm_backward<float>(table_);
  check_rms_norm_backward<Bfloat16>(table_);
}

template <class T>
void check_head_norm(const KernelTable& table) {
  const std::int64_t rows = 300, heads = 14, kv_heads = 2, dim = 64, width = 18 * dim;
  const Managed<T> x(random_numbers<T>(rows * width, 1)), dy(random_numbers<T>(rows * width, 2));
  const Managed<float> q(random_numbers<float>(dim, 3)), k(random_numbers<float>(dim, 4)),
      parts(random_numbers<float>(num_row_pieces(rows) * 2 * dim, 5));
  Managed<T> y(x.read()), dx(dy.read());
  Managed<float> rstd(positive(rows * 16, 6)), dq(q.read()), dk(k.read());
  const HeadNormArgs args{rows,  heads,   kv_heads, dim,     width,   kDtype<T>,
                          1e-6f, x.get(), q.get(),  k.get(), y.get(), rstd.get()};
  const HeadNormBackwardArgs backward{rows,     heads,       kv_heads, dim,     width,   kDtype<T>,
                                      0,        dy.get(),    x.get(),  q.get(), k.get(), rstd.get(),
                                      dx.get(), parts.get(), dq.get(), dk.get()};
  const auto on_cpu = [&] {
    const HeadNormBody<T> body{args};
    run_blocks(body, body.num_blocks());
  };
  const auto on_gpu = [&] { check(table.head_norm(args, nullptr)); };
  expect_same("y", y, kGpuTolerance<T>, on_cpu, on_gpu);
  expect_same("rstd", rstd, kGpuTolerance<float>, on_cpu, on_gpu);
  const auto back_on_cpu = [&] {
    const HeadNormPieceBody<T> piece{backward};
    const HeadNormBackwardBody<T> body{backward};
    run_blocks(piece, piece.num_blocks());
    run_elements(PiecesBody{num_row_pieces(rows), dim, parts.get(), dq.get(), dk.get()});
    run_blocks(body, body.num_blocks());
  };
  const auto back_on_gpu = [&] { check(table.head_norm_backward(backward, nullptr)); };
  expect_same("dx", dx, kGpuTolerance<T>, back_on_cpu, back_on_gpu);
  expect_same("dq_weight", dq, 2 * kGpuTolerance<float>, back_on_cpu, back_on_gpu);
  expect_same("dk_weight", dk, 2 * kGpuTolerance<float>, back_on_cpu, back_on_gpu);
}

TEST_F(OnGpu, HeadNormAndItsBackwardAreTheirBodies) {
  check_head_norm<float>(table_);
  check_head_norm<Bfloat16>(table_);
}

template <class T>
void check_swiglu_backward(const KernelTable& table) {
  const Managed<T> dout(random_numbers<T>(33 * 100, 1));
  Managed<T> in(random_numbers<T>(33 * 200, 2, 4));  // the gradient takes its place
  const SwigluBackwardArgs args{33, 100, kDtype<T>, 0, dout.get(), in.get(), in.get()};
  expect_same(
      "din", in, kGpuTolerance<T>, [&] { run_elements(SwigluBackwardBody<T>{args}); },
      [&] { check(table.swiglu_backward(args, nullptr)); });
}

TEST_F(OnGpu, SwigluBackwardIsItsBody) {
  check_swiglu_backward<float>(table_);
  check_swiglu_backward<Bfloat16>(table_);
}

TEST_F(OnGpu, RopeUndoneIsItsBody) {
  const std::int64_t rows = 50, heads = 14, kv_heads = 2, dim = 64;
  std::vector<std::int32_t> position(static_cast<std::size_t>(rows));
  std::iota(position.begin(), position.end(), 3);
  const Managed<std::int32_t> mposition(position);
  const Managed<float> cos(random_numbers<float>(60 * dim / 2, 1)),
      sin(random_numbers<float>(60 * dim / 2, 2));
  Managed<Bfloat16> qkv(random_numbers<Bfloat16>(rows * 18 * dim, 3));
  RopeArgs args{};
  args.rows = rows, args.heads = heads, args.kv_heads = kv_heads, args.dim = dim;
  args.dtype = kBfloat16, args.direction = -1, args.qkv = qkv.get();
  args.position = mposition.get(), args.cos = cos.get(), args.sin = sin.get();
  expect_same(
      "qkv", qkv, kGpuTolerance<Bfloat16>, [&] { run_elements(RopeBody<Bfloat16>{args}); },
      [&] { check(table_.rope(args, nullptr)); });
}

TEST_F(OnGpu, ScatterRowsIsItsBody) {
  const std::int64_t targets = 40, dim = 100;
  std::vector<std::int32_t> target, first = {0}, source;
  for (std::int32_t i = 0; i < targets; ++i) {
    target.push_back(i * 7 % 40);
    for (std::int32_t j = 0; j < i; ++j) source.push_back((i * 31 + j * 17) % 120);
    first.push_back(static_cast<std::int32_t>(source.size()));
  }
  const Managed<Bfloat16> from(random_numbers<Bfloat16>(120 * dim, 1));
  const Managed<std::int32_t> mtarget(target), mfirst(first), msource(source);
  Managed<float> to(random_numbers<float>(targets * dim, 2));
  const ScatterRowsArgs args{targets,    dim,           kBfloat16,    kFloat32,      1,       0,
                             from.get(), mtarget.get(), mfirst.get(), msource.get(), to.get()};
  expect_same(
      "to", to, 0, [&] { run_elements(ScatterRowsBody<Bfloat16, float>{args}); },
      [&] { check(table_.scatter_rows(args, nullptr)); });
}

TEST_F(OnGpu, ConvertIsItsBody) {
  const std::int64_t n = 1001;
  const Managed<float> wide(random_numbers<float>(n, 1));
  Managed<Bfloat16> narrow(random_numbers<Bfloat16>(n, 2));
  Managed<float> back(random_numbers<float>(n, 3));
  const ConvertArgs there{n, kFloat32, kBfloat16, wide.get(), narrow.get()};
  const ConvertArgs again{n, kBfloat16, kFloat32, narrow.get(), back.get()};
  expect_same(
      "narrow", narrow, 0, [&] { run_elements(ConvertBody<float, Bfloat16>{there}); },
      [&] { check(table_.convert(there, nullptr)); });
  expect_same(
      "wide", back, 0, [&] { run_elements(ConvertBody<Bfloat16, float>{again}); },
      [&] { check(table_.convert(again, nullptr)); });
}

// Of Qwen2.5's vocabulary; row 1 is truncated.
template <class T>
void check_token_logp(const KernelTable& table) {
  const std::int64_t rows = 3, vocab = 151'936;
  const Managed<float> logits(random_numbers<float>(rows * vocab, 1, 4)),
      inv_temperature(std::vector<float>{1, 0.8f, 1.25f}), dlogp(random_numbers<float>(rows, 2)),
      dentropy(random_numbers<float>(rows, 3));
  const Managed<std::int32_t> target(std::vector<std::int32_t>{5, 7000, 151'935}),
      first(std::vector<std::int32_t>{0, 0, 3, 3}),
      support(std::vector<std::int32_t>{12, 7000, 90'000});
  Managed<float> logp(random_numbers<float>(rows, 4)), entropy(random_numbers<float>(rows, 5));
  Managed<T> dlogits(random_numbers<T>(rows * vocab, 6));
  const TokenLogpArgs args{
      rows,        vocab,         logits.get(), target.get(), inv_temperature.get(),
      first.get(), support.get(), logp.get(),   entropy.get()};
  const TokenLogpBackwardArgs backward{args,      dlogp.get(), dentropy.get(),
                                       kDtype<T>, 0,           dlogits.get()};
  const auto on_cpu = [&] { run_blocks(TokenLogpBody{args}, rows); };
  const auto on_gpu = [&] { check(table.token_logp(args, nullptr)); };
  expect_same("logp", logp, kGpuTolerance<float>, on_cpu, on_gpu);
  expect_same("entropy", entropy, 1e-5, on_cpu, on_gpu);
  expect_same(
      "dlogits", dlogits, 1e-5 + kGpuTolerance<T>,
      [&] { run_blocks(TokenLogpBackwardBody<T>{backward}, rows); },
      [&] { check(table.token_logp_backward(backward, nullptr)); });
}

TEST_F(OnGpu, TokenLogpAndItsBackwardAreTheirBodies) {
  check_token_logp<float>(table_);
  check_token_logp<Bfloat16>(table_);
}

}  // namespace
}  // namespace qed::cuda
