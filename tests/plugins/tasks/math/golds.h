#pragma once

// Gold answers of the shared data, and answers that are nearly the same and wrong.

#include <cstdint>
#include <string>
#include <vector>

namespace qed::math_golds {

// Of all files of data/math, each once, as the task takes them; empty where there is no data.
std::vector<std::string> all();

struct NearMiss {
  std::string gold, answer;
  const char* change;  // "sign", "digit", "bracket", "order", "base", "unit", "plus or minus"
};
// Every change of one place of the gold answer that makes it wrong.
std::vector<NearMiss> near_misses(const std::string& gold);

}  // namespace qed::math_golds
