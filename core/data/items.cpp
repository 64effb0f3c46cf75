#include "core/data/items.h"

#include "core/util/error.h"

#include <numeric>
#include <utility>

namespace qed {

namespace {

// In a row, before a split is called empty: a fair generative split holds out far less than this.
constexpr std::uint64_t kMaxDropped = 100'000;

}  // namespace

std::vector<std::uint64_t> shuffled(std::uint64_t n, std::uint64_t key) {
  std::vector<std::uint64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  Rng rng(key);
  for (std::uint64_t i = n; i > 1; --i) {
    std::swap(order[i - 1],
              order[static_cast<std::uint64_t>(rng.integer(0, static_cast<std::int64_t>(i) - 1))]);
  }
  return order;
}

std::uint64_t EpochOrder::at(std::uint64_t position) {
  if (const std::uint64_t epoch = position / n_; epoch != epoch_) {
    order_ = shuffled(n_, KeyHash(key_).add(epoch).value());
    epoch_ = epoch;
  }
  return order_[position % n_];
}

std::vector<Item> evaluation_items(const Task& task, std::string_view split, std::int64_t n) {
  const std::uint64_t count = task.count(split);
  std::vector<Item> out;
  std::unordered_set<std::string> seen;
  std::uint64_t repeats = 0;
  for (std::uint64_t i = 0;
       i < count && static_cast<std::int64_t>(out.size()) < n && repeats < kMaxDropped; ++i) {
    Item item = task.load(split, i);
    if (seen.insert(item.key).second) {
      out.push_back(std::move(item));
      repeats = 0;
    } else {
      ++repeats;
    }
  }
  if (out.empty()) {
    throw Error(cat("split `", split, "` of task `", task.name(), "` is empty"),
                "give it items, or set eval.every to 0", kExitUsage);
  }
  return out;
}

ItemStream::ItemStream(const Task& task, std::string_view split, std::uint64_t key,
                       const std::unordered_set<std::string>& held_out)
    : task_(task),
      split_(split),
      key_(key),
      held_out_(held_out),
      count_(task.count(split)),
      order_(count_, KeyHash().add(key)) {
  if (count_ == 0) throw Error(cat("split `", split, "` of task `", task.name(), "` is empty"));
}

std::uint64_t ItemStream::index(std::uint64_t cursor) {
  if (count_ == QED_GENERATIVE) return KeyHash().add(key_).add(cursor).value();
  return order_.at(cursor);
}

Item ItemStream::next() {
  const std::uint64_t limit = count_ == QED_GENERATIVE ? kMaxDropped : count_;
  for (std::uint64_t tries = 0; tries < limit; ++tries) {
    Item item = task_.load(split_, index(cursor_++));
    if (!held_out_.contains(item.key)) return item;
    ++num_dropped_;
  }
  throw Error(cat("every item of split `", split_, "` of task `", task_.name(),
                  "` is held out for evaluation"));
}

}  // namespace qed
