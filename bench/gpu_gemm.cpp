// Products of Qwen2.5-0.5B's shapes beside the largest one, and those of decoding beside a copy.

#include "bench/gpu_bench.h"

#include <string>

namespace qed::cuda {

namespace {

GemmArgs product(std::int64_t rows, std::int64_t cols, std::int64_t depth, bool a_turned,
                 bool b_turned) {
  GemmArgs g{};
  g.rows = rows, g.cols = cols, g.depth = depth;
  g.ab_dtype = g.c_dtype = kBfloat16;
  g.a_turned = a_turned, g.b_turned = b_turned;
  g.a_step = a_turned ? rows : depth, g.b_step = b_turned ? depth : cols, g.c_step = cols;
  return g;
}

void bench_matrix(const KernelTable& table, const char* name, GemmArgs g) {
  const Matrix a(g.rows, g.depth), b(g.cols, g.depth);
  DeviceArray<float> c(static_cast<std::size_t>(g.rows * g.cols));
  c.clear();
  g.a = a.numbers.get(), g.b = b.numbers.get(), g.c = c.get();
  report_matrix(name, 2.0 * static_cast<double>(g.rows * g.cols) * static_cast<double>(g.depth),
                [&] { check(table.gemm(g, nullptr)); });
}

// The weights of 24 layers, one after another, so that none is still in the cache.
void bench_decode_gemm(const KernelTable& table, std::int64_t batch) {
  const std::int64_t cols = 9'728, depth = 896, layers = 24;
  const Matrix x(batch, depth), w(layers * cols, depth);
  const DeviceArray<std::uint16_t> y(static_cast<std::size_t>(batch * cols));
  GemmArgs g = product(batch, cols, depth, false, true);
  g.a = x.numbers.get(), g.c = y.get();
  report(cat("gemm of 24 layers, ", batch, " x 896 x 9728").c_str(),
         2.0 * static_cast<double>(layers * cols * depth), [&] {
           for (std::int64_t layer = 0; layer < layers; ++layer) {
             g.b = w.numbers.get() + layer * cols * depth;
             check(table.gemm(g, nullptr));
           }
         });
}

}  // namespace

void bench_gemm(const KernelTable& table) {
  const std::int32_t version = table.gemm_library();
  const std::string library = version == 0 ? "the plain kernel: no libcublasLt.so.13 was found"
                                           : cat("cuBLASLt ", version / 10'000, ".",
                                                 version / 100 % 100, ".", version % 100);
  std::printf("{\"name\": \"gemm goes through\", \"text\": \"%s\"}\n", library.c_str());
  const std::int64_t rows = 16'384, dim = 896, mlp = 9'728, vocab = 151'936;
  bench_matrix(table, "gemm 8192 x 8192 x 8192", product(8192, 8192, 8192, false, true));
  bench_matrix(table, "gemm forward, 16384 x 896 x 9728", product(rows, mlp, dim, false, true));
  bench_matrix(table, "gemm of dx, 16384 x 9728 x 896", product(rows, dim, mlp, false, false));
  GemmArgs dw = product(mlp, dim, rows, true, false);
  dw.c_dtype = kFloat32, dw.accumulate = 1;
  bench_matrix(table, "gemm of dw, 9728 x 16384 x 896", dw);
  GemmArgs logits = product(1024, vocab, dim, false, true);
  logits.c_dtype = kFloat32;
  bench_matrix(table, "gemm of logits, 1024 x 896 x 151936", logits);
  GemmArgs exact = product(2048, 2048, 2048, false, true);
  exact.exact = 1;
  bench_matrix(table, "gemm 2048 x 2048 x 2048, exact", exact);
  for (const std::int64_t batch : {1, 32, 256}) bench_decode_gemm(table, batch);
}

}  // namespace qed::cuda
