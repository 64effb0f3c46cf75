// The keys that do nothing: see Resolver::check_effects.

#include <algorithm>

#include "core/config/resolver.h"

namespace qed {
namespace {

bool all_of_kind(const std::vector<Stage>& stages, const std::string& kind) {
  return std::all_of(stages.begin(), stages.end(), [&](const Stage& s) { return s.kind == kind; });
}

}  // namespace

// An entry that won in no stage is shadowed; one that won only where its key does nothing is idle.
// Both are errors, except where a --set is the cause: an option switched off at launch must not
// need an edit of the file.
void Resolver::check_entry(const Node& node, const Entry& entry, const std::vector<Stage>& stages) {
  const std::string name = cat("`", node.key, "` in ", entry.where);
  std::string reason;
  for (const int number : entry.won) {
    if (number == 0) return;  // [run] and [model]
    const Stage& stage = stages.at(number - 1);
    std::string gate;
    reason = no_effect_reason(stage, entry.table, node.key, gate);
    const std::size_t dot = gate.find('.');
    const std::string table = dot == gate.npos ? "" : gate.substr(0, dot);
    const std::string key = dot == gate.npos ? gate : gate.substr(dot + 1);
    if (reason.empty() || broken_.contains(cat(number, ".", table, ".", key))) {
      // It works here; where a stage's own value hides a --set, say so.
      for (const auto& [other, winner] : entry.lost) {
        std::string unused;
        const bool is_idle =
            !no_effect_reason(stages.at(other - 1), entry.table, node.key, unused).empty();
        const bool is_hidden = winner->key == node.key && winner->value != node.value;
        if (!is_set(node) || is_set(*winner) || is_idle || !is_hidden) continue;
        notice(cat("--set ", entry.table, ".", node.key, " does not reach stage ", other,
                   ", which sets `", node.key, "` itself (", place(*winner), "); --set stage.",
                   other, ".", entry.table, ".", node.key, " does"));
      }
      return;
    }
    const Node* cause = origin(number, table, key);
    if (!is_set(node) && cause != nullptr && is_set(*cause)) return;
  }
  if (!reason.empty() && entry.lost.empty()) {
    return add({node.key_span, name + " has no effect in this run", reason, "remove it"});
  }
  if (entry.lost.empty()) return;  // refused or left out: already said
  for (const auto& [number, winner] : entry.lost) {
    if (!is_set(node) && is_set(*winner)) return;
  }
  const auto& [number, winner] = *entry.lost.begin();
  const std::string what =
      winner->key == node.key ? cat("sets `", node.key, "` itself") : "names another plugin";
  if (number == 0) return;
  const std::string hint = is_set(node) ? cat("set it for one stage: --set stage.", number, ".",
                                              entry.table, ".", node.key, "=VALUE")
                                        : "remove it";
  add({node.key_span, name + " has no effect in this run",
       cat(stages.size() == 1 ? "the stage " : "every stage that could use it ", what), hint});
}

void Resolver::check_effects(const std::vector<Stage>& stages) {
  if (stages.empty()) return;
  for (const Stage& stage : stages) {
    if (stage.kind != "sft" && stage.kind != "rl") return;
  }
  const auto idle_table = [&](const Layer& layer) {
    if (layer.table == nullptr) return;
    add({layer.table->key_span, cat(layer.where, " has no effect in this run"),
         "only rl stages use it", "remove it"});
  };
  // Tables that an sft stage has no use for are not even read there.
  for (const char* table : {"algorithm", "sampler"}) {
    if (all_of_kind(stages, "sft")) {
      for (const Layer& layer : layers(table, 0)) idle_table(layer);
    }
    for (std::size_t i = 0; i < stages.size(); ++i) {
      if (stages[i].kind != "sft") continue;
      const auto own = layers(table, static_cast<int>(i) + 1);
      idle_table(own[2]);
      idle_table(own[3]);
    }
  }
  std::vector<const Node*> nodes;
  for (const auto& [node, entry] : entries_) nodes.push_back(node);
  std::sort(nodes.begin(), nodes.end(),
            [](const Node* a, const Node* b) { return a->key_span < b->key_span; });
  for (const Node* node : nodes) check_entry(*node, entries_.at(node), stages);
}

}  // namespace qed
