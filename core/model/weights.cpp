#include "core/model/weights.h"

#include "core/ops/gemm.h"
#include "core/util/error.h"

#include "qed/philox.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace qed {

namespace {

using ops::kLanes;
using ops::num_panels;

// One draw of N(0, 1): Box-Muller on the i-th counter of the tensor's key.
double normal(std::uint64_t key, std::uint64_t i) {
  const auto bits = philox(key, i);
  const double u = (((std::uint64_t{bits[1]} << 32 | bits[0]) >> 11) + 1) * 0x1p-53;  // (0, 1]
  const double angle = (std::uint64_t{bits[3]} << 32 | bits[2]) * 0x1p-64;
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * angle);
}

}  // namespace

Weights::Weights(const ModelConfig& c) {
  const std::int64_t d = c.hidden_size, f = c.intermediate_size;
  const std::int64_t q = c.num_attention_heads * c.head_dim,
                     kv = c.num_key_value_heads * c.head_dim;
  const auto linear = [](std::int64_t fan_in) {
    return 0.5 / std::sqrt(static_cast<double>(fan_in));
  };
  const double residual = 1 / std::sqrt(2.0 * static_cast<double>(c.num_hidden_layers));
  const auto matrix = [](std::string name, std::int64_t rows, double init_std) {
    return Part{std::move(name), rows, 0, 0, 0, init_std, 0};
  };
  const auto vector = [](std::string name, std::int64_t n, float value) {
    return Part{std::move(name), n, 0, 0, 0, 0, value};
  };

  layers.resize(c.num_hidden_layers);
  add(embedding, d, {matrix("model.embed_tokens.weight", c.vocab_size, c.initializer_range)});
  for (std::size_t i = 0; i < layers.size(); ++i) {
    LayerWeights& l = layers[i];
    const std::string at = "model.layers." + std::to_string(i) + ".";
    const std::string attn = at + "self_attn.", mlp = at + "mlp.";
    add(l.input_norm, 0, {vector(at + "input_layernorm.weight", d, 1)});
    add(l.qkv, d,
        {matrix(attn + "q_proj.weight", q, linear(d)),
         matrix(attn + "k_proj.weight", kv, linear(d)),
         matrix(attn + "v_proj.weight", kv, linear(d))});
    add(l.qkv_bias, 0,
        {vector(attn + "q_proj.bias", q, 0), vector(attn + "k_proj.bias", kv, 0),
         vector(attn + "v_proj.bias", kv, 0)});
    add(l.o, q, {matrix(attn + "o_proj.weight", d, linear(q) * residual)});
    add(l.post_norm, 0, {vector(at + "post_attention_layernorm.weight", d, 1)});
    add(l.gate_up, d,
        {matrix(mlp + "gate_proj.weight", f, linear(d)),
         matrix(mlp + "up_proj.weight", f, linear(d))});
    add(l.down, f, {matrix(mlp + "down_proj.weight", d, linear(f) * residual)});
  }
  add(final_norm, 0, {vector("model.norm.weight", d, 1)});
  if (!c.tie_word_embeddings)
    add(lm_head, d, {matrix("lm_head.weight", c.vocab_size, c.initializer_range)});
  bind();
  if (c.tie_word_embeddings) lm_head = embedding;
}

void Weights::add(at::Tensor& leaf, std::int64_t depth, std::vector<Part> parts) {
  std::int64_t rows = 0;
  for (Part& part : parts) {
    part.depth = depth;
    part.offset = size_;
    part.first_row = rows;
    rows += part.rows;
    num_parameters_ += part.rows * std::max<std::int64_t>(depth, 1);
    parts_.push_back(std::move(part));
  }
  // A vector is as long as its parts, rounded up to whole lanes; a norm's width is its true width.
  const std::int64_t padded = num_panels(rows) * kLanes;
  if (depth > 0) {
    leaves_.push_back({&leaf, size_, {num_panels(rows), depth, kLanes}});
    size_ += padded * depth;
  } else {
    leaves_.push_back({&leaf, size_, {parts.size() > 1 ? padded : rows}});
    size_ += padded;
  }
}

void Weights::bind() {
  flat_ = at::zeros({size_}, at::kFloat);
  grad_ = at::zeros({size_}, at::kFloat);
  for (const Leaf& leaf : leaves_) {
    std::int64_t n = 1;
    for (const auto s : leaf.shape) n *= s;
    *leaf.tensor = flat_.narrow(0, leaf.offset, n).view(leaf.shape).detach();
    leaf.tensor->set_requires_grad(true);
    leaf.tensor->mutable_grad() = grad_.narrow(0, leaf.offset, n).view(leaf.shape);
  }
}

void Weights::init(std::uint64_t seed) {
  float* flat = flat_.data_ptr<float>();
  for (const Part& part : parts_) {
    const std::int64_t depth = std::max<std::int64_t>(part.depth, 1);
    const std::uint64_t key = KeyHash().add(seed).add("init").add(part.name).value();
    std::vector<float> values(part.rows * depth, part.init_value);
    if (part.init_std > 0) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(part.init_std * normal(key, i));
      }
    }
    if (part.depth == 0) {
      std::copy(values.begin(), values.end(), flat + part.offset + part.first_row);
    } else {
      ops::to_panels(values.data(), part.rows, depth, flat + part.offset, part.first_row);
    }
  }
}

void Weights::load(const SafetensorsFile& file) {
  for (const std::string& name : file.names()) {
    const bool known =
        std::any_of(parts_.begin(), parts_.end(), [&](const Part& p) { return p.name == name; });
    if (!known && name != "lm_head.weight") {  // a tied model may carry a copy of its embedding
      throw Error(cat(file.path(), " has a tensor `", name,
                      "` that a qwen2 model of its config.json lacks"));
    }
  }
  from_file(file, flat_);
}

std::vector<NamedTensor> Weights::to_tensors(const at::Tensor& flat,
                                             const std::string& prefix) const {
  const float* from = flat.const_data_ptr<float>();
  std::vector<NamedTensor> out;
  for (const Part& part : parts_) {
    NamedTensor t{prefix + part.name, {part.rows}, {}};
    t.data.resize(part.rows * std::max<std::int64_t>(part.depth, 1));
    if (part.depth == 0) {
      std::copy_n(from + part.offset + part.first_row, part.rows, t.data.begin());
    } else {
      t.shape.push_back(part.depth);
      ops::from_panels(from + part.offset, part.first_row, part.rows, part.depth, t.data.data());
    }
    out.push_back(std::move(t));
  }
  return out;
}

void Weights::from_file(const SafetensorsFile& file, at::Tensor& flat,
                        const std::string& prefix) const {
  float* to = flat.data_ptr<float>();
  for (const Part& part : parts_) {
    std::vector<std::int64_t> shape = {part.rows};
    if (part.depth > 0) shape.push_back(part.depth);
    const auto values = file.f32(prefix + part.name, shape);
    if (!std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); })) {
      throw Error(
          cat("`", prefix, part.name, "` in ", file.path(), " holds a number that is not finite"));
    }
    if (part.depth == 0) {
      std::copy(values.begin(), values.end(), to + part.offset + part.first_row);
    } else {
      ops::to_panels(values.data(), part.rows, part.depth, to + part.offset, part.first_row);
    }
  }
}

}  // namespace qed
