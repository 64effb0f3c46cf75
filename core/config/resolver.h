#pragma once

// The layers of one table merged into values. Used by the loaders only; plugin_table.cpp has the
// part for tables of plugins, effect.cpp the one that finds keys without effect.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/config/document.h"
#include "core/config/load.h"
#include "core/config/tables.h"

namespace qed {

// A table as one source gives it.
struct Layer {
  const Node* table;         // may be null
  std::string where;         // "[train]", "[train] of stage 2" or "stage 2"
  bool is_lenient = false;   // keys that don't fit are left out with a notice
  bool is_left_out = false;  // the stage has left this layer behind
};

// What to call a table and its keys in messages.
struct TableNames {
  int stage;                          // from 1; 0: none
  std::string table;                  // "train", "reward.LABEL"; empty: [[stage]] itself
  std::string kind;                   // "key" or "option"
  std::string owner;                  // "[train]" or "task `arithmetic`"
  std::string listing;                // "`qed config` lists all keys"
  std::set<std::string> others = {};  // children that are no options
};

class Resolver {
 public:
  Resolver(const Document& document, ComponentFinder& finder)
      : document_(document), finder_(finder) {}

  // Adds what it finds wrong to problems(). `layers` from weak to strong. Returns every option's
  // value; where it is missing or wrong, the default, which is null for an option that has none.
  nlohmann::json table(const std::vector<OptionSpec>& options, const std::vector<Layer>& layers,
                       const TableNames& names);

  // Algorithm or sampler `kind` of stage number `stage`; the name is empty when none is given.
  PluginTable plugin(const std::string& kind, int stage);

  // The tasks of a stage: one from [task], several from [[task]], which are tables 1, 2, … of
  // `task` here. A stage's own [task] or [[task]] stands for a [[task]] of the top level as a
  // whole.
  std::vector<TaskTable> tasks(int stage);

  // The terms of [reward] in this stage, by label, those of weight 0 too; and the weight of the
  // task's own reward.
  std::vector<RewardTerm> rewards(int stage, double& task_weight);

  // The top-level table in the file and by --set, then the same two of the stage, unless it is 0.
  std::vector<Layer> layers(const std::string& table, int stage) const;
  // [[stage]] itself, in the file and by --set.
  std::vector<Layer> stage_layers(int stage) const;

  // After all tables: reports the keys that do nothing. Stages with an unknown kind silence it.
  void check_effects(const std::vector<Stage>& stages);

  void add(Problem problem) { problems_.push_back(std::move(problem)); }
  void notice(const std::string& text);
  std::vector<Problem>& problems() { return problems_; }
  std::vector<std::string>& notices() { return notices_; }
  // Where the value of this key came from; null: the default.
  const Node* origin(int stage, const std::string& table, const std::string& key) const;
  bool is_broken(int stage, const std::string& table, const std::string& key) const {
    return broken_.contains(cat(stage, ".", table, ".", key));
  }
  bool is_set(const Node& node) const { return document_.is_set(node); }
  const SourceText& source(const Node& node) const {
    return document_.sources.at(node.key_span.source);
  }
  std::string place(const Node& node) const { return place_of(node.key_span, document_.sources); }

 private:
  // One key as given somewhere, and what became of it in the stages that it could reach.
  struct Entry {
    std::string table, where;
    std::vector<int> won;
    std::map<int, const Node*> lost;  // stage -> the value that beat it
  };

  using Winners = std::map<std::string, std::pair<const Node*, nlohmann::json>>;
  void enter(const Node& node, const Layer& layer, const std::vector<OptionSpec>& options,
             const TableNames& names, Winners& winners);
  void unknown_key(const Node& node, const std::string& where,
                   const std::vector<OptionSpec>& options, const TableNames& names);

  // A table that chooses a plugin.
  struct Slot {
    std::string kind;      // "task"
    std::string table;     // "task", or "reward.LABEL"
    std::string fallback;  // the plugin's name where none is given; empty: there must be one
    std::vector<OptionSpec> keys;  // the engine's own, `name` among them
  };
  nlohmann::json engine_keys(const Slot& slot, int stage, const std::vector<Layer>& layers);
  void follow_name(const Slot& slot, int stage, const std::string& name,
                   std::vector<Layer>& layers);
  nlohmann::json plugin_options(const Slot& slot, int stage, const std::string& name,
                                std::vector<Layer>& layers);
  void missing_name(const std::string& kind, const std::vector<Layer>& layers);
  TaskTable task(const std::string& table, int stage, std::vector<Layer> layers);
  std::vector<std::string> reward_labels(int stage);
  RewardTerm reward_term(const std::string& label, int stage);

  std::string idle_reason(const Node& node, const Entry& entry, const std::vector<Stage>& stages,
                          bool& is_excused) const;
  void notice_hidden(const Node& node, const Entry& entry, const std::vector<Stage>& stages);
  void check_entry(const Node& node, const Entry& entry, const std::vector<Stage>& stages);

  const Document& document_;
  ComponentFinder& finder_;
  std::vector<Problem> problems_;
  std::vector<std::string> notices_;
  std::map<const Node*, Entry> entries_;
  std::map<std::string, const Node*> origins_;  // "2.train.lr"
  std::set<std::string> broken_;                // the same keys, where a value was refused
};

}  // namespace qed
