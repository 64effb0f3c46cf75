#pragma once

// What differs between two resolved configs: a run folder is bound to one.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace qed {

struct Difference {
  std::string key;            // as --set spells it: "train.lr", or "stage.2.train.lr"
  std::string before, after;  // as TOML; "none" where the key is absent

  std::string text() const { return key + ": " + before + " -> " + after; }
};

// Compares two results of RunConfig::to_json(), in the order of a run file. A difference that is
// the same in every stage that has the key is given once, without the stage.
std::vector<Difference> differences(const nlohmann::json& before, const nlohmann::json& after);

// True for stage steps, eval.*, checkpoint.*, run.threads, and of [rollout] max_batch,
// max_failure_frac and verify_timeout_s: they may differ when a run is resumed.
bool may_change_on_resume(std::string_view key);

}  // namespace qed
