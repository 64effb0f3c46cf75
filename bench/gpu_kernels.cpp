// How near the GPU's kernels come to what its memory gives, and products to what its matrix units
// give: one JSON line per kernel, for scripts/gpu_check. Shapes of Qwen2.5-0.5B in bfloat16.

#include "bench/gpu_bench.h"
#include "core/cuda/kernels/page_layout.h"

#include "qed/abi.h"

namespace qed::cuda {
namespace {

void bench_copy() {
  const std::size_t n = 1ull << 30;
  const DeviceArray<char> from(n), to(n);
  report("copy 1 GiB", 2.0 * static_cast<double>(n),
         [&] { check(cudaMemcpyAsync(to.get(), from.get(), n, cudaMemcpyDeviceToDevice)); });
}

void bench_rows(const KernelTable& table) {
  const std::int64_t rows = 16'384, dim = 896, mlp = 4'864;
  const auto n = static_cast<std::size_t>(rows * dim), m = static_cast<std::size_t>(rows * mlp);
  DeviceArray<std::uint16_t> x(n), delta(n), sum(n), y(n), gate_up(2 * m), out(m);
  DeviceArray<float> weight(static_cast<std::size_t>(dim));
  x.clear(), delta.clear(), gate_up.clear(), weight.clear();
  const RmsNormArgs norm{rows,        dim,          kBfloat16, 1e-6f,   x.get(),
                         delta.get(), weight.get(), sum.get(), y.get(), nullptr};
  report("rms_norm with residual, 16384 x 896", 8.0 * static_cast<double>(n),
         [&] { check(table.rms_norm(norm, nullptr)); });
  const SwigluArgs swiglu{rows, mlp, kBfloat16, gate_up.get(), out.get()};
  report("swiglu, 16384 x 4864", 6.0 * static_cast<double>(m),
         [&] { check(table.swiglu(swiglu, nullptr)); });
}

void bench_attention(const KernelTable& table, std::int64_t batch) {
  const std::int64_t heads = 14, kv_heads = 2, dim = 64, context = 1'000, max_pages = 63;
  const PageLayout layout{kv_heads, dim};
  std::vector<std::int32_t> sequence, keys, pages;
  for (std::int32_t b = 0; b < batch; ++b) {
    sequence.push_back(b);
    keys.push_back(static_cast<std::int32_t>(context));
  }
  for (std::int32_t p = 0; p < batch * max_pages; ++p) pages.push_back(p);
  const auto numbers = static_cast<std::size_t>(batch * heads * 4);
  DeviceArray<std::uint16_t> qkv(static_cast<std::size_t>(batch * 18 * dim)),
      pool(static_cast<std::size_t>(batch * max_pages * layout.page())),
      out(static_cast<std::size_t>(batch * heads * dim));
  const DeviceArray<std::int32_t> dsequence(sequence), dkeys(keys), dpages(pages);
  const DeviceArray<float> part(numbers * dim), max(numbers), sum(numbers);
  qkv.clear(), pool.clear();
  AttentionArgs args{};
  args.rows = batch, args.heads = heads, args.kv_heads = kv_heads, args.dim = dim;
  args.dtype = kBfloat16, args.scale = 0.125f, args.qkv = qkv.get(), args.pool = pool.get();
  args.sequence = dsequence.get(), args.num_keys = dkeys.get(), args.pages = dpages.get();
  args.max_pages = max_pages, args.max_splits = 4, args.part = part.get();
  args.part_max = max.get(), args.part_sum = sum.get(), args.out = out.get();
  report(cat("attention of one layer, ", batch, " x 1000 keys").c_str(),
         2.0 * 2 * static_cast<double>(batch * context * kv_heads * dim),
         [&] { check(table.attention(args, nullptr)); });
}

void bench_draw(const KernelTable& table, const char* name, const std::vector<DrawOp>& ops) {
  const std::int64_t rows = 256, vocab = 151'936;
  const auto n = static_cast<std::size_t>(rows * vocab);
  DeviceArray<float> logits(n), scratch(n), behavior(256), logp(256);
  DeviceArray<std::int32_t> counts(n), token(256), support(256 * 64), size(256);
  const DeviceArray<std::uint32_t> status(256);
  const DeviceArray<DrawOp> dops(ops);
  logits.clear(), counts.clear();
  std::vector<DrawRow> row(256);
  for (std::size_t r = 0; r < row.size(); ++r) {
    row[r] = {};
    row[r].key = r, row[r].inv_temperature = 1, row[r].ops = dops.get();
    row[r].num_ops = static_cast<std::int32_t>(ops.size());
  }
  const DeviceArray<DrawRow> drow(row);
  const DrawArgs args{
      rows,          vocab,        64,           0,           logits.get(),   drow.get(),
      scratch.get(), counts.get(), status.get(), token.get(), behavior.get(), logp.get(),
      support.get(), size.get()};
  report(name, 4.0 * static_cast<double>(n), [&] { check(table.draw(args, nullptr)); });
}

void bench_adamw(const KernelTable& table) {
  const std::int64_t n = 494'000'000;
  const auto size = static_cast<std::size_t>(n);
  DeviceArray<float> w(size), grad(size), m(size), v(size);
  DeviceArray<std::uint16_t> small(size);
  DeviceArray<double> parts(static_cast<std::size_t>(num_pieces(n))), squares(1);
  w.clear(), grad.clear(), m.clear(), v.clear();
  const SumSquaresArgs sum{n, grad.get(), parts.get(), squares.get()};
  report("norm of 494 M gradients", 4.0 * static_cast<double>(n),
         [&] { check(table.sum_squares(sum, nullptr)); });
  const AdamwArgs args{n,    w.get(), grad.get(), m.get(), v.get(), small.get(), squares.get(), 1.0,
                       0.1f, 0.9f,    0.99f,      1e-8f,   0.1f,    0.1f,        0.1f};
  report("adamw of 494 M weights", 34.0 * static_cast<double>(n),
         [&] { check(table.adamw(args, nullptr)); });
}

int run() {
  const Availability found = find_cuda(ask_driver(), library_of_program());
  if (found.refusal) throw Error(*found.refusal);
  bench_copy();
  bench_gemm(*found.table);
  bench_rows(*found.table);
  for (const std::int64_t batch : {1, 32, 256}) bench_attention(*found.table, batch);
  bench_draw(*found.table, "draw of 256 tokens from 151936", {});
  bench_draw(*found.table, "draw of 256 tokens, top-p 0.95",
             {{QED_OP_TOP_P, 0.95f, 1, 0, nullptr, nullptr}});
  bench_train(*found.table);
  bench_adamw(*found.table);
  return 0;
}

}  // namespace
}  // namespace qed::cuda

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // what was measured before a failure is printed
  try {
    return qed::cuda::run();
  } catch (const qed::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
