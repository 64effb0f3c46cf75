#pragma once

// Keys and values of sequences in generation: a pool of pages of 16 positions, each for all layers.
// Which sequence a page belongs to is the caller's business. Float32, allocated once.

#include "core/model/config.h"
#include "core/ops/attention.h"
#include "core/util/pages.h"

#include <algorithm>
#include <cstdint>
#include <memory>

namespace qed {

class KvCache {
 public:
  KvCache(const ModelConfig& c, std::int64_t num_pages)
      : num_layers_(c.num_hidden_layers),
        num_pages_(num_pages),
        page_floats_(ops::page_floats({c.num_attention_heads, c.num_key_value_heads, c.head_dim})),
        // A page costs memory only once it is written.
        data_(zero_pages(static_cast<std::size_t>(num_layers_ * num_pages_ * page_floats_) *
                         sizeof(float))) {}

  static std::int64_t page_bytes(const ModelConfig& c) {
    const ops::Heads heads{c.num_attention_heads, c.num_key_value_heads, c.head_dim};
    return c.num_hidden_layers * ops::page_floats(heads) * static_cast<std::int64_t>(sizeof(float));
  }

  float* layer(std::int64_t i) {
    return reinterpret_cast<float*>(data_.get()) + i * num_pages_ * page_floats_;
  }
  std::int64_t num_pages() const { return num_pages_; }

  // Copies a page, in all layers.
  void copy(std::int32_t from, std::int32_t to) {
    for (std::int64_t i = 0; i < num_layers_; ++i) {
      std::copy_n(layer(i) + from * page_floats_, page_floats_, layer(i) + to * page_floats_);
    }
  }

 private:
  std::int64_t num_layers_, num_pages_, page_floats_;
  std::shared_ptr<char> data_;
};

}  // namespace qed
