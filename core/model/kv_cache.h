#pragma once

// Keys and values of sequences in generation: `slots` sequences of at most `capacity` positions
// each, for every layer. Float32, allocated once.

#include "core/model/config.h"
#include "core/ops/attention.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace qed {

class KvCache {
 public:
  KvCache(const ModelConfig& c, std::int64_t slots, std::int64_t capacity)
      : capacity_(capacity),
        width_(c.num_key_value_heads * c.head_dim),
        layer_size_(slots * capacity * width_),
        data_(2 * c.num_hidden_layers * layer_size_) {}

  ops::CacheLayer layer(std::int64_t i) {
    float* k = data_.data() + 2 * i * layer_size_;
    return {k, k + layer_size_, capacity_};
  }

  // Copies the first `length` positions of a slot to another.
  void copy(std::int64_t from, std::int64_t to, std::int64_t length) {
    const std::int64_t slot_size = capacity_ * width_;
    for (float* at = data_.data(); at != data_.data() + data_.size(); at += layer_size_) {
      std::copy_n(at + from * slot_size, length * width_, at + to * slot_size);
    }
  }

  std::int64_t capacity() const { return capacity_; }

 private:
  std::int64_t capacity_, width_, layer_size_;
  std::vector<float> data_;
};

}  // namespace qed
