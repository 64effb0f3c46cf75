#pragma once

// What each reward function of the reference systems is run as: one row per function, in
// rewards_map.cpp.

#include "tests/conformance/conformance.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qed::conformance {

// One completion as the component gets it.
struct RewardSample {
  std::string text;
  std::vector<std::int32_t> tokens = {};
  std::uint32_t verdict = QED_VERDICT_NONE;  // by the task; rewards only
};

// The item and the completions of a case.
struct RewardInput {
  Json item = nullptr;  // tasks only
  std::vector<RewardSample> samples;
};

struct RewardMapping {
  std::string_view function;        // "<system>/<function>"
  std::string_view kind = {};       // "task" or "reward"
  std::string_view component = {};  // empty: none, and `reason` says why
  std::string_view options = "{}";  // JSON, for every case
  // Where the case's params go: "param=option", where a null param leaves the default, or
  // "param?option", which says whether the param is not null.
  std::vector<std::string_view> params = {};
  RewardInput (*input)(const Json& row) = nullptr;
  bool per_token = false;      // `expected` is a list of rewards per token
  std::string_view term = {};  // a task's term that `expected` is about; empty: the reward
  std::string_view reason = {};
};

std::span<const RewardMapping> reward_mappings();

}  // namespace qed::conformance
