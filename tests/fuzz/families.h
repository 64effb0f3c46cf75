#pragma once

// What is fuzzed: families of rules that look for the same things in a completion, and so share
// their inputs.

#include "tests/fuzz/mutator.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace qed::fuzz {

using Json = nlohmann::json;

// The values that a rule may give: some, and those of an interval.
struct Values {
  std::vector<double> some;
  double low = std::numeric_limits<double>::infinity(), high = -low;

  bool has(double v) const {
    constexpr double kRounding = 1e-9;
    const auto is_near = [v](double s) { return std::abs(v - s) <= kRounding; };
    return std::ranges::any_of(some, is_near) || (v >= low - kRounding && v <= high + kRounding);
  }
};

struct Rule {
  std::string component, label;  // of the report: "countdown strict"
  Json options;
  Values values;
};

struct FuzzItem {
  std::string blob;
  std::string right;               // an answer that some of the rules take
  std::vector<std::string> words;  // what answers are put together from
  bool is_odd = false;             // some of the rules refuse it as bad data
  std::string wrong = {};          // an answer of the right form; empty: there is none
};

struct Family {
  std::string name;
  std::string kind;  // "task" or "reward"
  Grammar grammar;
  std::vector<FuzzItem> items;
  std::vector<std::string_view> prompts, prefills;  // that rules look into
  std::vector<Rule> rules;
  std::uint64_t max_inputs = std::numeric_limits<std::uint64_t>::max();
  bool takes_any_bytes = true;  // false: its completions are valid UTF-8
  bool demonstrates = true;     // false: its demonstrations may take seconds
};

std::vector<Family> task_families();
Family math_family();  // one of them
std::vector<Family> reward_families();

}  // namespace qed::fuzz
