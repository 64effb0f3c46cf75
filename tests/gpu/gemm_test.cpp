// Products and sums of columns on a GPU: the plain kernel has the bits of its body on the CPU, and
// cuBLASLt, where it is found, agrees with the plain kernel.

#include "core/cuda/kernels/column_sum.h"
#include "core/cuda/kernels/gemm.h"
#include "tests/gpu/gpu_test.h"

namespace qed::cuda {
namespace {

// Matrices on the GPU, and A and B on the CPU.
template <class AB, class Out>
struct Product {
  GemmArgs args{};
  std::vector<AB> a, b;
  std::vector<Out> c;
  std::vector<float> bias;
  DeviceArray<AB> da, db;
  DeviceArray<float> dbias;

  Product(std::int64_t rows, std::int64_t cols, std::int64_t depth, int kind)
      : a(random_numbers<AB>(rows * depth, 1)),
        b(random_numbers<AB>(cols * depth, 2)),
        c(random_numbers<Out>(rows * cols, 3)),
        bias(random_floats(static_cast<std::size_t>(cols), 4)),
        da(a),
        db(b),
        dbias(bias) {
    args.rows = rows, args.cols = cols, args.depth = depth;
    args.ab_dtype = kDtype<AB>, args.c_dtype = kDtype<Out>;
    args.a_turned = kind % 2, args.b_turned = kind / 2 % 2, args.accumulate = kind / 4 == 1;
    args.a_step = args.a_turned != 0 ? rows : depth;
    args.b_step = args.b_turned != 0 ? depth : cols;
    args.c_step = cols;
    has_bias_ = kind / 4 == 2;
  }

  std::vector<Out> on_cpu() const {
    std::vector<Out> out = c;
    GemmArgs g = args;
    g.a = a.data(), g.b = b.data(), g.c = out.data(), g.bias = has_bias_ ? bias.data() : nullptr;
    run_blocks(GemmBody<AB, Out>{g}, num_blocks(g));
    return out;
  }
  std::vector<Out> on_gpu(const KernelTable& table, bool is_exact) const {
    const DeviceArray<Out> out(c);
    GemmArgs g = args;
    g.exact = is_exact, g.a = da.get(), g.b = db.get(), g.c = out.get();
    g.bias = has_bias_ ? dbias.get() : nullptr;
    check(table.gemm(g, nullptr));
    return out.read();
  }

 private:
  bool has_bias_;
};

// Bits as text would hide nothing: a tolerance of 0 tells all but -0 from 0.
template <class AB, class Out>
void check_kinds(const KernelTable& table) {
  for (int kind = 0; kind < 12; ++kind) {
    SCOPED_TRACE(kind);
    const Product<AB, Out> product(130, 192, 100, kind);
    const auto exact = product.on_gpu(table, true);
    expect_near(exact, product.on_cpu(), 0);
    const auto fast = product.on_gpu(table, false);
    expect_near(fast, exact, 4 * kGpuTolerance<Out>);
    expect_near(product.on_gpu(table, false), fast, 0);
  }
}

TEST_F(OnGpu, GemmIsItsBodyToTheBitWhereExactAndNearItElse) {
  check_kinds<float, float>(table_);
  check_kinds<Bfloat16, Bfloat16>(table_);
  check_kinds<Bfloat16, float>(table_);
}

// Shapes of decoding, and widths that no vector of 16 bytes divides.
TEST_F(OnGpu, GemmOfFewRowsAndOddWidthsIsNearItsBody) {
  for (const std::int64_t rows : {1, 3, 17}) {
    for (const std::int64_t cols : {1, 63, 1152}) {
      SCOPED_TRACE(cat(rows, " x ", cols));
      const Product<Bfloat16, Bfloat16> product(rows, cols, 897, 2);
      const auto exact = product.on_gpu(table_, true);
      expect_near(exact, product.on_cpu(), 0);
      expect_near(product.on_gpu(table_, false), exact, kGpuTolerance<Bfloat16>);
    }
  }
}

// With TF32 the inputs lose 13 bits: errors would be a thousand times larger.
TEST_F(OnGpu, GemmOfFloat32UsesAllBits) {
  const Product<float, float> product(256, 256, 1024, 0);
  expect_near(product.on_gpu(table_, false), product.on_gpu(table_, true), 1e-5);
}

TEST_F(OnGpu, ColumnSumIsItsBody) {
  const std::int64_t rows = 1000, cols = 300;
  const auto x = random_numbers<Bfloat16>(rows * cols, 5);
  auto out = random_floats(static_cast<std::size_t>(cols), 6);
  std::vector<float> parts(static_cast<std::size_t>(num_row_pieces(rows) * cols));
  const DeviceArray<Bfloat16> dx(x);
  const DeviceArray<float> dout(out), dparts(parts.size());
  ColumnSumArgs args{rows, cols, kBfloat16, 0, x.data(), parts.data(), out.data()};
  const ColumnPieceBody<Bfloat16> piece{args};
  run_blocks(piece, piece.num_blocks());
  run_elements(PiecesBody{num_row_pieces(rows), cols, args.parts, args.out, nullptr});
  args.x = dx.get(), args.parts = dparts.get(), args.out = dout.get();
  check(table_.column_sum(args, nullptr));
  expect_near(dout.read(), out, 0);
}

}  // namespace
}  // namespace qed::cuda
