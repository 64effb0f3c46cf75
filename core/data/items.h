#pragma once

// Which items a run sees, and in which order. Orders are pure functions of a key, so a checkpoint
// needs a cursor only.

#include "core/host/task.h"
#include "qed/philox.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace qed {

// The first `n` items of an evaluation split with different keys, by index; all of a smaller split.
// The same for every run seed.
std::vector<Item> evaluation_items(const Task& task, std::string_view split, std::int64_t n);

// 0 .. n-1 in an order fixed by `key`.
std::vector<std::uint64_t> shuffled(std::uint64_t n, std::uint64_t key);

// Epoch after epoch over 0 .. n-1, each in an order of its own. Not thread-safe.
class EpochOrder {
 public:
  EpochOrder(std::uint64_t n, KeyHash key) : n_(n), key_(key) {}
  // The index at `position`, counted from the start of the first epoch; n > 0.
  std::uint64_t at(std::uint64_t position);

 private:
  std::uint64_t n_;
  KeyHash key_;
  std::uint64_t epoch_ = UINT64_MAX;
  std::vector<std::uint64_t> order_;  // of that epoch
};

// An endless stream of a split's items: epoch after epoch in shuffled order, or, for a generative
// split, one fresh index after another. Items whose key is held out for evaluation are dropped and
// counted. Not thread-safe.
class ItemStream {
 public:
  // `key` fixes the order. `held_out` must outlive the stream.
  ItemStream(const Task& task, std::string_view split, std::uint64_t key,
             const std::unordered_set<std::string>& held_out);

  // Throws Error when the split is empty or holds nothing but held-out items.
  Item next();

  // How many indices were taken, dropped ones included; where the stream stands.
  std::uint64_t cursor() const { return cursor_; }
  void seek(std::uint64_t cursor) { cursor_ = cursor; }
  std::uint64_t num_dropped() const { return num_dropped_; }

 private:
  std::uint64_t index(std::uint64_t cursor);

  const Task& task_;
  std::string split_;
  std::uint64_t key_;
  const std::unordered_set<std::string>& held_out_;
  std::uint64_t count_;  // or QED_GENERATIVE
  std::uint64_t cursor_ = 0, num_dropped_ = 0;
  EpochOrder order_;  // of a finite split
};

}  // namespace qed
