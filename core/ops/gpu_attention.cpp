// Rope and attention on a GPU, and where the rows of a forward are.

#include "core/ops/attention_pages.h"
#include "core/ops/gpu.h"
#include "core/util/error.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace qed::ops::gpu {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Ints = std::vector<std::int32_t>;

Device& here() { return *device(); }

at::Tensor upload(const Ints& x) { return here().upload<std::int32_t>(x, at::kInt); }

const std::int32_t* data(const at::Tensor& x) {
  return x.defined() ? x.const_data_ptr<std::int32_t>() : nullptr;
}

// With a pool, keys and values go to their pages as well.
void rotate(const at::Tensor& qkv, const Heads& h, const RopeTable& table, const Rows& rows,
            void* pool, float direction) {
  here().run(here().table().rope, cuda::RopeArgs{.rows = qkv.size(0),
                                                 .heads = h.heads,
                                                 .kv_heads = h.kv_heads,
                                                 .dim = h.dim,
                                                 .dtype = dtype_of(qkv),
                                                 .direction = direction,
                                                 .qkv = qkv.mutable_data_ptr(),
                                                 .position = data(rows.position),
                                                 .cos = table.device_cos().const_data_ptr<float>(),
                                                 .sin = table.device_sin().const_data_ptr<float>(),
                                                 .pool = pool,
                                                 .sequence = data(rows.sequence),
                                                 .pages = data(rows.pages),
                                                 .max_pages = rows.max_pages});
}

// Without a pool, over the rows themselves. Fills lse [T, heads] where it is defined.
at::Tensor attend(const at::Tensor& qkv, const Heads& h, const Rows& rows, const void* pool,
                  const at::Tensor& lse) {
  const std::int64_t n = qkv.size(0);
  at::Tensor out = here().empty({n, h.heads * h.dim}, qkv.scalar_type());
  const at::Tensor part = here().empty({n, h.heads, rows.max_splits, h.dim}, at::kFloat);
  const at::Tensor max = here().empty({n, h.heads, rows.max_splits}, at::kFloat);
  const at::Tensor sum = here().empty(max.sizes(), at::kFloat);
  here().run(here().table().attention,
             cuda::AttentionArgs{.rows = n,
                                 .heads = h.heads,
                                 .kv_heads = h.kv_heads,
                                 .dim = h.dim,
                                 .dtype = dtype_of(qkv),
                                 .scale = score_scale(h),
                                 .qkv = qkv.const_data_ptr(),
                                 .pool = pool,
                                 .sequence = data(rows.sequence),
                                 .num_keys = data(rows.num_keys),
                                 .pages = data(rows.pages),
                                 .max_pages = rows.max_pages,
                                 .offset = data(rows.offset),
                                 .prefix = data(rows.prefix),
                                 .max_splits = rows.max_splits,
                                 .part = part.data_ptr<float>(),
                                 .part_max = max.data_ptr<float>(),
                                 .part_sum = sum.data_ptr<float>(),
                                 .out = out.mutable_data_ptr(),
                                 .lse = lse.defined() ? lse.data_ptr<float>() : nullptr});
  return out;
}

at::Tensor attend_backward(const at::Tensor& qkv, const at::Tensor& out, const at::Tensor& lse,
                           const at::Tensor& dout, const Heads& h, const Rows& rows) {
  at::Tensor dqkv = here().empty(qkv.sizes(), qkv.scalar_type());
  const at::Tensor delta = here().empty(lse.sizes(), at::kFloat);
  here().run(here().table().attention_backward,
             cuda::AttentionBackwardArgs{.rows = qkv.size(0),
                                         .sequences = rows.num_sequences,
                                         .heads = h.heads,
                                         .kv_heads = h.kv_heads,
                                         .dim = h.dim,
                                         .dtype = dtype_of(qkv),
                                         .scale = score_scale(h),
                                         .qkv = qkv.const_data_ptr(),
                                         .out = out.const_data_ptr(),
                                         .dout = dout.const_data_ptr(),
                                         .lse = lse.const_data_ptr<float>(),
                                         .sequence = data(rows.sequence),
                                         .offset = data(rows.offset),
                                         .prefix = data(rows.prefix),
                                         .child_first = data(rows.child_first),
                                         .child = data(rows.child),
                                         .delta = delta.data_ptr<float>(),
                                         .dqkv = dqkv.mutable_data_ptr()});
  return dqkv;
}

// What a backward needs beside tensors.
struct Call : torch::CustomClassHolder {
  Heads shape;
  RopeTable table;
  std::shared_ptr<const Rows> rows;

  Call(const Heads& h, const RopeTable& t, std::shared_ptr<const Rows> r)
      : shape(h), table(t), rows(std::move(r)) {}
};

struct RotateAndAttend : torch::autograd::Function<RotateAndAttend> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& qkv,
                            const c10::intrusive_ptr<Call>& call) {
    // The linear that made qkv does not look at it again, nor does a norm of heads.
    rotate(qkv, call->shape, call->table, *call->rows, nullptr, 1);
    const at::Tensor lse = here().empty({qkv.size(0), call->shape.heads}, at::kFloat);
    at::Tensor out = attend(qkv, call->shape, *call->rows, nullptr, lse);
    ctx->save_for_backward({qkv, out, lse});
    ctx->saved_data["call"] = c10::IValue::make_capsule(call);
    return out;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const variable_list saved = ctx->get_saved_variables();
    const auto call = c10::static_intrusive_pointer_cast<Call>(ctx->saved_data["call"].toCapsule());
    const at::Tensor dqkv = attend_backward(saved[0], saved[1], saved[2], grads[0].contiguous(),
                                            call->shape, *call->rows);
    rotate(dqkv, call->shape, call->table, *call->rows, nullptr, -1);
    return {dqkv, at::Tensor()};
  }
};

// Which sequence a row belongs to and how many keys it sees, of packed sequences.
void place_packed(Rows& out, Ints& sequence, Ints& num_keys, std::span<const std::int64_t> offset,
                  std::span<const std::int64_t> prefix) {
  const std::size_t n = offset.size() - 1;
  Ints offsets(offset.begin(), offset.end()), prefixes(n, -1), child_first(n + 1, 0), child;
  if (!prefix.empty()) prefixes.assign(prefix.begin(), prefix.end());
  std::vector<Ints> children(n);
  for (std::size_t b = 0; b < n; ++b) {
    std::int32_t before = 0;
    if (prefixes[b] >= 0) {
      const auto p = static_cast<std::size_t>(prefixes[b]);
      QED_CHECK(p < b && prefixes[p] < 0, "[attention] prefix ", p, " of ", b);
      before = offsets[p + 1] - offsets[p];
      children[p].push_back(static_cast<std::int32_t>(b));
    }
    for (std::int32_t r = offsets[b]; r < offsets[b + 1]; ++r) {
      sequence.push_back(static_cast<std::int32_t>(b));
      num_keys.push_back(before + r - offsets[b] + 1);
    }
  }
  for (std::size_t b = 0; b < n; ++b) {
    child.insert(child.end(), children[b].begin(), children[b].end());
    child_first[b + 1] = static_cast<std::int32_t>(child.size());
  }
  child.push_back(-1);  // never empty
  out.offset = upload(offsets);
  out.prefix = upload(prefixes);
  out.child_first = upload(child_first);
  out.child = upload(child);
  out.num_sequences = static_cast<std::int64_t>(n);
}

// The same of runs, each a sequence of its own, with the pages that they see.
void place_runs(Rows& out, Ints& sequence, Ints& num_keys, std::span<const CacheRun> runs) {
  const auto num_pages = [](const CacheRun& run) {
    return num_panels(run.position + run.num_rows);
  };
  for (const CacheRun& run : runs) out.max_pages = std::max(out.max_pages, num_pages(run));
  Ints pages(runs.size() * static_cast<std::size_t>(out.max_pages), 0);
  for (std::size_t b = 0; b < runs.size(); ++b) {
    const CacheRun& run = runs[b];
    std::copy_n(run.pages, num_pages(run),
                pages.begin() + static_cast<std::int64_t>(b) * out.max_pages);
    for (std::int64_t i = 0; i < run.num_rows; ++i) {
      sequence.push_back(static_cast<std::int32_t>(b));
      num_keys.push_back(static_cast<std::int32_t>(run.position + i + 1));
    }
  }
  out.pages = upload(pages);
  out.num_sequences = static_cast<std::int64_t>(runs.size());
}

}  // namespace

std::shared_ptr<const Rows> place_rows(const at::Tensor& position, RopeTable& table,
                                       std::span<const std::int64_t> offset,
                                       std::span<const std::int64_t> prefix,
                                       std::span<const CacheRun> runs) {
  auto out = std::make_shared<Rows>();
  const std::int64_t* p = position.const_data_ptr<std::int64_t>();
  table.grow(position.size(0) == 0 ? 0 : *std::max_element(p, p + position.size(0)) + 1);
  Ints sequence, num_keys;
  if (runs.empty()) {
    place_packed(*out, sequence, num_keys, offset, prefix);
  } else {
    place_runs(*out, sequence, num_keys, runs);
  }
  QED_CHECK(static_cast<std::int64_t>(sequence.size()) == position.size(0));
  const std::int32_t most = num_keys.empty() ? 1 : *std::ranges::max_element(num_keys);
  out->max_splits = (most + cuda::kSplit - 1) / cuda::kSplit;
  out->position = here().upload_int32(position);
  out->sequence = upload(sequence);
  out->num_keys = upload(num_keys);
  return out;
}

at::Tensor rotate_and_attend(const at::Tensor& qkv, const Heads& shape, const RopeTable& table,
                             const std::shared_ptr<const Rows>& rows, void* pool) {
  QED_CHECK(qkv.dim() == 2 && qkv.is_contiguous() && qkv.size(1) == shape.qkv_width() &&
                rows->position.size(0) == qkv.size(0),
            "[attention] qkv ", qkv.sizes(), ", heads ", shape.heads, "/", shape.kv_heads);
  if (pool == nullptr && at::GradMode::is_enabled() && qkv.requires_grad()) {
    return RotateAndAttend::apply(qkv, c10::make_intrusive<Call>(shape, table, rows));
  }
  rotate(qkv, shape, table, *rows, pool, 1);
  return attend(qkv, shape, *rows, pool, at::Tensor());
}

}  // namespace qed::ops::gpu
