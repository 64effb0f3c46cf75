#pragma once

// The model: one forward over packed rows, for prefill, decoding, scoring and training alike.

#include "core/model/config.h"
#include "core/model/kv_cache.h"
#include "core/model/weights.h"
#include "core/ops/attention.h"
#include "core/ops/gpu.h"
#include "core/ops/rope.h"
#include "core/ops/token_logp.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace qed {

// Where the rows of a forward find their keys: in the same rows, or in a cache.
struct AttentionContext {
  std::span<const std::int64_t> offset;       // sequence b is rows offset[b] .. offset[b+1]-1,
  std::span<const std::int64_t> prefix = {};  // after those of prefix[b]; see ops/attention.h; or
  KvCache* cache = nullptr;                   // rows go to, and see, their pages
  std::span<const ops::CacheRun> runs = {};   // with a cache: they cover the rows
  // In training, keep the input of each layer alone, and compute the layer again in the backward:
  // less memory, a third more arithmetic, the same bits.
  bool recompute = false;
  std::shared_ptr<const ops::gpu::Rows> gpu = nullptr;  // set by forward(), where it has a GPU
};

class Transformer {
 public:
  explicit Transformer(const ModelConfig& config, WeightsOptions options = {});  // weights 0

  // Hidden states after the last norm, [T, D]. id and position: [T] int64. Differentiable unless a
  // cache is used. Row t depends on its own sequence up to t, to the bit.
  at::Tensor forward(const at::Tensor& id, const at::Tensor& position,
                     const AttentionContext& context);

  // Logits of hidden states, [T, V] float32; no gradient. For generation, which needs few rows at a
  // time.
  at::Tensor logits(const at::Tensor& h);

  // Values of hidden states, [T] on the host, of a model with a value head. Differentiable.
  at::Tensor values(const at::Tensor& h);

  // Log-probs of tokens given hidden states; see ops/token_logp.h.
  ops::TokenLogp token_logp(const at::Tensor& h, const at::Tensor& target,
                            const at::Tensor& inv_temperature,
                            std::shared_ptr<const ops::Support> support);

  // True where sequences are better spread over threads than the rows of each op.
  bool is_small() const;
  // A model with these weights and a gradient of its own, made at the first call; 0: this one. For
  // micro-batches that train side by side, see train/tracks.h. Not thread-safe.
  Transformer& track(std::size_t i);

  const ModelConfig& config() const { return config_; }
  Weights& weights() { return weights_; }

 private:
  // What goes from layer to layer: the residual stream, and what the last layer adds to it.
  struct Stream {
    at::Tensor x, delta;  // [T, D]; no delta before the first layer
  };
  struct RecomputedLayer;

  at::Tensor run_layers(const at::Tensor& id, const at::Tensor& position,
                        const AttentionContext& context);
  Stream layer(std::size_t i, const Stream& in, const at::Tensor& position,
               const AttentionContext& context);
  at::Tensor attend(std::size_t i, at::Tensor qkv, const at::Tensor& position,
                    const AttentionContext& context);

  ModelConfig config_;
  Weights weights_;
  ops::RopeTable rope_;
  std::vector<std::unique_ptr<Transformer>> tracks_;  // 1, 2, ...
};

}  // namespace qed
