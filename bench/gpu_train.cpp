// What a training step adds to a forward pass: 16,384 rows, shapes of Qwen2.5-0.5B in bfloat16.

#include "bench/gpu_bench.h"

namespace qed::cuda {

namespace {

constexpr std::int64_t kRows = 16'384, kDim = 896, kVocab = 151'936;
constexpr std::int64_t kHeads = 14, kKvHeads = 2, kHeadDim = 64;
constexpr std::int64_t kWidth = (kHeads + 2 * kKvHeads) * kHeadDim;

template <class T>
struct Zeros : DeviceArray<T> {
  explicit Zeros(std::int64_t n) : DeviceArray<T>(static_cast<std::size_t>(n)) { this->clear(); }
};
using Bfloats = Zeros<std::uint16_t>;
using Floats = Zeros<float>;

void bench_column_sum(const KernelTable& table) {
  const std::int64_t rows = 16'384, cols = 1'152;
  const Matrix x(rows, cols);
  const DeviceArray<float> parts(static_cast<std::size_t>(num_row_pieces(rows) * cols));
  DeviceArray<float> out(static_cast<std::size_t>(cols));
  out.clear();
  const ColumnSumArgs args{rows, cols, kBfloat16, 0, x.numbers.get(), parts.get(), out.get()};
  report("column_sum, 16384 x 1152", 2.0 * static_cast<double>(rows * cols),
         [&] { check(table.column_sum(args, nullptr)); });
}

void bench_norms(const KernelTable& table) {
  const auto n = static_cast<double>(kRows * kDim);
  const auto x = Bfloats(kRows * kDim), dy = Bfloats(kRows * kDim), dx = Bfloats(kRows * kDim);
  const auto weight = Floats(kDim), rstd = Floats(kRows * (kHeads + kKvHeads)),
             dweight = Floats(kDim), parts = Floats(num_row_pieces(kRows) * kDim);
  const RmsNormBackwardArgs rms{kRows,    kDim,     kBfloat16,    0,
                                dy.get(), x.get(),  weight.get(), rstd.get(),
                                dx.get(), dx.get(), parts.get(),  dweight.get()};
  report("rms_norm backward, 16384 x 896", 8 * n,
         [&] { check(table.rms_norm_backward(rms, nullptr)); });
  const auto qkv = Bfloats(kRows * kWidth), dqkv = Bfloats(kRows * kWidth);
  const double normed = static_cast<double>(kRows * (kHeads + kKvHeads) * kHeadDim);
  const HeadNormArgs head{kRows, kHeads,    kKvHeads,     kHeadDim,     kWidth,    kBfloat16,
                          1e-6f, qkv.get(), weight.get(), weight.get(), qkv.get(), rstd.get()};
  report("head_norm in place, 16384 x 16 x 64", 4 * normed,
         [&] { check(table.head_norm(head, nullptr)); });
  const HeadNormBackwardArgs back{
      kRows,      kHeads,      kKvHeads,      kHeadDim,          kWidth,       kBfloat16,
      0,          dqkv.get(),  qkv.get(),     weight.get(),      weight.get(), rstd.get(),
      dqkv.get(), parts.get(), dweight.get(), dweight.get() + 64};
  report("head_norm backward in place, 16384 x 16 x 64", 6 * normed,
         [&] { check(table.head_norm_backward(back, nullptr)); });
}

void bench_elements(const KernelTable& table) {
  const std::int64_t mlp = 4'864, many = 494'000'000;
  const auto n = static_cast<double>(kRows * mlp);
  const auto dout = Bfloats(kRows * mlp), gate_up = Bfloats(kRows * 2 * mlp);
  const SwigluBackwardArgs swiglu{kRows,      mlp,           kBfloat16,    0,
                                  dout.get(), gate_up.get(), gate_up.get()};
  report("swiglu backward, 16384 x 4864", 10 * n,
         [&] { check(table.swiglu_backward(swiglu, nullptr)); });
  const auto position = Zeros<std::int32_t>(kRows);
  const auto cos = Floats(kHeadDim), sin = Floats(kHeadDim);
  RopeArgs rope{};
  rope.rows = kRows, rope.heads = kHeads, rope.kv_heads = kKvHeads, rope.dim = kHeadDim;
  rope.dtype = kBfloat16, rope.direction = -1, rope.qkv = gate_up.get();
  rope.position = position.get(), rope.cos = cos.get(), rope.sin = sin.get();
  report("rope, 16384 x 16 x 64", 4.0 * static_cast<double>(kRows * (kHeads + kKvHeads) * kHeadDim),
         [&] { check(table.rope(rope, nullptr)); });
  const auto wide = Floats(many);
  const auto narrow = Bfloats(many);
  const ConvertArgs convert{many, kFloat32, kBfloat16, wide.get(), narrow.get()};
  report("convert of 494 M numbers", 6.0 * static_cast<double>(many),
         [&] { check(table.convert(convert, nullptr)); });
}

// Each id twice.
void bench_embedding(const KernelTable& table) {
  const std::int64_t ids = kRows / 2;
  std::vector<std::int32_t> id, target, first = {0}, source;
  for (std::int32_t i = 0; i < ids; ++i) {
    target.push_back(i * 18);
    id.insert(id.end(), {i * 18, i * 18});
    source.insert(source.end(), {2 * i, 2 * i + 1});
    first.push_back(2 * i + 2);
  }
  const DeviceArray<std::int32_t> did(id), dtarget(target), dfirst(first), dsource(source);
  const auto w = Bfloats(kVocab * kDim), x = Bfloats(kRows * kDim);
  const auto dw = Floats(kVocab * kDim);
  const double n = static_cast<double>(kRows * kDim), m = static_cast<double>(ids * kDim);
  report("embedding, 16384 x 896", 2 * (n + m), [&] {
    check(table.embedding({kRows, kDim, kBfloat16, did.get(), w.get(), x.get()}, nullptr));
  });
  const ScatterRowsArgs scatter{ids,     kDim,          kBfloat16,    kFloat32,      1,       0,
                                x.get(), dtarget.get(), dfirst.get(), dsource.get(), dw.get()};
  report("scatter_rows, 16384 x 896 to 8192", 2 * n + 8 * m,
         [&] { check(table.scatter_rows(scatter, nullptr)); });
}

void bench_token_logp(const KernelTable& table) {
  const std::int64_t rows = 1'024;
  const auto logits = Floats(rows * kVocab), ones = Floats(rows), logp = Floats(rows),
             entropy = Floats(rows);
  const auto target = Zeros<std::int32_t>(rows);
  const auto dlogits = Bfloats(rows * kVocab);
  const auto n = static_cast<double>(rows * kVocab);
  const TokenLogpArgs args{rows,    kVocab,  logits.get(), target.get(), ones.get(),
                           nullptr, nullptr, logp.get(),   entropy.get()};
  report("token_logp, 1024 x 151936", 4 * n, [&] { check(table.token_logp(args, nullptr)); });
  const TokenLogpBackwardArgs back{args, logp.get(), ones.get(), kBfloat16, 0, dlogits.get()};
  report("token_logp backward, 1024 x 151936", 6 * n,
         [&] { check(table.token_logp_backward(back, nullptr)); });
}

// Sixteen sequences of 1,024 rows.
void bench_attention(const KernelTable& table) {
  const std::int64_t length = 1'024, sequences = kRows / length, splits = length / kSplit;
  std::vector<std::int32_t> sequence, keys, offset = {0};
  for (std::int32_t row = 0; row < kRows; ++row) {
    sequence.push_back(row / 1'024);
    keys.push_back(row % 1'024 + 1);
    if (row % 1'024 == 1'023) offset.push_back(row + 1);
  }
  const std::vector<std::int32_t> none(static_cast<std::size_t>(sequences), -1);
  const DeviceArray<std::int32_t> dsequence(sequence), dkeys(keys), doffset(offset), prefix(none);
  const auto child_first = Zeros<std::int32_t>(sequences + 1), child = Zeros<std::int32_t>(1);
  const Matrix qkv(kRows, kWidth), dout(kRows, kHeads * kHeadDim);
  const auto out = Bfloats(kRows * kHeads * kHeadDim), dqkv = Bfloats(kRows * kWidth);
  const auto part = Floats(kRows * kHeads * splits * kHeadDim),
             max = Floats(kRows * kHeads * splits), sum = Floats(kRows * kHeads * splits),
             lse = Floats(kRows * kHeads), delta = Floats(kRows * kHeads);
  const double pairs = 0.5 * static_cast<double>(kRows * (length + 1));
  const double work = pairs * static_cast<double>(kHeads * kHeadDim);
  AttentionArgs args{};
  args.rows = kRows, args.heads = kHeads, args.kv_heads = kKvHeads, args.dim = kHeadDim;
  args.dtype = kBfloat16, args.scale = 0.125f, args.qkv = qkv.numbers.get();
  args.sequence = dsequence.get(), args.num_keys = dkeys.get(), args.offset = doffset.get();
  args.prefix = prefix.get(), args.max_splits = splits, args.part = part.get();
  args.part_max = max.get(), args.part_sum = sum.get(), args.out = out.get(), args.lse = lse.get();
  report_matrix("attention of one layer, 16 x 1024 rows", 4 * work,
                [&] { check(table.attention(args, nullptr)); });
  const AttentionBackwardArgs back{
      kRows,       sequences,       kHeads,        kKvHeads,     kHeadDim,
      kBfloat16,   0.125f,          args.qkv,      out.get(),    dout.numbers.get(),
      lse.get(),   dsequence.get(), doffset.get(), prefix.get(), child_first.get(),
      child.get(), delta.get(),     dqkv.get()};
  report_matrix("attention backward of one layer, 16 x 1024 rows", 10 * work,
                [&] { check(table.attention_backward(back, nullptr)); });
}

}  // namespace

void bench_train(const KernelTable& table) {
  bench_column_sum(table);
  bench_norms(table);
  bench_elements(table);
  bench_embedding(table);
  bench_token_logp(table);
  bench_attention(table);
}

}  // namespace qed::cuda
