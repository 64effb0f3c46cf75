// The keys that do nothing: see no_effect_reason and Resolver::check_effects.

#include <algorithm>

#include "core/config/resolver.h"

namespace qed {
namespace {

bool all_of_kind(const std::vector<Stage>& stages, const std::string& kind) {
  return std::all_of(stages.begin(), stages.end(), [&](const Stage& s) { return s.kind == kind; });
}

}  // namespace

std::string no_effect_reason(const Stage& stage, std::string_view table, std::string_view key,
                             std::string& gate) {
  const bool is_rl = stage.kind == "rl";
  gate = "kind";
  const bool is_sft_key =
      (table.empty() && (key == "demonstrations" || key == "data" || key == "max_tokens")) ||
      (table == "train" && key == "batch_size");
  if (is_rl && is_sft_key) return "only sft stages use it";
  if (table.empty() && key == "max_tokens" && stage.data.empty()) {
    gate = "data";
    return "only rows of `data` are cut";
  }
  if (!is_rl) {
    const bool is_rl_key =
        table == "algorithm" || table == "sampler" || table.starts_with("reward") ||
        table == "kl" || table == "critic" || table == "mismatch" ||
        (table == "train" && (key == "mini_batches" || key == "epochs" || key == "nll_coef" ||
                              key == "entropy_coef" || key.starts_with("aggregation")));
    // Evaluations of an sft stage generate too, within these limits.
    const bool is_limit = key == "max_new_tokens" || key == "max_batch" ||
                          key == "max_failure_frac" || key == "verify_timeout_s";
    if (is_rl_key || (table == "rollout" && !is_limit)) return "only rl stages use it";
  }
  if (table == "task" && key == "weight") return "there is one task; several are written [[task]]";
  if (!is_rl && table.starts_with("task") && key == "window") return "only rl stages use it";
  if (table.starts_with("reward.") && key != "weight") {
    const std::string_view label = table.substr(table.find('.') + 1);
    const auto is_off = [&](const RewardTerm& t) { return t.label == label && t.weight == 0; };
    if (std::any_of(stage.rewards.begin(), stage.rewards.end(), is_off)) {
      gate = cat(table, ".weight");
      return "the term's `weight` is 0";
    }
  }
  if (table == "train" && key == "min_lr_frac" && stage.train.schedule == "constant") {
    gate = "train.schedule";
    return "only the schedules \"linear\" and \"cosine\" use it";
  }
  if (table == "train" && key == "aggregation_length" && stage.train.aggregation != "constant") {
    gate = "train.aggregation";
    return "only the aggregation \"constant\" uses it";
  }
  // An algorithm of its own may use the reference, so sync_every always has an effect.
  if (table == "kl" && key != "coef" && key != "sync_every" && stage.kl.coef == 0) {
    gate = "kl.coef";
    return "`coef` in [kl] is 0";
  }
  if (table == "kl" && key == "horizon" && stage.kl.target == 0) {
    gate = "kl.target";
    return "`target` in [kl] is 0";
  }
  if (table == "mismatch" && key == "sequence_tis" && stage.mismatch.token_tis > 0) {
    gate = "mismatch.token_tis";
    return "`token_tis` in [mismatch] weighs the tokens already";
  }
  const bool needs_eval =
      (table == "eval" && key != "every") || (table == "checkpoint" && key == "keep_best");
  if (needs_eval && stage.eval.every == 0) {
    gate = "eval.every";
    return "`every` in [eval] is 0";
  }
  if (table == "eval" && (key == "samples" || key == "top_p") &&
      std::ranges::all_of(stage.eval.temperatures, [](double t) { return t == 0; })) {
    gate = "eval.temperatures";
    return key == "samples" ? "at temperature 0 all completions of an item are alike"
                            : "at temperature 0 the likeliest token is taken";
  }
  return "";
}

// Why the entry does nothing in the stages where it won; "" when it works in one of them. Excused:
// a --set switched it off, and that must not need an edit of the file.
std::string Resolver::idle_reason(const Node& node, const Entry& entry,
                                  const std::vector<Stage>& stages, bool& is_excused) const {
  std::string reason;
  for (const int number : entry.won) {
    std::string gate;
    reason = no_effect_reason(stages.at(number - 1), entry.table, node.key, gate);
    const std::size_t dot = gate.rfind('.');
    const std::string table = dot == gate.npos ? "" : gate.substr(0, dot);
    const std::string key = dot == gate.npos ? gate : gate.substr(dot + 1);
    if (reason.empty() || is_broken(number, table, key)) return "";
    const Node* cause = origin(number, table, key);
    is_excused |= !is_set(node) && cause != nullptr && is_set(*cause);
  }
  return reason;
}

// Says which stages a --set does not reach because they have their own value.
void Resolver::notice_hidden(const Node& node, const Entry& entry,
                             const std::vector<Stage>& stages) {
  if (!is_set(node)) return;
  const std::string path = cat(entry.table, ".", node.key);
  for (const auto& [stage, winner] : entry.lost) {
    std::string gate;
    if (!no_effect_reason(stages.at(stage - 1), entry.table, node.key, gate).empty()) continue;
    const bool is_hidden = winner->key == node.key && winner->value != node.value;
    if (is_set(*winner) || !is_hidden) continue;
    notice(cat("--set ", path, " does not reach stage ", stage, ", which sets `", node.key,
               "` itself (", place(*winner), "); --set stage.", stage, ".", path, " does"));
  }
}

// An entry that won in no stage that could use it is shadowed; one that won only where its key does
// nothing is idle. Both are errors, except where a --set is the cause.
void Resolver::check_entry(const Node& node, const Entry& entry, const std::vector<Stage>& stages) {
  const bool is_of_run = entry.table == "run" || entry.table == "model";
  if (is_of_run || (entry.won.empty() && entry.lost.empty())) return;  // or refused: already said
  bool is_excused = false;
  const std::string reason = idle_reason(node, entry, stages, is_excused);
  if (!entry.won.empty() && reason.empty()) return notice_hidden(node, entry, stages);
  for (const auto& [stage, winner] : entry.lost) {
    is_excused |= !is_set(node) && is_set(*winner);
  }
  // What several run files share may say more than one of them needs.
  if (is_excused || document_.is_inherited(node)) return;
  const std::string message =
      cat("`", node.key, "` in ", entry.where, " has no effect in this run");
  if (entry.lost.empty()) return add({node.key_span, message, reason, "remove it"});
  const auto& [stage, winner] = *entry.lost.begin();
  const std::string who = stages.size() == 1 ? "the stage" : "every stage that could use it";
  const std::string what =
      winner->key == node.key ? cat(" sets `", node.key, "` itself") : " names another plugin";
  const std::string way =
      cat("set it for one stage: --set stage.", stage, ".", entry.table, ".", node.key, "=VALUE");
  add({node.key_span, message, who + what, is_set(node) ? way : "remove it"});
}

void Resolver::check_effects(const std::vector<Stage>& stages) {
  if (stages.empty()) return;
  for (const Stage& stage : stages) {
    if (stage.kind != "sft" && stage.kind != "rl") return;
  }
  const auto idle_table = [&](const Layer& layer) {
    if (layer.table == nullptr || document_.is_inherited(*layer.table)) return;
    add({layer.table->key_span, cat(layer.where, " has no effect in this run"),
         "only rl stages use it", "remove it"});
  };
  // Tables that an sft stage has no use for are not even read there.
  for (const char* table : {"reward", "algorithm", "sampler"}) {
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
  for (const auto& [node, entry] : entries_) {
    nodes.push_back(node);
    const bool is_idle = entry.table == "run" && node->key == "log_tokens" && !is_set(*node) &&
                         !document_.is_inherited(*node) && all_of_kind(stages, "sft");
    if (is_idle) {
      add({node->key_span, "`log_tokens` in [run] has no effect in this run",
           "only rl stages write samples", "remove it"});
    }
  }
  std::sort(nodes.begin(), nodes.end(),
            [](const Node* a, const Node* b) { return a->key_span < b->key_span; });
  for (const Node* node : nodes) check_entry(*node, entries_.at(node), stages);
}

}  // namespace qed
