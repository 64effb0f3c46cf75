// Tables that choose a plugin, [reward] among them: see Resolver::plugin and Resolver::rewards.

#include <algorithm>
#include <set>

#include "core/config/resolver.h"
#include "core/config/value.h"
#include "core/util/words.h"

namespace qed {
// The values of the engine's own keys; null where one has no value.
nlohmann::json Resolver::engine_keys(const Slot& slot, int stage,
                                     const std::vector<Layer>& layers) {
  TableNames names{stage, slot.table, "key", "[" + slot.table + "]", ""};
  for (const Layer& layer : layers) {
    if (layer.table == nullptr) continue;
    for (const Node& node : layer.table->children) names.others.insert(node.key);
  }
  for (const OptionSpec& key : slot.keys) names.others.erase(key.name);
  return table(slot.keys, layers, names);
}

// Decides what becomes of each layer's options: they are written for the plugin that their layer
// names or inherits. A stage whose file names another one leaves them behind; a --set that names
// another one takes along what fits.
void Resolver::follow_name(const Slot& slot, int stage, const std::string& name,
                           std::vector<Layer>& layers) {
  const Node* chosen = origin(stage, slot.table, "name");
  if (chosen == nullptr) return;         // no layer names one
  std::vector<std::string> written_for;  // per layer; "" where nothing is named yet
  std::string in_file = slot.fallback, by_top = slot.fallback;  // without --set; of the top level
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Node* given = layers[i].table == nullptr ? nullptr : layers[i].table->find("name");
    const bool is_named = given != nullptr && given->type == NodeType::kString;
    written_for.push_back(is_named ? given->value.get<std::string>() : "");
    if (!is_named) continue;
    if (i % 2 == 0) in_file = written_for[i];
    if (i < 2) by_top = written_for[i];
  }
  const std::string first = written_for[0].empty() ? slot.fallback : written_for[0];
  for (std::size_t i = 0; i < layers.size(); ++i) {
    // The file's options go with the file's name, and those of a top-level --set with what it sees.
    const std::string home = i == 0 ? first : i == 1 ? by_top : i == 2 ? in_file : name;
    if (home.empty() || home == name) continue;
    const bool follows = is_set(*chosen) && (i == 1 || home == in_file);
    layers[i].is_lenient = follows;
    layers[i].is_left_out = !follows;
    if (follows || layers[i].table == nullptr) continue;
    for (const Node& node : layers[i].table->children) {
      const auto is_this = [&](const OptionSpec& key) { return key.name == node.key; };
      if (std::any_of(slot.keys.begin(), slot.keys.end(), is_this)) continue;
      Entry& entry = entries_[&node];
      entry.table = slot.table;
      entry.where = layers[i].where;
      entry.lost[stage] = chosen;
    }
  }
}

// The checked options of the plugin; refusals of the plugin itself are problems like any other.
nlohmann::json Resolver::plugin_options(const Slot& slot, int stage, const std::string& name,
                                        std::vector<Layer>& layers) {
  const Node* chosen = origin(stage, slot.table, "name");
  Span at;
  std::string label;
  if (chosen != nullptr) {
    at = chosen->span;
  } else {
    const auto given = std::find_if(layers.begin(), layers.end(),
                                    [](const Layer& layer) { return layer.table != nullptr; });
    at = given->table->key_span;
    label = "the label is the name where there is no `name`";
  }
  const ComponentSpec* component = nullptr;
  try {
    component = &finder_.find(slot.kind, name);
  } catch (const Error& error) {
    add({at, error.what(), label, error.hint(), error.exit_code()});
    return nlohmann::json::object();
  }
  TableNames names{stage,
                   slot.table,
                   "option",
                   cat(slot.kind, " `", name, "`"),
                   cat("`qed plugins ", name, "` lists its options"),
                   {}};
  for (const OptionSpec& key : slot.keys) names.others.insert(key.name);
  follow_name(slot, stage, name, layers);
  nlohmann::json options = table(component->options, layers, names);
  for (const OptionSpec& option : component->options) {
    const bool is_refused = is_broken(stage, slot.table, option.name);
    if (!options[option.name].is_null() || is_refused) continue;
    add({at, cat(names.owner, " needs the option `", option.name, "`"), "",
         cat("`", option.name, "`: ", option.help)});
  }
  return options;
}

PluginTable Resolver::plugin(const std::string& kind, int stage) {
  const Slot slot{kind, kind, "", table_spec(kind).options};
  std::vector<Layer> layers = this->layers(kind, stage);
  const nlohmann::json name = engine_keys(slot, stage, layers)["name"];
  if (name.is_null()) {
    if (!is_broken(stage, kind, "name")) missing_name(kind, layers);
    return {};
  }
  PluginTable result{name, {}};
  result.options = plugin_options(slot, stage, result.name, layers);
  return result;
}

TaskTable Resolver::task(const std::string& table, int stage, std::vector<Layer> layers) {
  const Slot slot{"task", table, "", table_spec("task").options};
  const nlohmann::json given = engine_keys(slot, stage, layers);
  TaskTable result;
  if (given["name"].is_null()) {
    if (!is_broken(stage, table, "name")) missing_name("task", layers);
    return result;
  }
  result.name = given["name"];
  result.label = given["label"].get<std::string>().empty() ? given["name"] : given["label"];
  if (!is_bare_key(result.label)) {
    const Node* at = origin(stage, table, "label");
    add({at->span, cat("`", result.label, "` is no label of a task"),
         "a label has letters, digits, _ and - only", ""});
  }
  result.weight = given["weight"];
  result.window = given["window"];
  if (result.window[0] > result.window[1]) {
    const Node* at = origin(stage, table, "window");
    add({at->span, "`window` ends below where it begins", "", "write [least, most]"});
  }
  result.options = plugin_options(slot, stage, result.name, layers);
  return result;
}

std::vector<TaskTable> Resolver::tasks(int stage) {
  std::vector<Layer> layers = this->layers("task", stage);
  const auto is_list = [](const Layer& layer) {
    return layer.table != nullptr && layer.table->find("1") != nullptr &&
           layer.table->find("1")->is_table();
  };
  // The file's strongest layer says whether there are several.
  const bool has_own = layers.size() > 2 && layers[2].table != nullptr;
  const std::size_t strongest = has_own ? 2 : 0;
  const bool is_replaced = has_own && (is_list(layers[0]) || is_list(layers[2]));
  if (!is_list(layers[strongest])) {
    if (is_replaced) layers[0].table = layers[1].table = nullptr;
    return {task("task", stage, layers)};
  }
  for (const Layer& layer : layers) {
    if (layer.table == nullptr || (is_replaced && &layer < &layers[2])) continue;
    for (const Node& node : layer.table->children) {
      if (layers[strongest].table->find(node.key) != nullptr && node.is_table()) continue;
      add({node.key_span, cat("there is no task `", node.key, "` among several"), "",
           cat("tasks count from 1: --set task.1.weight=2")});
    }
  }
  std::vector<TaskTable> tasks;
  for (const Node& entry : layers[strongest].table->children) {
    const std::string table = "task." + entry.key;
    std::vector<Layer> own = this->layers(table, stage);
    if (is_replaced) own[0].table = own[1].table = nullptr;
    TaskTable next = task(table, stage, std::move(own));
    const auto is_same = [&](const TaskTable& other) { return other.label == next.label; };
    if (!next.label.empty() && std::any_of(tasks.begin(), tasks.end(), is_same)) {
      add({entry.span, cat("two tasks are called `", next.label, "`"), "",
           "give one of them another `label`"});
    }
    tasks.push_back(std::move(next));
  }
  return tasks;
}

void Resolver::missing_name(const std::string& kind, const std::vector<Layer>& layers) {
  const std::string hint =
      cat("write [", kind, "] with the `name` of a plugin; `qed plugins` lists them");
  for (const Layer& layer : layers) {
    if (layer.table == nullptr) continue;
    return add({layer.table->span, cat("missing key `name` in ", layer.where), "", hint});
  }
  add({{}, cat("missing table [", kind, "]"), "", hint});
}

// The labels that some layer gives, sorted; reports what is no term.
std::vector<std::string> Resolver::reward_labels(int stage) {
  std::set<std::string> labels;
  for (const Layer& layer : layers("reward", stage)) {
    if (layer.table == nullptr) continue;
    for (const Node& node : layer.table->children) {
      if (!node.is_table()) {
        add({node.span,
             cat("`", node.key, "` in ", layer.where, " must be a table, not ", type_text(node)),
             "", cat("a term is written `", node.key, " = { weight = 0.2 }`")});
      } else if (!is_bare_key(node.key)) {
        add({node.key_span, cat("`", node.key, "` is no label of a term"),
             "a label has letters, digits, _ and - only", ""});
      } else {
        labels.insert(node.key);
      }
    }
  }
  return {labels.begin(), labels.end()};
}

RewardTerm Resolver::reward_term(const std::string& label, int stage) {
  const Slot slot{"reward", "reward." + label, label, table_spec("reward").options};
  std::vector<Layer> layers = this->layers(slot.table, stage);
  const nlohmann::json given = engine_keys(slot, stage, layers);
  RewardTerm term;
  term.label = term.name = label;
  term.weight = given["weight"];
  if (!given["gamma"].is_null()) term.gamma = given["gamma"].get<double>();
  if (is_broken(stage, slot.table, "name")) return term;
  if (origin(stage, slot.table, "name") != nullptr) term.name = given["name"];
  term.options = plugin_options(slot, stage, term.name, layers);
  return term;
}

std::vector<RewardTerm> Resolver::rewards(int stage, double& task_weight) {
  std::vector<RewardTerm> terms;
  for (const std::string& label : reward_labels(stage)) {
    if (label != "task") {
      terms.push_back(reward_term(label, stage));
      continue;
    }
    const OptionSpec& weight = table_spec("reward").options[1];
    const TableNames names{stage, "reward.task", "key", "[reward.task]",
                           "the task's options are keys of [task]"};
    task_weight = table({weight}, layers("reward.task", stage), names)["weight"];
  }
  const Node* off = task_weight == 0 ? origin(stage, "reward.task", "weight") : nullptr;
  const auto counts = [](const RewardTerm& term) { return term.weight != 0; };
  if (off != nullptr && std::none_of(terms.begin(), terms.end(), counts)) {
    add({off->span, "every reward would be 0: the task's `weight` is 0 and there is no other term",
         "", "add a term to [reward], or give the task a weight"});
  }
  return terms;
}

}  // namespace qed
