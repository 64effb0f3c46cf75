#pragma once

// The numbers of a model: one flat buffer in the kernels' layout, its gradient where it is trained,
// and the map to the names and shapes of a Hugging Face checkpoint, which exist only in files.
//
// Matrices are panels [ceil(N/16), K, 16] of float32 or bfloat16; vectors are float32 always.

#include "core/model/config.h"
#include "core/model/dtype.h"
#include "core/model/safetensors.h"
#include "core/model/tensor_set.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace qed {

// The weights of one layer: D width, F of the MLP. A tensor that the family lacks is undefined.
struct LayerWeights {
  at::Tensor input_norm;             // [D]
  at::Tensor qkv, qkv_bias;          // panels, [(heads + 2 kv_heads) * head_dim, D]
  at::Tensor q_norm, k_norm;         // [head_dim]
  at::Tensor o, o_bias;              // panels, [D, heads * head_dim]
  at::Tensor post_norm;              // [D]
  at::Tensor gate_up, gate_up_bias;  // panels, [2 F, D]
  at::Tensor down, down_bias;        // panels, [D, F]
};                                   // biases are padded to whole panels

struct WeightsOptions {
  Dtype dtype = Dtype::kFloat32;  // of matrices: kFloat32 or kBfloat16
  bool is_trainable = true;       // has a gradient; float32 only
};

// Not thread-safe while it is being changed.
class Weights {
 public:
  explicit Weights(const ModelConfig& config, WeightsOptions options = {});  // all zero

  // New weights: embeddings N(0, initializer_range), linears N(0, 0.5 / sqrt(fan_in)), o and down
  // divided by sqrt(2 L) more, biases and value heads 0, norms 1. Depends on `seed` and the
  // tensors' names only.
  void init(std::uint64_t seed);
  // Reads every tensor; the set was checked to hold them. Throws Error with file and tensor when a
  // number is not finite.
  void load(const TensorSet& set) { read(set, flat_); }

  // The tensors of a checkpoint, in the order of flat(), and rows of them in any flat buffer of
  // this layout: the weights, or an optimizer's moments.
  const std::vector<TensorSpec>& tensors() const { return specs_; }
  RowSource rows(const at::Tensor& flat) const;
  // The way back: reads every tensor, under its name after `prefix`, into a flat buffer.
  void read(const TensorSet& set, at::Tensor& flat, const std::string& prefix = "") const;

  at::Tensor& flat() { return flat_; }  // [size] float32: two bfloat16 share one of its numbers
  at::Tensor& grad() {
    return grad_;
  }  // [size] float32, viewed by the leaves'; undefined where
     // they are not trained
  const WeightsOptions& options() const { return options_; }
  std::int64_t num_parameters() const { return num_parameters_; }  // without padding

  // Views of flat(); where trained, leaves of the autograd graph.
  // lm_head is embedding where they are tied, and the one row of a value head.
  at::Tensor embedding, final_norm, lm_head;
  std::vector<LayerWeights> layers;

 private:
  // One tensor of the checkpoint: rows first_row .. of a panel matrix, or numbers first_row .. of a
  // vector.
  struct Part {
    bool is_matrix;
    std::int64_t depth;      // of the matrix; 1 for a vector
    std::int64_t offset;     // of the whole leaf in the flat buffer
    std::int64_t first_row;  // in the leaf
    double init_std;         // 0: `init_value` everywhere
    float init_value;
  };
  struct Leaf {
    at::Tensor* tensor;
    bool is_matrix;
    std::int64_t offset, size;  // in the flat buffer
    std::vector<std::int64_t> shape;
  };
  using Specs = std::map<std::string, TensorSpec>;

  void add_layer(const ModelConfig& config, std::int64_t i, const Specs& specs);
  // Reserves room for a leaf of several tensors side by side; nothing where the model has none.
  void add(at::Tensor& leaf, const Specs& specs, const std::vector<std::string>& names,
           double init_std, float init_value = 0);
  void bind();  // makes the leaves views of the flat buffers
  void get(const at::Tensor& flat, std::size_t part, std::int64_t first_row, std::int64_t num_rows,
           float* out) const;
  void put(const float* from, std::size_t part, std::int64_t first_row, std::int64_t num_rows,
           at::Tensor& flat) const;

  WeightsOptions options_;
  std::int64_t size_ = 0, num_parameters_ = 0;
  std::vector<TensorSpec> specs_;
  std::vector<Part> parts_;  // of specs_
  std::vector<Leaf> leaves_;
  at::Tensor flat_, grad_;
};

}  // namespace qed
