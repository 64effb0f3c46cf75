// What every call needs, and the arguments of the forward pass.

#include "tests/cuda/host_gpu/exchange.h"

#include "core/cuda/kernels/page_layout.h"

#include <algorithm>

namespace qed::cuda {

std::int64_t Exchange::bytes_of(const char* name, std::int32_t dtype) const {
  if (dtype != kFloat32 && dtype != kBfloat16) stop("%s: %s has dtype %d", kernel_, name, dtype);
  return dtype == kFloat32 ? 4 : 2;
}

void* Exchange::find(const char* name, const void* pointer, std::int64_t count,
                     std::int64_t size) const {
  if (count < 0) stop("%s: %s would have %lld numbers", kernel_, name, (long long)count);
  if (count == 0) return const_cast<void*>(pointer);
  if (pointer == nullptr) stop("%s: %s is null", kernel_, name);
  if (!memory_.owns(pointer)) {
    stop("%s: %s is %p, which is no address of the GPU", kernel_, name, pointer);
  }
  const std::int64_t alignment = std::min<std::int64_t>(size, 8);
  if (reinterpret_cast<std::uintptr_t>(pointer) % static_cast<std::uintptr_t>(alignment) != 0) {
    stop("%s: %s is %p, which is not aligned to %lld bytes", kernel_, name, pointer,
         (long long)alignment);
  }
  std::byte* const found = memory_.find(pointer, count * size);
  if (found == nullptr) {
    stop("%s: %s has %lld bytes, which are not inside one block", kernel_, name,
         (long long)(count * size));
  }
  return found;
}

std::int64_t Exchange::largest(const char* name, const std::int32_t* x, std::int64_t count,
                               std::int64_t bound) const {
  std::int64_t most = -1;
  for (std::int64_t i = 0; i < count; ++i) {
    if (x[i] < 0 || x[i] >= bound) {
      stop("%s: %s[%lld] is %d, not in [0, %lld)", kernel_, name, (long long)i, x[i],
           (long long)bound);
    }
    most = std::max<std::int64_t>(most, x[i]);
  }
  return most;
}

std::int64_t Exchange::last_of_ascending(const char* name, const std::int32_t* first,
                                         std::int64_t count) const {
  if (first[0] < 0) stop("%s: %s begins with %d", kernel_, name, first[0]);
  for (std::int64_t i = 1; i < count; ++i) {
    if (first[i] < first[i - 1]) stop("%s: %s[%lld] descends", kernel_, name, (long long)i);
  }
  return first[count - 1];
}

void exchange(Exchange& e, RmsNormArgs& a) {
  e.enter("rms_norm");
  const std::int64_t n = a.rows * a.dim;
  e.needed("x", a.x, n, a.dtype);
  e.maybe("delta", a.delta, n, a.dtype);
  e.needed("weight", a.weight, a.dim);
  if (a.delta != nullptr) e.needed("sum", a.sum, n, a.dtype);
  e.needed("y", a.y, n, a.dtype);
  e.maybe("rstd", a.rstd, a.rows);
}

void exchange(Exchange& e, HeadNormArgs& a) {
  e.enter("head_norm");
  const std::int64_t heads = a.heads + a.kv_heads;
  e.check(heads * a.dim <= a.width, "the heads are within a row");
  e.needed("x", a.x, a.rows * a.width, a.dtype);
  e.needed("q_weight", a.q_weight, a.dim);
  e.needed("k_weight", a.k_weight, a.dim);
  e.needed("y", a.y, a.rows * a.width, a.dtype);
  e.maybe("rstd", a.rstd, a.rows * heads);
}

namespace {

// Elements from the first to the last of a stored matrix.
std::int64_t extent(const Exchange& e, std::int64_t rows, std::int64_t cols, std::int64_t step) {
  e.check(rows >= 0 && cols >= 0 && step >= cols, "a row ends before the next one begins");
  return rows == 0 || cols == 0 ? 0 : (rows - 1) * step + cols;
}

}  // namespace

void exchange(Exchange& e, GemmArgs& a) {
  e.enter("gemm");
  e.check(a.c_dtype == a.ab_dtype || a.c_dtype == kFloat32, "C has the dtype of A, or float32");
  e.check(a.accumulate == 0 || a.bias == nullptr, "what is added to has no bias");
  const std::int64_t rows = a.rows, cols = a.cols, depth = a.depth;
  e.needed("a", a.a,
           a.a_turned != 0 ? extent(e, depth, rows, a.a_step) : extent(e, rows, depth, a.a_step),
           a.ab_dtype);
  e.needed("b", a.b,
           a.b_turned != 0 ? extent(e, cols, depth, a.b_step) : extent(e, depth, cols, a.b_step),
           a.ab_dtype);
  e.needed("c", a.c, extent(e, rows, cols, a.c_step), a.c_dtype);
  e.maybe("bias", a.bias, cols);
}

void exchange(Exchange& e, ConvertArgs& a) {
  e.enter("convert");
  e.check(a.from_dtype != a.to_dtype, "the dtypes differ");
  e.needed("from", a.from, a.n, a.from_dtype);
  e.needed("to", a.to, a.n, a.to_dtype);
}

void exchange(Exchange& e, SwigluArgs& a) {
  e.enter("swiglu");
  e.needed("gate_up", a.gate_up, a.rows * 2 * a.dim, a.dtype);
  e.needed("out", a.out, a.rows * a.dim, a.dtype);
}

void exchange(Exchange& e, EmbeddingArgs& a) {
  e.enter("embedding");
  e.needed("id", a.id, a.rows);
  e.needed("w", a.w, (e.largest("id", a.id, a.rows) + 1) * a.dim, a.dtype);
  e.needed("out", a.out, a.rows * a.dim, a.dtype);
}

void exchange(Exchange& e, RopeArgs& a) {
  e.enter("rope");
  e.check(a.dim % 2 == 0, "a head has two halves");
  e.check(a.direction == 1 || a.direction == -1, "the direction is 1 or -1");
  e.needed("qkv", a.qkv, a.rows * (a.heads + 2 * a.kv_heads) * a.dim, a.dtype);
  e.needed("position", a.position, a.rows);
  const std::int64_t positions = e.largest("position", a.position, a.rows) + 1;
  e.needed("cos", a.cos, positions * (a.dim / 2));
  e.needed("sin", a.sin, positions * (a.dim / 2));
  if (a.pool == nullptr) return;
  e.needed("sequence", a.sequence, a.rows);
  e.needed("pages", a.pages, (e.largest("sequence", a.sequence, a.rows) + 1) * a.max_pages);
  std::int64_t last = -1;
  std::vector<std::int64_t> slots;  // that are written
  for (std::int64_t row = 0; row < a.rows; ++row) {
    const std::int64_t number = a.position[row] / kPageSlots;
    e.check(number < a.max_pages, "a position is on a page");
    const std::int64_t page = a.pages[a.sequence[row] * a.max_pages + number];
    e.check(page >= 0, "a page that is written is there");
    last = std::max(last, page);
    slots.push_back(page * kPageSlots + a.position[row] % kPageSlots);
  }
  e.needed("pool", a.pool, (last + 1) * PageLayout{a.kv_heads, a.dim}.page(), a.dtype);
  std::ranges::sort(slots);
  e.check(std::ranges::adjacent_find(slots) == slots.end(), "no two rows write to one place");
}

namespace {

// The keys of rows in pages.
void exchange_pool(Exchange& e, AttentionArgs& a, std::int64_t sequences) {
  e.needed("pages", a.pages, sequences * a.max_pages);
  std::int64_t last = -1;
  for (std::int64_t row = 0; row < a.rows; ++row) {
    const std::int64_t count = (a.num_keys[row] + kPageSlots - 1) / kPageSlots;
    e.check(count <= a.max_pages, "a row's keys are on its pages");
    last = std::max(last, e.largest("pages", a.pages + a.sequence[row] * a.max_pages, count));
  }
  e.needed("pool", a.pool, (last + 1) * PageLayout{a.kv_heads, a.dim}.page(), a.dtype);
}

// Keys that are those of the rows themselves.
void exchange_packed(Exchange& e, AttentionArgs& a, std::int64_t sequences) {
  e.needed("offset", a.offset, sequences + 1);
  e.needed("prefix", a.prefix, sequences);
  e.check(e.last_of_ascending("offset", a.offset, sequences + 1) <= a.rows, "sequences are rows");
  for (std::int64_t row = 0; row < a.rows; ++row) {
    const std::int64_t b = a.sequence[row], before = a.prefix[b];
    e.check(before >= -1 && before < b, "a prefix comes before what it is a prefix of");
    const std::int64_t shared = before < 0 ? 0 : a.offset[before + 1] - a.offset[before];
    e.check(a.num_keys[row] <= shared + a.offset[b + 1] - a.offset[b],
            "a row's keys are those of its sequence and its prefix");
  }
}

}  // namespace

void exchange(Exchange& e, AttentionArgs& a) {
  e.enter("attention");
  e.check(a.heads % a.kv_heads == 0, "each key has as many queries");
  e.check(a.dim <= kMaxHeadDim, "a head has at most kMaxHeadDim numbers");
  e.needed("qkv", a.qkv, a.rows * (a.heads + 2 * a.kv_heads) * a.dim, a.dtype);
  e.needed("sequence", a.sequence, a.rows);
  e.needed("num_keys", a.num_keys, a.rows);
  for (std::int64_t row = 0; row < a.rows; ++row) {
    e.check(a.num_keys[row] >= 1, "a row has a key");
    e.check((a.num_keys[row] + kSplit - 1) / kSplit <= a.max_splits, "max_splits is enough");
  }
  const std::int64_t sequences = e.largest("sequence", a.sequence, a.rows) + 1;
  if (a.pool != nullptr) {
    exchange_pool(e, a, sequences);
  } else {
    exchange_packed(e, a, sequences);
  }
  const std::int64_t parts = a.rows * a.heads * a.max_splits;
  e.needed("part", a.part, parts * a.dim);
  e.needed("part_max", a.part_max, parts);
  e.needed("part_sum", a.part_sum, parts);
  e.needed("out", a.out, a.rows * a.heads * a.dim, a.dtype);
  e.maybe("lse", a.lse, a.rows * a.heads);
}

namespace {

void exchange_row(Exchange& e, DrawRow& row, std::vector<DrawOp>& ops, std::int64_t vocab) {
  const auto ids = [&](const char* name, const std::int32_t*& x, std::int32_t count) {
    e.needed(name, x, count);
    e.largest(name, x, count, vocab);
  };
  ids("prompt", row.prompt, row.num_prompt);
  ids("completion", row.completion, row.num_completion);
  ids("banned", row.banned, row.num_banned);
  e.maybe("allowed", row.allowed, (vocab + 7) / 8);
  e.needed("ops", row.ops, row.num_ops);
  ops.assign(row.ops, row.ops + row.num_ops);
  for (DrawOp& op : ops) {
    ids("an op's ids", op.ids, op.num_ids);
    e.maybe("an op's values", op.values, op.num_ids);
  }
  row.ops = ops.data();
}

}  // namespace

void exchange(Exchange& e, DrawArgs& a) {
  e.enter("draw");
  const std::int64_t n = a.rows * a.vocab;
  e.needed("logits", a.logits, n);
  e.needed("row", a.row, a.rows);
  e.needed("scratch", a.scratch, n);
  e.needed("counts", a.counts, n);
  e.check(std::count(a.counts, a.counts + n, 0) == n, "counts are 0 before a draw");
  e.needed("status", a.status, a.rows);
  e.needed("token", a.token, a.rows);
  e.needed("behavior_logp", a.behavior_logp, a.rows);
  e.needed("logp", a.logp, a.rows);
  e.needed("support", a.support, a.rows * a.max_support);
  e.needed("support_size", a.support_size, a.rows);
  e.rows.assign(a.row, a.row + a.rows);
  e.ops.resize(e.rows.size());
  for (std::size_t i = 0; i < e.rows.size(); ++i) exchange_row(e, e.rows[i], e.ops[i], a.vocab);
  a.row = e.rows.data();
}

}  // namespace qed::cuda
