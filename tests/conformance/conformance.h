#pragma once

// What all families of case files share.

#include "core/host/plugin_host.h"
#include "tests/host/options.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace qed::conformance {

using Json = nlohmann::ordered_json;

enum class Result { kPassed, kFailed, kKnown, kNotMapped };

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
// Pairs of answers: rows with `gold`, `pred` and `expected`; see answers_map.h.
extern const Family kAnswers;
// Rewards and verifiers: rows with `system`, `function`, `params`, `input` and `expected`; see
// rewards_map.h.
extern const Family kRewards;
// Formulas: rows with `latex`, `kind` and perhaps `numeric`.
extern const Family kLatex;

// Why the outcome of a case differs from the file on purpose, and who is right; empty: it must not.
std::string_view known_difference(std::string_view id);

// A row of a case file, discarded where it is no JSON. Integers of more than 64 bits, which Json
// would round, are kept as text; exact_text gives them back as numbers.
Json parse_row(const std::string& line);
std::string exact_text(const Json& value);

}  // namespace qed::conformance
