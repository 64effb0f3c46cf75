#include <algorithm>
#include <map>

#include "core/config/loaders.h"
#include "core/config/value.h"
#include "core/util/words.h"

namespace qed {
namespace {

constexpr char kStageExample[] =
    "a run is a list of stages; write for example\n"
    "  [[stage]]\n"
    "  kind = \"rl\"\n"
    "  steps = 100";

// The keys of [[stage]] itself.
void load_stage_keys(int number, Resolver& resolver, Stage& stage) {
  TableNames names{number, "", "key", "a stage", kListing, {}};
  names.others.insert(stage_tables().begin(), stage_tables().end());
  const std::vector<Layer> own = resolver.stage_layers(number);
  // The kind first: it decides which other keys there must be.
  TableNames kind_names = names;
  kind_names.others.insert({"steps", "demonstrations", "data", "max_tokens"});
  const std::vector<OptionSpec> all = stage_options("");
  const nlohmann::json kind = resolver.table({all.front()}, own, kind_names)["kind"];
  if (kind.is_string()) stage.kind = kind;

  static const std::map<std::string, std::string> kExamples = {
      {"kind", " = \"rl\""}, {"steps", " = 100"}, {"demonstrations", " = 2000"}};
  const std::vector<OptionSpec> options = stage_options(stage.kind);
  const nlohmann::json values = resolver.table(options, own, names);
  if (values["data"].is_string()) stage.data = values["data"];
  if (values["max_tokens"].is_number()) stage.max_tokens = values["max_tokens"];
  for (const OptionSpec& option : options) {
    const bool is_needed =
        option.name != "demonstrations" || (stage.kind == "sft" && stage.data.empty());
    if (!is_needed || !values[option.name].is_null() || own[0].table == nullptr) continue;
    if (resolver.is_broken(number, "", option.name)) continue;
    resolver.add({own[0].table->span, cat("missing key `", option.name, "` in stage ", number), "",
                  cat("write for example `", option.name, kExamples.at(option.name), "`")});
  }
  if (values["steps"].is_number()) stage.steps = values["steps"];
  if (values["demonstrations"].is_number()) stage.demonstrations = values["demonstrations"];
}

void check_stage_tables(int number, Resolver& resolver) {
  for (const std::string& table : stage_tables()) {
    for (const Layer& own : resolver.stage_layers(number)) {
      const Node* node = own.table == nullptr ? nullptr : own.table->find(table);
      if (node == nullptr || node->is_table()) continue;
      resolver.add({node->span,
                    cat("`", table, "` in ", own.where, " must be a table, not ", type_text(*node)),
                    "", cat("write for example `", table, " = { key = value }`")});
    }
  }
}

}  // namespace

int count_stages(const Document& document, Resolver& resolver) {
  const Node* stages = document.file.find("stage");
  int count = 0;
  if (stages == nullptr) {
    resolver.add({{}, "no [[stage]]", "", kStageExample});
  } else if (stages->type != NodeType::kArray) {
    resolver.add({stages->span, "a stage is written with two brackets", "write [[stage]]", ""});
  } else {
    count = static_cast<int>(stages->children.size());
    if (count == 0) resolver.add({stages->span, "the list of stages is empty", "", kStageExample});
    for (const Node& stage : stages->children) {
      if (stage.is_table()) continue;
      resolver.add(
          {stage.span, cat("a stage must be a table, not ", type_text(stage)), "", kStageExample});
    }
  }
  const Node* sets = document.sets.find("stage");
  if (sets == nullptr) return count;
  if (!sets->is_table()) {
    resolver.add({sets->key_span, "--set cannot replace the list of stages", "",
                  "set a key of one stage: --set stage.1.steps=40"});
    return count;
  }
  for (const Node& set : sets->children) {
    bool is_known = false;
    for (int i = 1; i <= count; ++i) is_known |= set.key == std::to_string(i);
    if (!is_known) {
      resolver.add({set.key_span, cat("there is no stage `", set.key, "`"),
                    cat("the file has ", counted(count, "stage")),
                    "stages count from 1: --set stage.1.steps=40"});
    } else if (!set.is_table()) {
      resolver.add({set.key_span, "--set cannot replace a stage", "",
                    cat("set a key of it: --set stage.", set.key, ".steps=40")});
    }
  }
  return count;
}

Stage load_stage(int number, bool is_real, Resolver& resolver) {
  Stage stage;
  if (is_real) {
    load_stage_keys(number, resolver, stage);
    check_stage_tables(number, resolver);
  }
  const int layers_of = is_real ? number : 0;
  for (const std::string& table : stage_tables()) {
    const std::vector<Layer> layers = resolver.layers(table, layers_of);
    if (table == "reward") {
      if (stage.kind != "sft") stage.rewards = resolver.rewards(layers_of, stage.task_weight);
      continue;
    }
    const bool is_given = std::any_of(layers.begin(), layers.end(),
                                      [](const Layer& layer) { return layer.table != nullptr; });
    if (is_plugin_table(table)) {
      const bool is_used = table == "task" || stage.kind != "sft";
      const bool is_needed = !stage.kind.empty() && (stage.kind != "sft" || stage.data.empty());
      if (!is_used || (!is_given && !is_needed)) continue;
      if (table == "task") {
        stage.tasks = resolver.tasks(layers_of);
        continue;
      }
      (table == "algorithm" ? stage.algorithm : stage.sampler) = resolver.plugin(table, layers_of);
    } else {
      const auto values =
          resolver.table(table_spec(table).options, layers, engine_names(table, number));
      read_stage_table(table, values, stage);
    }
  }
  return stage;
}

}  // namespace qed
