// The GPU's kernels against their own bodies run on the CPU (tests/cuda holds those against the
// CPU's ops). What only a GPU can show: launches, barriers, atomics, and that a second run gives
// the same bits. Skipped where there is no GPU.

#include "core/cuda/kernels/adamw.h"
#include "core/cuda/kernels/attention_mma.h"
#include "core/cuda/kernels/draw.h"
#include "core/cuda/kernels/elements.h"
#include "core/cuda/kernels/rms_norm.h"
#include "tests/gpu/gpu_test.h"

#include <numeric>

namespace qed::cuda {
namespace {

template <class T>
void check_rms_norm(const KernelTable& table) {
  const std::int64_t rows = 37, dim = 896;
  const auto n = static_cast<std::size_t>(rows * dim);
  const auto x = random_numbers<T>(rows * dim, 1), delta = random_numbers<T>(rows * dim, 2);
  const auto weight = random_floats(static_cast<std::size_t>(dim), 3);
  std::vector<T> sum(n), y(n);
  RmsNormArgs args{rows,         dim,           kDtype<T>,  1e-6f,    x.data(),
                   delta.data(), weight.data(), sum.data(), y.data(), nullptr};
  run_blocks(RmsNormBody<T>{args}, rows);
  const DeviceArray<T> dx(x), ddelta(delta), dsum(n), dy(n);
  const DeviceArray<float> dweight(weight);
  args.x = dx.get(), args.delta = ddelta.get(), args.weight = dweight.get();
  args.sum = dsum.get(), args.y = dy.get();
  check(table.rms_norm(args, nullptr));
  expect_near(dsum.read(), sum, 0);
  expect_near(dy.read(), y, kGpuTolerance<T>);
}

TEST_F(OnGpu, RmsNormIsItsBody) {
  check_rms_norm<float>(table_);
  check_rms_norm<Bfloat16>(table_);
}

template <class T>
void check_swiglu_and_embedding(const KernelTable& table) {
  const auto in = random_numbers<T>(2 * 33 * 100, 4);
  std::vector<T> out(33 * 100);
  run_elements(SwigluBody<T>{{33, 100, kDtype<T>, in.data(), out.data()}});
  const DeviceArray<T> din(in), dout(out.size());
  check(table.swiglu({33, 100, kDtype<T>, din.get(), dout.get()}, nullptr));
  expect_near(dout.read(), out, kGpuTolerance<T>);

  const std::vector<std::int32_t> id = {3, 0, 65, 3};  // rows of `in`, 66 of 100
  const DeviceArray<std::int32_t> did(id);
  run_elements(EmbeddingBody<T>{{4, 100, kDtype<T>, id.data(), in.data(), out.data()}});
  check(table.embedding({4, 100, kDtype<T>, did.get(), din.get(), dout.get()}, nullptr));
  out.resize(400);
  auto taken = dout.read();
  taken.resize(400);
  expect_near(taken, out, 0);
}

TEST_F(OnGpu, SwigluAndEmbeddingAreTheirBodies) {
  check_swiglu_and_embedding<float>(table_);
  check_swiglu_and_embedding<Bfloat16>(table_);
}

// What the library takes for heads of 64 numbers.
template <class T>
using SplitBody =
    std::conditional_t<std::is_same_v<T, float>, AttentionBody<float>, AttentionMmaBody<64>>;

// Sequences of 700 and 40 positions: all rows are written, and all attend.
template <class T>
void check_attention(const KernelTable& table) {
  const std::int64_t heads = 14, kv_heads = 2, dim = 64, rows = 740, max_pages = 44;
  std::vector<std::int32_t> sequence, position, num_keys, pages(2 * max_pages);
  std::iota(pages.begin(), pages.end(), 1);
  for (std::int32_t r = 0; r < rows; ++r) {
    sequence.push_back(r < 700 ? 0 : 1);
    position.push_back(r < 700 ? r : r - 700);
    num_keys.push_back(position.back() + 1);
  }
  const auto cos = random_floats(700 * 32, 5), sin = random_floats(700 * 32, 6);
  const PageLayout layout{kv_heads, dim};
  auto qkv = random_numbers<T>(rows * 18 * dim, 7);
  std::vector<T> pool(static_cast<std::size_t>((2 * max_pages + 1) * layout.page()));
  std::vector<T> out(static_cast<std::size_t>(rows * heads * dim));
  const auto numbers = static_cast<std::size_t>(rows * heads * 3);
  std::vector<float> part(numbers * dim), part_max(numbers), part_sum(numbers);
  const DeviceArray<T> dqkv(qkv), dpool(pool), dout(out.size());
  const DeviceArray<std::int32_t> dsequence(sequence), dposition(position), dkeys(num_keys),
      dpages(pages);
  const DeviceArray<float> dcos(cos), dsin(sin), dpart(part.size()), dmax(numbers), dsum(numbers);

  RopeArgs rope{rows,        heads,           kv_heads,        dim,        kDtype<T>,
                1.0f,        qkv.data(),      position.data(), cos.data(), sin.data(),
                pool.data(), sequence.data(), pages.data(),    max_pages};
  run_elements(RopeBody<T>{rope});
  rope.qkv = dqkv.get(), rope.pool = dpool.get(), rope.position = dposition.get();
  rope.cos = dcos.get(), rope.sin = dsin.get();
  rope.sequence = dsequence.get(), rope.pages = dpages.get();
  check(table.rope(rope, nullptr));
  expect_near(dqkv.read(), qkv, kGpuTolerance<T>);
  expect_near(dpool.read(), pool, kGpuTolerance<T>);

  AttentionArgs args{rows,
                     heads,
                     kv_heads,
                     dim,
                     kDtype<T>,
                     0.125f,
                     qkv.data(),
                     pool.data(),
                     sequence.data(),
                     num_keys.data(),
                     pages.data(),
                     max_pages,
                     nullptr,
                     nullptr,
                     3,
                     part.data(),
                     part_max.data(),
                     part_sum.data(),
                     out.data(),
                     nullptr};
  run_blocks(SplitBody<T>{args}, num_blocks(args));
  run_elements(MergeBody<T>{args});
  args.qkv = dqkv.get(), args.pool = dpool.get(), args.sequence = dsequence.get();
  args.num_keys = dkeys.get(), args.pages = dpages.get(), args.part = dpart.get();
  args.part_max = dmax.get(), args.part_sum = dsum.get(), args.out = dout.get();
  check(table.attention(args, nullptr));
  const auto first = dout.read();
  expect_near(first, out, 4 * kGpuTolerance<T>);
  check(table.attention(args, nullptr));
  expect_near(dout.read(), first, 0);
}

TEST_F(OnGpu, RopeAndAttentionAreTheirBodiesAndRepeatToTheBit) {
  check_attention<float>(table_);
  check_attention<Bfloat16>(table_);
}

TEST_F(OnGpu, AdamwIsItsBody) {
  const std::int64_t n = 100'003;
  auto w = random_floats(n, 8), grad = random_floats(n, 9), m = random_floats(n, 10, 0.1f);
  std::vector<float> v(n, 0.5f);
  std::vector<std::uint16_t> small(n);
  std::vector<double> parts(static_cast<std::size_t>(num_pieces(n)));
  double squares = 0;
  const DeviceArray<float> dw(w), dgrad(grad), dm(m), dv(v);
  const DeviceArray<std::uint16_t> dsmall(small.size());
  const DeviceArray<double> dparts(parts.size()), dsquares(1);
  const SumSquaresArgs sum{n, grad.data(), parts.data(), &squares};
  run_blocks(SquaresBody{sum}, std::ssize(parts));
  run_blocks(PartsBody{sum}, 1);
  check(table_.sum_squares({n, dgrad.get(), dparts.get(), dsquares.get()}, nullptr));
  EXPECT_NEAR(dsquares.read()[0], squares, 1e-12 * squares);

  AdamwArgs args{n,     w.data(), grad.data(), m.data(), v.data(), small.data(), &squares, 1.0,
                 0.01f, 0.9f,     0.99f,       1e-8f,    0.1f,     0.271f,       0.0297f};
  run_elements(AdamwBody{args});
  args.w = dw.get(), args.grad = dgrad.get(), args.m = dm.get(), args.v = dv.get();
  args.bfloat16 = dsmall.get(), args.sum_squares = dsquares.get();
  check(table_.adamw(args, nullptr));
  expect_near(dw.read(), w, 4e-6);
  expect_near(dm.read(), m, 4e-6);
  expect_near(dv.read(), v, 4e-6);
  EXPECT_EQ(dgrad.read(), std::vector<float>(n));
  const auto rounded_copy = dsmall.read();
  const auto weights = dw.read();
  for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(rounded_copy[i], to_bfloat16(weights[i]));
}

// Rows with penalties (atomics) and two truncations, on a vocabulary of Qwen2.5.
TEST_F(OnGpu, DrawIsItsBodyAndRepeatsToTheBit) {
  const std::int64_t rows = 3, vocab = 151'936;
  const auto n = static_cast<std::size_t>(rows * vocab);
  const auto logits = random_floats(n, 11, 4);
  std::vector<std::int32_t> history(1000);
  for (std::size_t i = 0; i < history.size(); ++i) {
    history[i] = static_cast<std::int32_t>(i % 50 * 3000);
  }
  const std::vector<DrawOp> ops = {{QED_OP_REPETITION, 1.2f, 1.25f, 0, nullptr, nullptr},
                                   {QED_OP_TOP_K, 40, 1, 0, nullptr, nullptr},
                                   {QED_OP_TOP_P, 0.9f, 1, 0, nullptr, nullptr}};
  const DeviceArray<float> dlogits(logits), dscratch(n), dbehavior(3), dlogp(3);
  DeviceArray<std::int32_t> dcounts(n);
  const DeviceArray<std::int32_t> dhistory(history), dtoken(3), dsupport(3 * 64), dsize(3);
  const DeviceArray<std::uint32_t> dstatus(3);
  const DeviceArray<DrawOp> dops(ops);
  dcounts.clear();
  std::vector<DrawRow> host, device;
  for (std::uint64_t r = 0; r < 3; ++r) {
    DrawRow row{};
    row.key = 100 + r, row.position = r, row.inv_temperature = 1;
    row.num_ops = static_cast<std::int32_t>(r), row.num_completion = 1000;
    row.ops = ops.data(), row.completion = history.data();
    host.push_back(row);
    row.ops = dops.get(), row.completion = dhistory.get();
    device.push_back(row);
  }
  const DeviceArray<DrawRow> drow(device);
  std::vector<float> scratch(n), behavior(3), logp(3);
  std::vector<std::int32_t> counts(n), token(3), support(3 * 64), size(3);
  std::vector<std::uint32_t> status(3);
  run_blocks(DrawBody{{rows, vocab, 64, 0, logits.data(), host.data(), scratch.data(),
                       counts.data(), status.data(), token.data(), behavior.data(), logp.data(),
                       support.data(), size.data()}},
             rows);
  const DrawArgs args{rows,
                      vocab,
                      64,
                      0,
                      dlogits.get(),
                      drow.get(),
                      dscratch.get(),
                      dcounts.get(),
                      dstatus.get(),
                      dtoken.get(),
                      dbehavior.get(),
                      dlogp.get(),
                      dsupport.get(),
                      dsize.get()};
  for (int repeat = 0; repeat < 2; ++repeat) {
    check(table_.draw(args, nullptr));
    EXPECT_EQ(dstatus.read(), status);
    EXPECT_EQ(dtoken.read(), token);
    EXPECT_EQ(dsize.read(), size);
    expect_near(dbehavior.read(), behavior, 4e-6);
    expect_near(dlogp.read(), logp, 4e-6);
    EXPECT_EQ(dcounts.read(), std::vector<std::int32_t>(n));
  }
}

}  // namespace
}  // namespace qed::cuda
