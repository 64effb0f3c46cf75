#pragma once

// The items of several tasks in one order: which task is next follows their weights and a key,
// which item the task's own stream. Items whose pass rate lies outside of the task's window are
// left out for a while. Everything is a pure function of the key and of what was reported, so a
// checkpoint holds `state()`.

#include "core/data/items.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace qed {

struct MixtureSource {
  const Task* task;
  std::string label;
  double weight = 1;
  std::array<double, 2> window = {0, 1};  // of the pass rate; [0, 1]: all items
  std::unordered_set<std::string> held_out = {};
};

// Not thread-safe.
class Mixture {
 public:
  // The tasks must outlive it. The order of a task that is alone is that of ItemStream with `key`.
  // Throws Error for a window on a generative split, whose items do not come again.
  Mixture(std::vector<MixtureSource> sources, KeyHash key);
  Mixture(const Mixture&) = delete;
  Mixture& operator=(const Mixture&) = delete;

  struct Pick {
    std::size_t source;
    Item item;
  };
  Pick next();

  // Of `num` completions of an item `num_right` were right. The rate of an item counts each visit
  // half as much as the one after it.
  void report(std::size_t source, const std::string& key, std::int64_t num_right, std::int64_t num);

  const std::vector<MixtureSource>& sources() const { return sources_; }
  std::uint64_t num_dropped() const;                          // held out
  std::uint64_t num_skipped() const { return num_skipped_; }  // outside of the window

  // JSON. restore("") starts at the beginning; throws Error for what state() did not write.
  std::string state() const;
  void restore(const std::string& state);

 private:
  struct Rate {
    double right = 0, num = 0;
    std::int64_t skips = 0;  // since it was last asked
  };
  std::size_t pick_source();
  bool is_skipped(std::size_t source, const std::string& key);

  std::vector<MixtureSource> sources_;
  KeyHash key_;
  std::vector<std::unique_ptr<ItemStream>> streams_;
  std::vector<std::unordered_map<std::string, Rate>> rates_;  // of sources with a window
  std::uint64_t position_ = 0, num_skipped_ = 0;
};

}  // namespace qed
