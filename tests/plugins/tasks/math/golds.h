#pragma once

// Gold answers of the shared data, and answers that are nearly the same and wrong.

#include <cstdint>
#include <string>
#include <vector>

namespace qed::math_golds {

// Of all files of data/math, each once, as the task takes them; empty where there is no data.
std::vector<std::string> all();

// Written differently, so that equal bytes do not decide.
std::string rewritten(const std::string& gold);

struct NearMiss {
  std::string gold, answer;
  const char* change;  // "sign", "digit", "bracket", "order", "base", "unit", "plus or minus"
};
// Every change of one place of the gold answer that makes it wrong.
std::vector<NearMiss> near_misses(const std::string& gold);

// Of `num_verdicts` comparisons under all presets, which each of the threads makes in an order of
// its own: how many are not those of one thread alone.
std::size_t verdicts_that_differ(const std::vector<std::string>& golds, std::size_t num_threads,
                                 std::size_t num_verdicts);

}  // namespace qed::math_golds
