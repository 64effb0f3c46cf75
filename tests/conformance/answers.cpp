// Pairs of answers from the suites of public graders: rows with `gold`, `pred` and `expected`.

#include "core/util/error.h"
#include "tests/conformance/answers_map.h"
#include "verify.h"

#include <algorithm>

namespace qed::conformance {
namespace {

std::vector<std::string> texts_of(const Json& value) {
  if (value.is_null()) return {""};
  if (value.is_array()) return value.get<std::vector<std::string>>();
  return {value.get<std::string>()};
}

bool has(const Json& row, const char* field) {
  return row.contains(field) && !row[field].is_null();
}

// The settings that the suite uses for this row, over those of its grader.
math::Policy policy_of(const AnswerSuite& suite, const Json& row) {
  math::Policy policy = *math::preset(suite.preset);
  if (suite.adjust != nullptr) suite.adjust(policy, row);
  if (has(row, "float_rounding")) policy.places = row["float_rounding"];
  if (has(row, "strict")) policy.strict_names = row["strict"];
  if (row.value("allow_set_relation_comp", false)) {
    policy.relation_is_set = math::RelationIsSet::kBoth;
  }
  if (has(row, "match_types")) {
    const Json& types = row["match_types"];
    policy.reads_latex = std::ranges::find(types, "latex") != types.end();
    policy.reads_plain = std::ranges::find(types, "expr") != types.end();
  }
  return policy;
}

math::Verdict verdict(const math::Policy& policy, const Json& row, bool is_turned) {
  const std::vector<std::string> golds = texts_of(row[is_turned ? "pred" : "gold"]);
  const std::vector<std::string> preds = texts_of(row[is_turned ? "gold" : "pred"]);
  if (row.value("raw_answers", false)) {
    return math::compare_answers(golds.front(), preds.front(), policy);
  }
  const std::vector<std::string_view> views(golds.begin(), golds.end());
  return math::verify(views, preds.front(), policy);
}

// The letter behind "Answer:", as NeMo-RL and DAPO take it.
bool is_behind_answer(const Json& row) {
  return row["pred"].get<std::string>().find("Answer:") != std::string::npos;
}

// Without gold answer: none may be found.
bool is_expected(const math::Verdict& v, const Json& row) {
  if (!has(row, "gold")) return v.answer.empty();
  if (row["expected"].is_null()) return v.equality == math::Equality::kUnknown;
  return (v.equality == math::Equality::kEqual) == row["expected"].get<bool>();
}

std::string shown(const Json& value) {
  const std::string text = value.dump();
  return text.size() <= 160 ? text : text.substr(0, 60) + " ... " + text.substr(text.size() - 90);
}

Outcome run_case(PluginHost&, const std::string& file, const Json& row) {
  const AnswerSuite* suite = answer_suite(file, row.value("source_file", ""));
  if (suite == nullptr) return {Result::kNotMapped, file, "no suite in answers_map.cpp"};
  const std::string category = row.value("category", "");
  const math::Policy policy = policy_of(*suite, row);
  if (has(row, "gold") && category.starts_with("mcq_letter") && !is_behind_answer(row)) {
    return {Result::kNotMapped, file, "a choice's letter in prose, which no preset looks for"};
  }
  for (const bool is_turned : {false, true}) {
    if (is_turned && !row.value("symmetric", false)) continue;
    const math::Verdict v = verdict(policy, row, is_turned);
    if (is_expected(v, row)) continue;
    const std::string where = cat(suite->preset, " ", row["id"].get<std::string>());
    if (has(row, "disputed")) return {Result::kKnown, where, row["disputed"]};
    if (category == "known_unsolved_upstream") {
      return {Result::kKnown, where, "Math-Verify does not solve it either"};
    }
    return {Result::kFailed, where,
            cat(is_turned ? "turned round: " : "", shown(row["gold"]), " and ", shown(row["pred"]),
                ": ", text_of(v.reason), ", expected ", row["expected"].dump(), "; took `",
                v.answer.substr(0, 80), "`")};
  }
  return {Result::kPassed};
}

bool takes(const std::string& file, const Json& row) {
  return row.contains("pred") && row.contains("gold") && answer_suite(file, "") != nullptr;
}

}  // namespace

const Family kAnswers = {takes, run_case};

}  // namespace qed::conformance
