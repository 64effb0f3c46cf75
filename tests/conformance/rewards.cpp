// Rewards and verifiers: rows with `system`, `function`, `params`, `input` and `expected`.

#include "core/host/reward.h"
#include "core/host/task.h"
#include "core/util/error.h"
#include "tests/conformance/rewards_map.h"
#include "tests/host/options.h"

#include <algorithm>
#include <cmath>

namespace qed::conformance {
namespace {

constexpr double kTolerance = 1e-6;
// What an original that does not finish is worth: a well-formed wrong answer. A rule's own value
// for that is what it gives to a wrong expression of the right form.
constexpr double kCountdownWrong = 0.1;

Json options_of(const RewardMapping& mapping, const Json& params) {
  Json options = Json::parse(mapping.options);
  for (const std::string_view pair : mapping.params) {
    const auto split = pair.find_first_of("=?");
    const std::string param(pair.substr(0, split)), option(pair.substr(split + 1));
    if (!params.contains(param)) continue;
    if (pair[split] == '?') {
      options[option] = !params[param].is_null();
    } else if (!params[param].is_null()) {
      options[option] = params[param];
    }
  }
  return options;
}

std::vector<SampleView> views(const RewardInput& input, const Item& item) {
  std::vector<SampleView> out;
  for (const RewardSample& s : input.samples) {
    out.push_back({.item = &item,
                   .prompt = {},
                   .prefill = {},
                   .text = s.text,
                   .tokens = s.tokens,
                   .finish = QED_FINISH_STOP,
                   .group = 0,
                   .index = out.size(),
                   .max_new_tokens = 0});
  }
  return out;
}

// What the component gives: one value per completion, or per token.
std::vector<double> run(PluginHost& host, const RewardMapping& mapping, const Json& row) {
  const std::string kind(mapping.kind), name(mapping.component);
  const Component& component = host.load(kind, name);
  const std::string options = options_with(component.spec, options_of(mapping, row["params"]));
  const RewardInput input = mapping.input(row);
  const Item item{"case", exact_text(input.item)};
  const std::vector<SampleView> samples = views(input, item);
  std::vector<double> out;
  if (kind == "task") {
    const Task task(component, options, host.abi());
    const auto term = std::ranges::find(task.terms(), mapping.term) - task.terms().begin();
    for (const Score& s : task.verify(samples, 0)) {
      if (s.status != QED_OK) throw Error(s.note);
      out.push_back(mapping.term.empty() ? s.reward
                                         : double{s.terms.at(static_cast<std::size_t>(term))});
    }
    return out;
  }
  std::vector<ScoredView> scored;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    scored.push_back({&samples[i], 0, input.samples[i].verdict, {}, {}});
  }
  for (const RewardScore& s : Reward(component, options, host.abi()).score(scored, 0)) {
    if (s.status != QED_OK) throw Error(s.note);
    if (mapping.per_token) {
      out.insert(out.end(), s.tokens.begin(), s.tokens.end());
    } else {
      out.push_back(s.value);
    }
  }
  return out;
}

std::vector<double> expected_values(const RewardMapping& mapping, const Json& expected) {
  if (expected == "hang") {
    return {mapping.options.find("mini_r1") == std::string_view::npos ? kCountdownWrong : 0.0};
  }
  if (expected.is_boolean()) return {expected.get<bool>() ? 1.0 : 0.0};
  if (expected.is_number()) return {expected.get<double>()};
  return expected.get<std::vector<double>>();
}

// The first difference, or nothing. Per token the original pads with 0 to the width of its batch.
std::string difference(std::vector<double> got, const std::vector<double>& expected,
                       bool per_token) {
  if (per_token) got.resize(std::max(got.size(), expected.size()), 0.0);
  if (got.size() != expected.size()) {
    return cat("has ", got.size(), " values, expected ", expected.size());
  }
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::abs(got[i] - expected[i]) <= kTolerance) continue;
    return cat("value ", i, " is ", got[i], ", expected ", expected[i]);
  }
  return "";
}

// The original gives no reward: neither does the component, and says why.
Outcome run_without_reward(PluginHost& host, const RewardMapping& mapping, const Json& row,
                           const std::string& where) {
  try {
    const double reward = run(host, mapping, row).at(0);
    return {Result::kFailed, where, cat("is ", reward, ", expected none")};
  } catch (const Error&) {
    return {Result::kPassed};
  }
}

Outcome run_case(PluginHost& host, const std::string&, const Json& row) {
  const std::string function =
      cat(row["system"].get<std::string>(), "/", row["function"].get<std::string>());
  const auto mappings = reward_mappings();
  const auto found = std::ranges::find(mappings, function, &RewardMapping::function);
  if (found == mappings.end()) return {Result::kNotMapped, function, "no row in rewards_map.cpp"};
  if (found->component.empty()) return {Result::kNotMapped, function, std::string(found->reason)};
  const Json& expected = row["expected"];
  if (expected.is_object() && expected.contains("error")) {
    return {Result::kNotMapped, function,
            cat("the original raises ", expected["error"].get<std::string>())};
  }
  const std::string where = cat(function, " ", row["id"].get<std::string>());
  if (expected.is_null()) return run_without_reward(host, *found, row, where);
  try {
    const std::string problem =
        difference(run(host, *found, row), expected_values(*found, expected), found->per_token);
    if (problem.empty()) return {Result::kPassed};
    return {Result::kFailed, where, cat(problem, "; input ", row["input"].dump().substr(0, 300))};
  } catch (const Error& error) {
    return {Result::kFailed, where, error.what()};
  }
}

bool takes(const std::string& file, const Json&) { return file.starts_with("rewards_"); }

}  // namespace

const Family kRewards = {takes, run_case};

}  // namespace qed::conformance
