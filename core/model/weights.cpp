#include "core/model/weights.h"

#include "core/ops/gemm.h"
#include "core/ops/gpu.h"
#include "core/util/error.h"
#include "core/util/pages.h"
#include "core/util/parallel.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <utility>

namespace qed {

namespace {

using ops::kLanes;
using ops::num_panels;

constexpr float kOne = 1;

at::Tensor zeros(std::int64_t size) {
  if (ops::device() != nullptr) return ops::device()->zeros({size}, at::kFloat);
  auto pages = zero_pages(static_cast<std::size_t>(size) * sizeof(float));
  float* data = reinterpret_cast<float*>(pages.get());
  return at::from_blob(
      data, {size}, [pages](void*) mutable { pages.reset(); }, at::kFloat);
}

// to = from, number by number, on any device and of any type.
void copy_numbers(const at::Tensor& to, const at::Tensor& from) {
  if (ops::device() == nullptr) {
    to.copy_(from);
  } else if (to.scalar_type() == from.scalar_type()) {
    ops::device()->copy(to, from);
  } else {
    ops::device()->run(ops::device()->table().convert,
                       cuda::ConvertArgs{.n = from.numel(),
                                         .from_dtype = ops::gpu::dtype_of(from),
                                         .to_dtype = ops::gpu::dtype_of(to),
                                         .from = from.const_data_ptr(),
                                         .to = to.mutable_data_ptr()});
  }
}

}  // namespace

Weights::Weights(const ModelConfig& c, WeightsOptions options) : options_(options) {
  QED_CHECK(options.dtype == Dtype::kFloat32 || options.dtype == Dtype::kBfloat16);
  Specs specs;
  for (TensorSpec& spec : checkpoint_tensors(c)) specs[spec.name] = spec;
  layers.resize(static_cast<std::size_t>(c.num_hidden_layers));
  add(embedding, specs, {"model.embed_tokens.weight"}, c.initializer_range);
  for (std::int64_t i = 0; i < c.num_hidden_layers; ++i) add_layer(c, i, specs);
  add(final_norm, specs, {"model.norm.weight"}, 0, kOne);
  add(lm_head, specs, {"lm_head.weight"}, c.initializer_range);
  add(lm_head, specs, {"score.weight"}, 0);
  QED_CHECK(specs_.size() == specs.size());
  bind();
  if (!lm_head.defined()) lm_head = embedding;
}

void Weights::add_layer(const ModelConfig& c, std::int64_t i, const Specs& specs) {
  const auto linear = [](std::int64_t fan_in) {
    return 0.5 / std::sqrt(static_cast<double>(fan_in));
  };
  const double residual = 1 / std::sqrt(2.0 * static_cast<double>(c.num_hidden_layers));
  const std::int64_t d = c.hidden_size;
  LayerWeights& l = layers[static_cast<std::size_t>(i)];
  const std::string at = "model.layers." + std::to_string(i) + ".";
  const std::string attn = at + "self_attn.", mlp = at + "mlp.";
  add(l.input_norm, specs, {at + "input_layernorm.weight"}, 0, kOne);
  add(l.qkv, specs, {attn + "q_proj.weight", attn + "k_proj.weight", attn + "v_proj.weight"},
      linear(d));
  add(l.qkv_bias, specs, {attn + "q_proj.bias", attn + "k_proj.bias", attn + "v_proj.bias"}, 0);
  add(l.q_norm, specs, {attn + "q_norm.weight"}, 0, kOne);
  add(l.k_norm, specs, {attn + "k_norm.weight"}, 0, kOne);
  add(l.o, specs, {attn + "o_proj.weight"}, linear(c.q_width()) * residual);
  add(l.o_bias, specs, {attn + "o_proj.bias"}, 0);
  add(l.post_norm, specs, {at + "post_attention_layernorm.weight"}, 0, kOne);
  add(l.gate_up, specs, {mlp + "gate_proj.weight", mlp + "up_proj.weight"}, linear(d));
  add(l.gate_up_bias, specs, {mlp + "gate_proj.bias", mlp + "up_proj.bias"}, 0);
  add(l.down, specs, {mlp + "down_proj.weight"}, linear(c.intermediate_size) * residual);
  add(l.down_bias, specs, {mlp + "down_proj.bias"}, 0);
}

void Weights::add(at::Tensor& leaf, const Specs& specs, const std::vector<std::string>& names,
                  double init_std, float init_value) {
  if (!specs.contains(names.front())) return;
  std::int64_t rows = 0, depth = 1;
  bool is_matrix = false;
  for (const std::string& name : names) {
    const TensorSpec& spec = specs.at(name);
    is_matrix = spec.shape.size() == 2;
    depth = is_matrix ? spec.shape[1] : 1;
    specs_.push_back(spec);
    parts_.push_back({is_matrix, depth, size_, rows, init_std, init_value});
    rows += spec.shape[0];
    num_parameters_ += spec.numel();
  }
  // A bias is as long as its panels; a norm's width is its true width.
  const bool is_bias = !is_matrix && init_value == 0;
  const std::int64_t padded = num_panels(rows) * kLanes;
  std::vector<std::int64_t> shape = {is_bias ? padded : rows};
  if (is_matrix && ops::device() != nullptr) {
    shape = {rows, depth};
  } else if (is_matrix) {
    shape = {num_panels(rows), depth, kLanes};
  }
  const std::int64_t size = padded * depth / (is_half(is_matrix) ? 2 : 1);
  leaves_.push_back({&leaf, is_matrix, size_, size, std::move(shape)});
  size_ += (size + kLanes - 1) / kLanes * kLanes;  // each leaf starts at a cache line
}

void Weights::bind() {
  flat_ = zeros(size_);
  if (options_.is_trainable) grad_ = zeros(size_);
  const bool rounds = options_.is_trainable && options_.dtype == Dtype::kBfloat16;
  if (rounds) rounded_ = zeros((size_ + 1) / 2).view(at::kBFloat16);
  for (const Leaf& leaf : leaves_) {
    if (rounds) {
      *leaf.tensor = leaf.is_matrix             ? view(rounded_, leaf, at::kBFloat16)
                     : ops::device() != nullptr ? ops::device()->zeros(leaf.shape, at::kFloat)
                                                : at::zeros(leaf.shape, at::kFloat);
    } else {
      *leaf.tensor = view(flat_, leaf, is_half(leaf.is_matrix) ? at::kBFloat16 : at::kFloat);
    }
    if (!options_.is_trainable) continue;
    leaf.tensor->set_requires_grad(true);
    leaf.tensor->mutable_grad() = view(grad_, leaf, at::kFloat);
  }
}

at::Tensor Weights::view(const at::Tensor& flat, const Leaf& leaf, at::ScalarType type) {
  const at::Tensor whole = flat.narrow(0, leaf.offset, leaf.size).view(type);
  std::int64_t n = 1;
  for (const auto s : leaf.shape) n *= s;
  return whole.narrow(0, 0, n).view(leaf.shape).detach();
}

std::uint16_t* Weights::rounded_data() const {
  return is_rounded() ? reinterpret_cast<std::uint16_t*>(rounded_.data_ptr<at::BFloat16>())
                      : nullptr;
}

void Weights::round(std::int64_t begin, std::int64_t size) {
  if (!is_rounded()) return;
  ops::cpu_kernels().round_bfloat16(flat_.const_data_ptr<float>() + begin, rounded_data() + begin,
                                    size);
}

void Weights::publish() {
  if (!is_rounded()) return;
  const at::NoGradGuard no_grad;
  for (const Leaf& leaf : leaves_) {
    if (!leaf.is_matrix) copy_numbers(*leaf.tensor, view(rounded_, leaf, at::kBFloat16));
  }
}

void Weights::sync() {
  constexpr std::int64_t kGrain = 1 << 16;
  if (is_rounded() && ops::device() != nullptr) {
    copy_numbers(rounded_.narrow(0, 0, size_), flat_);
    return publish();
  }
  parallel_for(size_, kGrain,
               [&](std::int64_t begin, std::int64_t end) { round(begin, end - begin); });
  publish();
}

void Weights::load(const TensorSet& set) {
  read(set, flat_);
  sync();
}

void Weights::assign(const Weights& from) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    const Leaf& to = leaves_[i];
    if (to.tensor == &lm_head && specs_.back().name != from.specs_.back().name) continue;
    copy_numbers(view(flat_, to, is_half(to.is_matrix) ? at::kBFloat16 : at::kFloat),
                 *from.leaves_.at(i).tensor);
  }
  sync();
}

void Weights::share(const Weights& from) {
  const bool is_tied = lm_head.is_same(embedding);
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    const Leaf& leaf = leaves_[i];
    *leaf.tensor = from.leaves_.at(i).tensor->detach();
    leaf.tensor->set_requires_grad(true);
    leaf.tensor->mutable_grad() = view(grad_, leaf, at::kFloat);
  }
  if (is_tied) lm_head = embedding;
}

}  // namespace qed
