// Llama: Touvron et al., "LLaMA" (2023), section 2.2; with biases Qwen2 (Yang et al., "Qwen2
// Technical Report" (2024), section 2.2), with normed queries and keys Qwen3 ("Qwen3 Technical
// Report" (2025), section 2); Mistral is Llama within its window. As transformers' models.

#include "core/model/transformer.h"

#include "core/ops/embedding.h"
#include "core/ops/linear.h"
#include "core/ops/rms_norm.h"
#include "core/ops/swiglu.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

namespace qed {

namespace {

// Numbers of a model whose weights stay in the cache of every core.
constexpr std::int64_t kSmallModel = 1 << 20;
constexpr std::int64_t kPartRows = 8;  // rows from which on a part of a batch is worth a thread

// Cuts runs into parts of about the same number of rows, one for each thread; [part+1] indices.
std::vector<std::size_t> parts_of(std::span<const ops::CacheRun> runs, std::int64_t rows) {
  const std::int64_t num = std::clamp<std::int64_t>(rows / kPartRows, 1, num_threads());
  std::vector<std::size_t> cut = {0};
  for (std::size_t i = 1; i < runs.size(); ++i) {
    const auto part = static_cast<std::int64_t>(cut.size());
    if (part < num && runs[i].first_row * num >= rows * part) cut.push_back(i);
  }
  cut.push_back(runs.size());
  return cut;
}

ops::Heads heads_of(const ModelConfig& c) {
  return {c.num_attention_heads, c.num_key_value_heads, c.head_dim};
}

}  // namespace

Transformer::Transformer(const ModelConfig& config, WeightsOptions options)
    : config_(config), weights_(config, options), rope_(rope_frequencies(config)) {}

at::Tensor Transformer::attend(std::size_t i, at::Tensor qkv, const at::Tensor& position,
                               const AttentionContext& context) {
  const ops::Heads heads = heads_of(config_);
  void* pool = nullptr;
  if (context.cache != nullptr) pool = context.cache->layer(static_cast<std::int64_t>(i));
  if (context.gpu != nullptr) {
    return ops::gpu::rotate_and_attend(qkv, heads, rope_, context.gpu, pool);
  }
  qkv = ops::rope(qkv, position, rope_, heads.heads + heads.kv_heads);
  if (pool == nullptr) return ops::attention(qkv, heads, context.offset, context.prefix);
  return ops::attention_paged(qkv, heads, static_cast<float*>(pool), context.runs);
}

Transformer::Stream Transformer::layer(std::size_t i, const Stream& in, const at::Tensor& position,
                                       const AttentionContext& context) {
  const ModelConfig& c = config_;
  const LayerWeights& w = weights_.layers[i];
  const ops::Heads heads = heads_of(c);
  const auto eps = static_cast<float>(c.rms_norm_eps);

  at::Tensor x = in.x, h;
  if (in.delta.defined() || context.gpu != nullptr) {  // there, gradients are added in ops only
    std::tie(x, h) = ops::add_norm(x, in.delta, w.input_norm, eps);
  } else {
    h = ops::rms_norm(x, w.input_norm, eps);
  }
  at::Tensor qkv = ops::linear(h, w.qkv, w.qkv_bias, heads.qkv_width());
  if (c.qk_norm) {
    qkv = ops::head_norm(qkv, w.q_norm, w.k_norm, heads.heads, heads.kv_heads, eps);
  }
  h = attend(i, qkv, position, context);
  std::tie(x, h) = ops::add_norm(x, ops::linear(h, w.o, w.o_bias, c.hidden_size), w.post_norm, eps);
  h = ops::swiglu(ops::linear(h, w.gate_up, w.gate_up_bias, 2 * c.intermediate_size));
  return {x, ops::linear(h, w.down, w.down_bias, c.hidden_size)};
}

// A layer that keeps its input alone. The caller's context may be gone before the backward.
struct Transformer::RecomputedLayer : torch::autograd::Function<RecomputedLayer> {
  using List = torch::autograd::variable_list;

  struct Call : torch::CustomClassHolder {
    Transformer* model;
    std::size_t layer;
    at::Tensor position;
    std::vector<std::int64_t> offset, prefix;
    std::shared_ptr<const ops::gpu::Rows> gpu;

    Stream run(const Stream& in) {
      return model->layer(layer, in, position, {.offset = offset, .prefix = prefix, .gpu = gpu});
    }
  };

  static List forward(torch::autograd::AutogradContext* ctx, const at::Tensor& x,
                      const std::optional<at::Tensor>& delta,
                      const c10::intrusive_ptr<Call>& call) {
    const Stream in{x, delta.value_or(at::Tensor())};
    ctx->save_for_backward({in.x, in.delta});
    ctx->saved_data["call"] = c10::IValue::make_capsule(call);
    const Stream out = call->run(in);
    return {out.x, out.delta};
  }

  static List backward(torch::autograd::AutogradContext* ctx, const List& grads) {
    const at::AutoGradMode with_grad(true);
    const List saved = ctx->get_saved_variables();
    const auto call = c10::static_intrusive_pointer_cast<Call>(ctx->saved_data["call"].toCapsule());
    const auto input = [](const at::Tensor& t) {
      return t.defined() ? t.detach().requires_grad_() : t;
    };
    const Stream in{input(saved[0]), input(saved[1])};
    const Stream out = call->run(in);
    if (call->gpu != nullptr) {  // no gradient is copied, and those of weights are added in ops
      const List inputs = in.delta.defined() ? List{in.x, in.delta} : List{in.x};
      List found = torch::autograd::grad({out.x, out.delta}, inputs, grads);
      found.resize(3);
      if (!in.delta.defined()) found[1] = at::Tensor();
      return found;
    }
    torch::autograd::backward({out.x, out.delta}, grads);
    return {in.x.grad(), in.delta.defined() ? in.delta.grad() : at::Tensor(), at::Tensor()};
  }

  static Stream apply_to(Transformer& model, std::size_t i, const Stream& in,
                         const at::Tensor& position, const AttentionContext& context) {
    auto call = c10::make_intrusive<Call>();
    call->model = &model;
    call->layer = i;
    call->position = position;
    call->offset.assign(context.offset.begin(), context.offset.end());
    call->prefix.assign(context.prefix.begin(), context.prefix.end());
    call->gpu = context.gpu;
    const List out = apply(in.x, in.delta.defined() ? std::optional(in.delta) : std::nullopt, call);
    return {out[0], out[1]};
  }
};

at::Tensor Transformer::forward(const at::Tensor& id, const at::Tensor& position,
                                const AttentionContext& context) {
  if (ops::device() != nullptr) {
    AttentionContext placed = context;
    placed.gpu =
        ops::gpu::place_rows(position, rope_, context.offset, context.prefix, context.runs);
    return run_layers(id, position, placed);
  }
  if (context.cache == nullptr || !is_small()) return run_layers(id, position, context);
  const std::vector<std::size_t> cut = parts_of(context.runs, id.size(0));
  if (cut.size() == 2) return run_layers(id, position, context);
  // The rows of a run go through all layers on one thread, which saves the wait after each op.
  const std::int64_t dim = config_.hidden_size;
  at::Tensor h = at::empty({id.size(0), dim}, at::kFloat);
  parallel_for(static_cast<std::int64_t>(cut.size()) - 1, 1, [&](auto begin, auto end) {
    const at::NoGradGuard no_grad;  // a thread's own
    for (auto p = static_cast<std::size_t>(begin); p < static_cast<std::size_t>(end); ++p) {
      const auto part = context.runs.subspan(cut[p], cut[p + 1] - cut[p]);
      const std::int64_t first = part.front().first_row;
      const std::int64_t rows = part.back().first_row + part.back().num_rows - first;
      std::vector<ops::CacheRun> runs(part.begin(), part.end());
      for (ops::CacheRun& run : runs) run.first_row -= first;
      const at::Tensor out = run_layers(id.narrow(0, first, rows), position.narrow(0, first, rows),
                                        {.offset = {}, .cache = context.cache, .runs = runs});
      std::copy_n(out.const_data_ptr<float>(), rows * dim, h.data_ptr<float>() + first * dim);
    }
  });
  return h;
}

at::Tensor Transformer::run_layers(const at::Tensor& id, const at::Tensor& position,
                                   const AttentionContext& context) {
  const bool recompute = context.recompute && at::GradMode::is_enabled();
  Stream s{ops::embedding(id, weights_.embedding), {}};
  for (std::size_t i = 0; i < weights_.layers.size(); ++i) {
    s = recompute ? RecomputedLayer::apply_to(*this, i, s, position, context)
                  : layer(i, s, position, context);
  }
  return ops::add_norm(s.x, s.delta, weights_.final_norm, static_cast<float>(config_.rms_norm_eps))
      .second;
}

bool Transformer::is_small() const {
  return ops::device() == nullptr && weights_.num_parameters() <= kSmallModel;
}

Transformer& Transformer::track(std::size_t i) {
  while (tracks_.size() < i) {
    tracks_.push_back(std::make_unique<Transformer>(config_, weights_.options()));
    tracks_.back()->weights_.share(weights_);
  }
  return i == 0 ? *this : *tracks_[i - 1];
}

at::Tensor Transformer::logits(const at::Tensor& h) {
  const at::NoGradGuard no_grad;
  if (ops::device() != nullptr) {
    return ops::gpu::linear(h, weights_.lm_head, {}, config_.vocab_size, at::kFloat);
  }
  return ops::linear(h, weights_.lm_head, {}, config_.vocab_size);
}

at::Tensor Transformer::values(const at::Tensor& h) {
  QED_CHECK(config_.value_head);
  const at::Tensor values = ops::linear(h, weights_.lm_head, {}, 1);
  return (ops::device() != nullptr ? ops::gpu::to_host(values) : values).view({h.size(0)});
}

ops::TokenLogp Transformer::token_logp(const at::Tensor& h, const at::Tensor& target,
                                       const at::Tensor& inv_temperature,
                                       std::shared_ptr<const ops::Support> support) {
  return ops::token_logp(h, weights_.lm_head, config_.vocab_size, target, inv_temperature,
                         std::move(support));
}

}  // namespace qed
