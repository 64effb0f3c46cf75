#pragma once

// The numbers of a model: one flat buffer in the kernels' layout, its gradient where it is trained,
// and the map to the names and shapes of a Hugging Face checkpoint, which exist only in files.
//
// Matrices are panels [ceil(N/16), K, 16] of float32 or bfloat16, on a GPU [N, K]; vectors are
// float32 always.
//
// A model that is trained in bfloat16 has its numbers twice: the weights that the optimizer
// changes, in float32, and what the kernels read, those rounded to bfloat16 (Micikevicius et al.,
// "Mixed Precision Training" (2018), section 3.1), vectors too: the files of the model, which are
// bfloat16, hold exactly what generates and what is trained.

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
  Dtype dtype = Dtype::kFloat32;  // of the matrices that kernels read: kFloat32 or kBfloat16
  bool is_trainable = true;       // has a gradient, which is float32
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
  void load(const TensorSet& set);
  // Takes what the kernels of another model read; its output layer where both have the same.
  void assign(const Weights& from);

  // Reads the numbers of `from`, of the same shape, from now on: what changes there changes here.
  // The gradient stays its own, and flat() is not to be used.
  void share(const Weights& from);

  // The tensors of a checkpoint, in the order of flat(), and rows of them in any flat buffer of
  // this layout: the weights, or an optimizer's moments.
  const std::vector<TensorSpec>& tensors() const { return specs_; }
  RowSource rows(const at::Tensor& flat) const;
  // The way back: reads every tensor, under its name after `prefix`, into a flat buffer.
  void read(const TensorSet& set, at::Tensor& flat, const std::string& prefix = "") const;

  at::Tensor& flat() { return flat_; }  // [size] float32; untrained bfloat16 share it in pairs
  at::Tensor& grad() { return grad_; }  // [size] float32; undefined where nothing is trained
  // True when the kernels read a rounded copy of flat(). Whoever changes flat() calls round() for
  // all of it, in parts, on any threads, then publish(); or sync(), which does both.
  bool is_rounded() const { return rounded_.defined(); }
  void round(std::int64_t begin, std::int64_t size);
  void publish();
  void sync();
  std::uint16_t* rounded_data() const;  // [size], or null
  const WeightsOptions& options() const { return options_; }
  std::int64_t num_parameters() const { return num_parameters_; }  // without padding

  // Views of flat(), or its copy; where trained, leaves of the autograd graph with views of grad().
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
  static at::Tensor view(const at::Tensor& flat, const Leaf& leaf, at::ScalarType type);
  void bind();                          // makes the leaves views of the flat buffers
  bool is_half(bool is_matrix) const {  // in flat()
    return is_matrix && options_.dtype == Dtype::kBfloat16 && !options_.is_trainable;
  }
  at::Tensor on_device(const at::Tensor& flat, std::size_t part, std::int64_t first_row,
                       std::int64_t num_rows) const;
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
  at::Tensor rounded_;  // [size] bfloat16 of flat_; undefined where no copy is kept
};

}  // namespace qed
