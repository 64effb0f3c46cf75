#pragma once

// One batch of fuzzed samples, made from a seed and its number alone.

#include "core/host/reward.h"
#include "core/host/task.h"
#include "tests/fuzz/families.h"

#include <string>
#include <vector>

namespace qed::fuzz {

inline constexpr std::size_t kBatchSize = 64;

struct Batch {
  std::vector<Item> items;       // some of them damaged
  std::vector<bool> may_be_bad;  // the item: then a rule may say so
  std::vector<std::string> texts;
  std::vector<std::vector<std::int32_t>> tokens;
  std::vector<SampleView> samples;  // views of the above
  std::vector<ScoredView> scored;   // the same with a task's verdict
};

// Batch `number` of a family: the first `size` samples of it. Not moved: it points into itself.
void fill(Batch& batch, const Family& family, Mutator& mutator, std::uint64_t seed,
          std::uint64_t number, std::size_t size);

// Printable ASCII as it is, all else as \xNN.
std::string escaped(std::string_view bytes);
// One sample for people.
std::string describe(const Batch& batch, std::size_t i);

}  // namespace qed::fuzz
