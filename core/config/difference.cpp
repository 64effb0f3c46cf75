#include "core/config/difference.h"

#include <algorithm>
#include <map>

#include "core/config/tables.h"
#include "core/config/value.h"

namespace qed {
namespace {

using Flat = std::map<std::string, std::string>;  // "train.lr" -> "1e-6"

void flatten(const nlohmann::json& from, const std::string& prefix, Flat& to) {
  for (const auto& [key, value] : from.items()) {
    if (value.is_object()) {
      flatten(value, prefix + key + ".", to);
    } else if (key != "stage") {
      to[prefix + key] = value_text(value);
    }
  }
}

Flat flatten(const nlohmann::json& from) {
  Flat to;
  flatten(from, "", to);
  return to;
}

std::string text_of(const Flat& flat, const std::string& key) {
  const auto found = flat.find(key);
  return found == flat.end() ? "none" : found->second;
}

// Keys in the order of a run file: by table, then by name.
std::vector<std::string> ordered_keys(const Flat& a, const Flat& b) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : a) keys.push_back(key);
  for (const auto& [key, value] : b) {
    if (!a.contains(key)) keys.push_back(key);
  }
  const auto rank = [](const std::string& key) {
    const auto& specs = table_specs();
    const std::string table = key.substr(0, key.find('.'));
    const auto found =
        std::find_if(specs.begin(), specs.end(), [&](const auto& s) { return s.name == table; });
    return found == specs.end() ? -1 : found - specs.begin();
  };
  std::sort(keys.begin(), keys.end(), [&](const std::string& x, const std::string& y) {
    return std::pair(rank(x), x) < std::pair(rank(y), y);
  });
  return keys;
}

}  // namespace

std::vector<Difference> differences(const nlohmann::json& before, const nlohmann::json& after) {
  std::vector<Difference> found;
  const Flat top_before = flatten(before), top_after = flatten(after);
  for (const std::string& key : ordered_keys(top_before, top_after)) {
    const Difference difference{key, text_of(top_before, key), text_of(top_after, key)};
    if (difference.before != difference.after) found.push_back(difference);
  }
  std::vector<Flat> old_stages, new_stages;
  for (const nlohmann::json& stage : before.at("stage")) old_stages.push_back(flatten(stage));
  for (const nlohmann::json& stage : after.at("stage")) new_stages.push_back(flatten(stage));
  const std::size_t count = std::max(old_stages.size(), new_stages.size());
  const std::size_t common = std::min(old_stages.size(), new_stages.size());
  std::vector<Difference> by_stage;
  for (std::size_t i = 0; i < common; ++i) {
    for (const std::string& key : ordered_keys(old_stages[i], new_stages[i])) {
      const std::string was = text_of(old_stages[i], key), is = text_of(new_stages[i], key);
      if (was == is) continue;
      // In a table, the stages that have the key may all agree.
      bool is_same = key.find('.') != key.npos;
      for (std::size_t j = 0; j < common; ++j) {
        const std::string other_was = text_of(old_stages[j], key),
                          other_is = text_of(new_stages[j], key);
        const bool is_absent = other_was == "none" && other_is == "none";
        is_same = is_same && (is_absent || (other_was == was && other_is == is));
      }
      const Difference difference{is_same ? key : cat("stage.", i + 1, ".", key), was, is};
      const auto is_listed = [&](const Difference& d) { return d.key == difference.key; };
      if (std::none_of(by_stage.begin(), by_stage.end(), is_listed)) by_stage.push_back(difference);
    }
  }
  found.insert(found.end(), by_stage.begin(), by_stage.end());
  for (std::size_t i = common; i < count; ++i) {
    const bool is_gone = i < old_stages.size();
    const std::string kind = text_of(is_gone ? old_stages[i] : new_stages[i], "kind");
    found.push_back({cat("stage.", i + 1), is_gone ? kind : "none", is_gone ? "none" : kind});
  }
  return found;
}

bool may_change_on_resume(std::string_view key) {
  if (key.starts_with("stage.")) {
    key.remove_prefix(6);
    key.remove_prefix(std::min(key.find('.') + 1, key.size()));
    if (key == "steps") return true;
  }
  if (key.starts_with("eval.") || key.starts_with("checkpoint.")) return true;
  // These change no byte of a result; the last two decide whether there is one.
  return key == "run.threads" || key == "rollout.max_batch" || key == "rollout.max_failure_frac" ||
         key == "rollout.verify_timeout_s";
}

}  // namespace qed
