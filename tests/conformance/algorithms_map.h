#pragma once

// What each function of the reference frameworks is run as: one row per function, in
// algorithms_map.cpp.

#include "tests/conformance/conformance.h"

#include <span>
#include <string_view>

namespace qed::conformance {

// Which part of an algorithm a function is.
enum class Part {
  kScore,      // advantage from the sum of a sequence's rewards
  kReturns,    // advantage from returns per token
  kLoss,       // policy loss
  kValueLoss,  // loss of the critic
};

// How a framework averages over an update, which in qed is the engine's: weight[t] =
// factor / divisor, / tokens of the sequence where `per_length`.
struct Aggregation {
  enum class Divisor { kGiven, kTokens, kSequences, kAllSequences };
  double factor = 1;
  Divisor divisor = Divisor::kTokens;  // with mask 1; sequences with one; all
  double given = 1;                    // of kGiven
  bool per_length = false;
};

struct Mapping {
  std::string_view function;        // "<framework>/<function>"
  std::string_view component = {};  // an algorithm; empty: none
  Part part = Part::kScore;
  Json (*options)(const Json& params) = nullptr;
  Aggregation (*aggregation)(const Json& params) = nullptr;  // of a loss
  // Why this case is not run, or nothing; for rows without a component, why none is.
  std::string (*refuses)(const Json& row) = nullptr;
  std::string_view reason = {};
};

std::span<const Mapping> algorithm_mappings();

}  // namespace qed::conformance
