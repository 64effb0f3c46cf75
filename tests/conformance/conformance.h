#pragma once

// What all families of case files share.

#include "core/host/plugin_host.h"
#include "tests/host/options.h"

#include <nlohmann/json.hpp>
#include <string>

namespace qed::conformance {

using Json = nlohmann::ordered_json;

enum class Result { kPassed, kFailed, kNotMapped };

// What came of one case. `group` and `text` are for people: of a failure, the case and the first
// difference; of a case that is not mapped, what it is of and the reason.
struct Outcome {
  Result result;
  std::string group = {};
  std::string text = {};
};

// One family of case files. `takes` looks at the file's name without extension and its first row.
struct Family {
  bool (*takes)(const std::string& file, const Json& first);
  Outcome (*run)(PluginHost& host, const std::string& file, const Json& row);
};

// Advantage estimators and losses: rows with `framework`, `function`, `params`, `input` and
// `expected`; see algorithms_map.h.
extern const Family kAlgorithms;
// Rewards and verifiers: rows with `system`, `function`, `params`, `input` and `expected`; see
// rewards_map.h.
extern const Family kRewards;

// A row of a case file, discarded where it is no JSON. Integers of more than 64 bits, which Json
// would round, are kept as text; exact_text gives them back as numbers.
Json parse_row(const std::string& line);
std::string exact_text(const Json& value);

}  // namespace qed::conformance
