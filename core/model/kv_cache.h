#pragma once

// Keys and values of sequences in generation: a pool of pages of 16 positions, each for all layers.
// Which sequence a page belongs to is the caller's business. Allocated once: float32, on a GPU of
// the type that the model computes in.

#include "core/model/config.h"
#include "core/model/dtype.h"
#include "core/ops/attention.h"
#include "core/ops/device.h"
#include "core/util/pages.h"

#include <cstdint>
#include <cstring>
#include <memory>

namespace qed {

class KvCache {
 public:
  KvCache(const ModelConfig& c, std::int64_t num_pages, Dtype dtype = Dtype::kFloat32)
      : num_layers_(c.num_hidden_layers),
        num_pages_(num_pages),
        page_bytes_(page_bytes(c, dtype) / num_layers_) {
    const std::int64_t bytes = num_layers_ * num_pages_ * page_bytes_;
    if (ops::device() != nullptr) {
      on_device_ = ops::device()->empty({bytes}, at::kByte);
    } else {
      data_ = zero_pages(static_cast<std::size_t>(bytes));  // costs memory once it is written
    }
  }

  // Of all layers.
  static std::int64_t page_bytes(const ModelConfig& c, Dtype dtype = Dtype::kFloat32) {
    const ops::Heads heads{c.num_attention_heads, c.num_key_value_heads, c.head_dim};
    const bool is_half = ops::device() != nullptr && dtype == Dtype::kBfloat16;
    return c.num_hidden_layers * ops::page_floats(heads) * (is_half ? 2 : 4);
  }

  // The pages of a layer.
  void* layer(std::int64_t i) { return base() + i * num_pages_ * page_bytes_; }
  std::int64_t num_pages() const { return num_pages_; }

  // Copies a page, in all layers.
  void copy(std::int32_t from, std::int32_t to) {
    for (std::int64_t i = 0; i < num_layers_; ++i) {
      const std::int64_t first = i * num_pages_ * page_bytes_;
      const std::int64_t a = first + from * page_bytes_, b = first + to * page_bytes_;
      if (ops::device() != nullptr) {
        ops::device()->copy(on_device_.narrow(0, b, page_bytes_),
                            on_device_.narrow(0, a, page_bytes_));
      } else {
        std::memcpy(base() + b, base() + a, static_cast<std::size_t>(page_bytes_));
      }
    }
  }

 private:
  char* base() {
    return on_device_.defined() ? static_cast<char*>(on_device_.mutable_data_ptr()) : data_.get();
  }

  std::int64_t num_layers_, num_pages_, page_bytes_;
  std::shared_ptr<char> data_;
  at::Tensor on_device_;
};

}  // namespace qed
