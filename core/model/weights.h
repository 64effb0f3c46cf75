#pragma once

// The trainable numbers of a model: one flat buffer in the kernels' layout, its gradient, and the
// map to the names and shapes of a Hugging Face checkpoint, which exist only in files.

#include "core/model/config.h"
#include "core/model/safetensors.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace qed {

// The weights of one layer; see weights.cpp for their shapes.
struct LayerWeights {
  at::Tensor input_norm;  // [D]
  at::Tensor qkv;         // panels, [(heads + 2 kv_heads) * head_dim, D]
  at::Tensor qkv_bias;    // padded to panels
  at::Tensor o;           // panels, [D, heads * head_dim]
  at::Tensor post_norm;   // [D]
  at::Tensor gate_up;     // panels, [2 F, D]
  at::Tensor down;        // panels, [D, F]
};

// Not thread-safe while it is being changed.
class Weights {
 public:
  explicit Weights(const ModelConfig& config);  // all zero; gradient zero

  // New weights: embeddings N(0, initializer_range), linears N(0, 0.5 / sqrt(fan_in)), o and down
  // divided by sqrt(2 L) more, biases 0, norms 1. Depends on `seed` and the tensors' names only.
  void init(std::uint64_t seed);
  // Reads every tensor from model.safetensors. Throws Error with file and tensor.
  void load(const SafetensorsFile& file);

  // Any flat buffer in this layout (weights, moments) to named tensors in Hugging Face's, and back.
  std::vector<NamedTensor> to_tensors(const at::Tensor& flat, const std::string& prefix = "") const;
  void from_file(const SafetensorsFile& file, at::Tensor& flat,
                 const std::string& prefix = "") const;

  at::Tensor& flat() { return flat_; }  // [size], float32
  at::Tensor& grad() { return grad_; }  // [size], float32; the leaves' gradients are views of it
  std::int64_t num_parameters() const { return num_parameters_; }  // without padding

  // Leaves of the autograd graph: views of flat().
  at::Tensor embedding, final_norm, lm_head;  // lm_head is embedding where they are tied
  std::vector<LayerWeights> layers;

 private:
  // One tensor of the checkpoint: rows first_row .. of a panel matrix, or a plain vector.
  struct Part {
    std::string name;
    std::int64_t rows, depth;  // depth 0: a vector of `rows` numbers
    std::int64_t offset;       // of the whole panel matrix in the flat buffer
    std::int64_t first_row;
    double init_std;  // 0: `init_value` everywhere
    float init_value;
  };
  struct Leaf {
    at::Tensor* tensor;
    std::int64_t offset;
    std::vector<std::int64_t> shape;
  };

  // Reserves room for a leaf of several parts side by side and registers it.
  void add(at::Tensor& leaf, std::int64_t depth, std::vector<Part> parts);
  void bind();  // makes the leaves views of the flat buffers

  std::int64_t size_ = 0, num_parameters_ = 0;
  std::vector<Part> parts_;
  std::vector<Leaf> leaves_;
  at::Tensor flat_, grad_;
};

}  // namespace qed
