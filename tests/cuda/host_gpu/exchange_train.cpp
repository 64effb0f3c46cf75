// The arguments of the backward pass, the log-probs and the optimizer.

#include "tests/cuda/host_gpu/exchange.h"

#include <algorithm>

namespace qed::cuda {

void exchange(Exchange& e, SumSquaresArgs& a) {
  e.enter("sum_squares");
  e.needed("x", a.x, a.n);
  e.needed("parts", a.parts, num_pieces(a.n));
  e.needed("out", a.out, 1);
}

void exchange(Exchange& e, AdamwArgs& a) {
  e.enter("adamw");
  e.needed("w", a.w, a.n);
  e.needed("grad", a.grad, a.n);
  e.needed("m", a.m, a.n);
  e.needed("v", a.v, a.n);
  e.maybe("bfloat16", a.bfloat16, a.n);
  e.needed("sum_squares", a.sum_squares, 1);
}

void exchange(Exchange& e, RmsNormBackwardArgs& a) {
  e.enter("rms_norm_backward");
  const std::int64_t n = a.rows * a.dim;
  e.needed("dy", a.dy, n, a.dtype);
  e.needed("x", a.x, n, a.dtype);
  e.needed("weight", a.weight, a.dim);
  e.needed("rstd", a.rstd, a.rows);
  e.maybe("before", a.before, n, a.dtype);
  e.needed("dx", a.dx, n, a.dtype);
  e.needed("parts", a.parts, num_row_pieces(a.rows) * a.dim);
  e.needed("dweight", a.dweight, a.dim);
}

void exchange(Exchange& e, HeadNormBackwardArgs& a) {
  e.enter("head_norm_backward");
  const std::int64_t heads = a.heads + a.kv_heads;
  e.check(heads * a.dim <= a.width, "the heads are within a row");
  e.needed("dy", a.dy, a.rows * a.width, a.dtype);
  e.needed("x", a.x, a.rows * a.width, a.dtype);
  e.needed("q_weight", a.q_weight, a.dim);
  e.needed("k_weight", a.k_weight, a.dim);
  e.needed("rstd", a.rstd, a.rows * heads);
  e.needed("dx", a.dx, a.rows * a.width, a.dtype);
  e.needed("parts", a.parts, num_row_pieces(a.rows) * 2 * a.dim);
  e.needed("dq_weight", a.dq_weight, a.dim);
  e.needed("dk_weight", a.dk_weight, a.dim);
}

void exchange(Exchange& e, SwigluBackwardArgs& a) {
  e.enter("swiglu_backward");
  e.needed("dout", a.dout, a.rows * a.dim, a.dtype);
  e.needed("gate_up", a.gate_up, a.rows * 2 * a.dim, a.dtype);
  e.needed("din", a.din, a.rows * 2 * a.dim, a.dtype);
}

void exchange(Exchange& e, ScatterRowsArgs& a) {
  e.enter("scatter_rows");
  if (a.targets == 0) return;
  e.needed("target", a.target, a.targets);
  e.needed("first", a.first, a.targets + 1);
  const std::int64_t sources = e.last_of_ascending("first", a.first, a.targets + 1);
  e.needed("source", a.source, sources);
  e.needed("from", a.from, (e.largest("source", a.source, sources) + 1) * a.dim, a.from_dtype);
  e.needed("to", a.to, (e.largest("target", a.target, a.targets) + 1) * a.dim, a.to_dtype);
  std::vector<std::int32_t> targets(a.target, a.target + a.targets);
  std::ranges::sort(targets);
  e.check(std::ranges::adjacent_find(targets) == targets.end(), "a target is named once");
}

void exchange(Exchange& e, ColumnSumArgs& a) {
  e.enter("column_sum");
  e.needed("x", a.x, a.rows * a.cols, a.dtype);
  e.needed("parts", a.parts, num_row_pieces(a.rows) * a.cols);
  e.needed("out", a.out, a.cols);
}

namespace {

// Sequences as AttentionBackwardArgs describes them, each array against the others.
void check_sequences(const Exchange& e, const AttentionBackwardArgs& a) {
  e.check(e.last_of_ascending("offset", a.offset, a.sequences + 1) == a.rows && a.offset[0] == 0,
          "the sequences have all the rows");
  std::int64_t children = 0;
  for (std::int64_t b = 0; b < a.sequences; ++b) {
    for (std::int64_t row = a.offset[b]; row < a.offset[b + 1]; ++row) {
      e.check(a.sequence[row] == b, "sequence and offset say the same");
    }
    const std::int64_t before = a.prefix[b];
    e.check(before >= -1 && before < b, "a prefix comes before what it is a prefix of");
    e.check(before < 0 || a.prefix[before] == -1, "a prefix has none itself");
    children += before >= 0 ? 1 : 0;
  }
  e.check(a.child_first[a.sequences] == children, "who has a prefix is a child");
  for (std::int64_t b = 0; b < a.sequences; ++b) {
    for (std::int64_t i = a.child_first[b]; i < a.child_first[b + 1]; ++i) {
      e.check(a.prefix[a.child[i]] == b, "child and prefix say the same");
      e.check(i == a.child_first[b] || a.child[i - 1] < a.child[i], "children ascend");
    }
  }
}

}  // namespace

void exchange(Exchange& e, AttentionBackwardArgs& a) {
  e.enter("attention_backward");
  e.check(a.heads % a.kv_heads == 0, "each key has as many queries");
  e.check(a.dim <= kMaxHeadDim, "a head has at most kMaxHeadDim numbers");
  const std::int64_t width = (a.heads + 2 * a.kv_heads) * a.dim;
  e.needed("qkv", a.qkv, a.rows * width, a.dtype);
  e.needed("out", a.out, a.rows * a.heads * a.dim, a.dtype);
  e.needed("dout", a.dout, a.rows * a.heads * a.dim, a.dtype);
  e.needed("lse", a.lse, a.rows * a.heads);
  e.needed("sequence", a.sequence, a.rows);
  e.largest("sequence", a.sequence, a.rows, a.sequences);
  e.needed("offset", a.offset, a.sequences + 1);
  e.needed("prefix", a.prefix, a.sequences);
  e.needed("child_first", a.child_first, a.sequences + 1);
  const std::int64_t children = e.last_of_ascending("child_first", a.child_first, a.sequences + 1);
  e.needed("child", a.child, children);
  e.largest("child", a.child, children, a.sequences);
  check_sequences(e, a);
  e.needed("delta", a.delta, a.rows * a.heads);
  e.needed("dqkv", a.dqkv, a.rows * width, a.dtype);
}

namespace {

void exchange_inputs(Exchange& e, TokenLogpArgs& a) {
  e.needed("logits", a.logits, a.rows * a.vocab);
  e.needed("target", a.target, a.rows);
  e.largest("target", a.target, a.rows, a.vocab);
  e.needed("inv_temperature", a.inv_temperature, a.rows);
  if (a.support_first == nullptr) return;
  e.needed("support_first", a.support_first, a.rows + 1);
  const std::int64_t ids = e.last_of_ascending("support_first", a.support_first, a.rows + 1);
  e.needed("support", a.support, ids);
  e.largest("support", a.support, ids, a.vocab);
  for (std::int64_t row = 0; row < a.rows; ++row) {
    const std::int32_t *const begin = a.support + a.support_first[row],
                              *const end = a.support + a.support_first[row + 1];
    e.check(begin == end || std::find(begin, end, a.target[row]) != end,
            "a target is in the support of its row");
  }
}

}  // namespace

void exchange(Exchange& e, TokenLogpArgs& a) {
  e.enter("token_logp");
  exchange_inputs(e, a);
  e.needed("logp", a.logp, a.rows);
  e.needed("entropy", a.entropy, a.rows);
}

void exchange(Exchange& e, TokenLogpBackwardArgs& a) {
  e.enter("token_logp_backward");
  exchange_inputs(e, a.forward);
  e.needed("dlogp", a.dlogp, a.forward.rows);
  e.maybe("dentropy", a.dentropy, a.forward.rows);
  e.needed("dlogits", a.dlogits, a.forward.rows * a.forward.vocab, a.dtype);
}

}  // namespace qed::cuda
