#include "core/config/run_config.h"

#include <algorithm>
#include <type_traits>

#include "core/config/table_keys.h"
#include "core/config/tables.h"
#include "core/util/error.h"

namespace qed {
namespace {

// The three visitors of table_keys.h.

struct Describe {
  std::vector<OptionSpec>& options;

  template <class T>
  void operator()(const char* name, const T& member, OptionSpec spec) {
    spec.name = name;
    spec.default_value = member;
    if constexpr (std::is_same_v<T, bool>) {
      spec.type = OptionType::kBool;
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      spec.type = OptionType::kInt;
    } else if constexpr (std::is_same_v<T, double>) {
      spec.type = OptionType::kFloat;
    } else if constexpr (std::is_same_v<T, std::string>) {
      spec.type = OptionType::kString;
    } else {
      spec.type = OptionType::kFloatList;
      if constexpr (std::is_same_v<T, std::array<double, 2>>) spec.length = 2;
    }
    options.push_back(std::move(spec));
  }
};

struct Read {
  const nlohmann::json& from;

  template <class T>
  void operator()(const char* name, T& member, const OptionSpec&) {
    member = from.at(name).get<T>();
  }
};

struct Write {
  nlohmann::json to = nlohmann::json::object();

  template <class T>
  void operator()(const char* name, const T& member, const OptionSpec&) {
    to[name] = member;
  }
};

template <class Table>
TableSpec describe(const char* name, const char* help) {
  TableSpec spec{name, help, {}};
  Describe visitor{spec.options};
  Table table;
  visit(visitor, table);
  return spec;
}

TableSpec describe_plugin(const char* name, const char* help) {
  return {name,
          help,
          {{.name = "name", .help = cat("of the ", name, "; the other keys are its options")}}};
}

TableSpec describe_task() {
  TableSpec spec = describe_plugin("task",
                                   "the plugin that gives prompts and scores completions; "
                                   "several, with weights, are written [[task]]");
  spec.options.push_back({.name = "weight",
                          .type = OptionType::kFloat,
                          .default_value = 1.0,
                          .min = 0,
                          .is_min_open = true,
                          .help = "[[task]]: share of the prompts, relative to the other tasks'"});
  spec.options.push_back({.name = "label",
                          .default_value = "",
                          .help = "names the task in metrics; by default the plugin's name"});
  spec.options.push_back({.name = "window",
                          .type = OptionType::kFloatList,
                          .default_value = TaskTable().window,
                          .min = 0,
                          .max = 1,
                          .length = 2,
                          .help = "rl: items with another pass rate are left out for a while"});
  return spec;
}

TableSpec describe_reward() {
  return {"reward",
          "rl: extra terms: LABEL = { name = \"a plugin\", weight = 1, its options }",
          {{.name = "name", .default_value = "", .help = "of the plugin; by default the label"},
           {.name = "weight",
            .type = OptionType::kFloat,
            .default_value = 1.0,
            .help = "of the term in the sum; 0: off; label `task`: of the task's own reward"},
           {.name = "gamma",
            .type = OptionType::kFloat,
            .min = 0,
            .max = 1,
            .help = "discount of the term's rewards per token; without it, the algorithm's",
            .is_optional = true}}};
}

template <class Table>
nlohmann::json write(Table table) {  // a copy: the visitors take members that can be set
  Write visitor;
  visit(visitor, table);
  return visitor.to;
}

nlohmann::json write(const TaskTable& table, bool is_alone) {
  nlohmann::json to = table.options;
  to["name"] = table.name;
  if (table.label != table.name) to["label"] = table.label;
  if (!is_alone) to["weight"] = table.weight;
  if (table.window != TaskTable().window) to["window"] = table.window;
  return to;
}

// One task as a table, several as tables 1, 2, ….
nlohmann::json write(const std::vector<TaskTable>& tasks) {
  if (tasks.size() == 1) return write(tasks.front(), true);
  nlohmann::json to = nlohmann::json::object();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    to[std::to_string(i + 1)] = write(tasks[i], false);
  }
  return to;
}

nlohmann::json write(const PluginTable& table) {
  nlohmann::json to = table.options;
  to["name"] = table.name;
  return to;
}

nlohmann::json write_rewards(const Stage& stage) {
  nlohmann::json to = {{"task", {{"weight", stage.task_weight}}}};
  for (const RewardTerm& term : stage.rewards) {
    nlohmann::json& entry = to[term.label] = term.options;
    entry["name"] = term.name;
    entry["weight"] = term.weight;
    if (term.gamma) entry["gamma"] = *term.gamma;
  }
  return to;
}

nlohmann::json without_idle_keys(const Stage& stage, const char* table, nlohmann::json values) {
  std::string gate;
  for (auto it = values.begin(); it != values.end();) {
    it = no_effect_reason(stage, table, it.key(), gate).empty() ? std::next(it) : values.erase(it);
  }
  return values;
}

nlohmann::json write(const Stage& stage) {
  nlohmann::json to = {{"kind", stage.kind}, {"steps", stage.steps}};
  if (stage.demonstrations > 0) to["demonstrations"] = stage.demonstrations;
  if (!stage.data.empty()) to["data"] = stage.data;
  if (stage.max_tokens > 0) to["max_tokens"] = stage.max_tokens;
  const auto add = [&](const char* table, const auto& values) {
    nlohmann::json kept = without_idle_keys(stage, table, write(values));
    if (!kept.empty()) to[table] = std::move(kept);
  };
  if (!stage.tasks.empty()) to["task"] = write(stage.tasks);
  if (stage.kind == "rl") to["reward"] = write_rewards(stage);
  add("algorithm", stage.algorithm);
  add("sampler", stage.sampler);
  add("rollout", stage.rollout);
  add("train", stage.train);
  add("kl", stage.kl);
  add("critic", stage.critic);
  add("mismatch", stage.mismatch);
  add("eval", stage.eval);
  add("checkpoint", stage.checkpoint);
  return to;
}

}  // namespace

nlohmann::json RunConfig::to_json() const {
  nlohmann::json to = {{"run", write(run)}, {"model", write(model)}};
  to["model"].erase(model.path.empty() ? "path" : "config");
  if (model.chat_template.empty()) to["model"].erase("chat_template");
  to["stage"] = nlohmann::json::array();
  for (const Stage& stage : stages) to["stage"].push_back(write(stage));
  return to;
}

const std::vector<TableSpec>& table_specs() {
  static const std::vector<TableSpec> specs = {
      describe<RunTable>("run", "the run as a whole"),
      describe<ModelTable>("model", "what is trained: `path` or `config`"),
      describe_task(),
      describe_reward(),
      describe_plugin("algorithm", "rl: the plugin that turns rewards into gradients"),
      describe_plugin("sampler", "rl: the plugin that shapes how tokens are drawn"),
      describe<RolloutTable>("rollout", "rl: what is generated in a step"),
      describe<TrainTable>("train", "the updates"),
      describe<KlTable>("kl", "rl: what holds the policy near the one that the stage began with"),
      describe<CriticTable>("critic", "rl: the value model of algorithms that ask for one"),
      describe<MismatchTable>("mismatch", "rl: where rollout and training forward disagree"),
      describe<EvalTable>("eval", "tests on held-out items"),
      describe<CheckpointTable>("checkpoint", "what is saved"),
  };
  return specs;
}

const TableSpec& table_spec(std::string_view name) {
  const auto& specs = table_specs();
  const auto found =
      std::find_if(specs.begin(), specs.end(), [&](const TableSpec& s) { return s.name == name; });
  QED_CHECK(found != specs.end(), name);
  return *found;
}

std::vector<OptionSpec> stage_options(const std::string& kind) {
  std::vector<OptionSpec> options = {
      {.name = "kind", .choices = {"sft", "rl"}, .help = "supervised warm-up, or reinforcement"},
      {.name = "steps", .type = OptionType::kInt, .min = 1, .help = "sft: updates; rl: rollouts"},
      {.name = "demonstrations",
       .type = OptionType::kInt,
       .min = 1,
       .help = "sft: how many in all; with `data`, by default all of the file"},
      {.name = "data",
       .default_value = "",
       .help = "sft: a file of prompts and completions or messages; by default the task's own"},
      {.name = "max_tokens",
       .type = OptionType::kInt,
       .default_value = 0,
       .min = 0,
       .unit = "tokens",
       .help = "sft: longer rows of `data` are cut; 0: refused"},
  };
  if (kind != "sft" && !kind.empty()) options[2].default_value = 0;
  return options;
}

bool is_plugin_table(std::string_view name) {
  return name == "task" || name == "algorithm" || name == "sampler";
}

const std::vector<std::string>& stage_tables() {
  static const std::vector<std::string> names = {"task",     "reward", "algorithm", "sampler",
                                                 "rollout",  "train",  "kl",        "critic",
                                                 "mismatch", "eval",   "checkpoint"};
  return names;
}

void read_run(const nlohmann::json& values, RunTable& table) {
  Read visitor{values};
  visit(visitor, table);
}

void read_model(const nlohmann::json& values, ModelTable& table) {
  Read visitor{values};
  visit(visitor, table);
}

void read_stage_table(const std::string& name, const nlohmann::json& values, Stage& stage) {
  Read visitor{values};
  if (name == "rollout") return visit(visitor, stage.rollout);
  if (name == "train") return visit(visitor, stage.train);
  if (name == "kl") return visit(visitor, stage.kl);
  if (name == "critic") return visit(visitor, stage.critic);
  if (name == "mismatch") return visit(visitor, stage.mismatch);
  if (name == "eval") return visit(visitor, stage.eval);
  QED_CHECK(name == "checkpoint", name);
  visit(visitor, stage.checkpoint);
}

}  // namespace qed
