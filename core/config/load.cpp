#include "core/config/load.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/config/resolver.h"
#include "core/config/value.h"
#include "core/util/words.h"

namespace qed {
namespace {

namespace fs = std::filesystem;

constexpr char kListing[] = "`qed config` lists all keys";
constexpr char kStageExample[] =
    "a run is a list of stages; write for example\n"
    "  [[stage]]\n"
    "  kind = \"rl\"\n"
    "  steps = 100";

// Reports what the top of the file, or of --set, holds beside the known tables.
void check_top(const Node& root, Resolver& resolver) {
  std::vector<std::string> known = {"stage"};
  for (const TableSpec& spec : table_specs()) known.push_back(spec.name);
  for (const Node& node : root.children) {
    const bool is_known = std::find(known.begin(), known.end(), node.key) != known.end();
    if (is_known && node.key != "stage" && !node.is_table()) {
      resolver.add({node.span, cat("[", node.key, "] must be a table, not ", type_text(node)), "",
                    cat("write [", node.key, "] on a line of its own, and its keys below")});
    }
    if (is_known) continue;
    const bool is_table = node.is_table() || node.type == NodeType::kArray;
    std::string hint = closest_hint("table", nearest(node.key, known));
    for (const TableSpec& spec : table_specs()) {
      for (const OptionSpec& option : spec.options) {
        if (option.name == node.key && hint.empty() && option.name != "name" &&
            option.name != "every") {
          hint = cat("`", node.key, "` is a key of [", spec.name, "]");
        }
      }
    }
    resolver.add({node.key_span,
                  is_table ? cat("unknown table [", node.key, "]")
                           : cat("unknown key `", node.key, "` outside of any table"),
                  is_table ? "not a table of a run file" : "",
                  hint.empty() ? kListing : cat(hint, "; ", kListing)});
  }
}

// How many [[stage]] the file has; reports what is no stage.
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

TableNames engine_names(const std::string& table, int stage) {
  return {stage, table, "key", "[" + table + "]", kListing};
}

fs::path resolve_path(const std::string& text, const Node& node, const std::string& file,
                      const Resolver& resolver) {
  fs::path path(text);
  if (path.is_relative() && !resolver.is_set(node)) path = fs::path(file).parent_path() / path;
  path = path.lexically_normal();
  // Below the working directory a path is written relative to it, however it was given: the run
  // folder is bound to it.
  std::error_code ignored;
  const fs::path relative =
      path.is_absolute() ? path.lexically_relative(fs::current_path(ignored)) : path;
  return relative.empty() || *relative.begin() == ".." ? path : relative;
}

void load_model(const Document& document, Resolver& resolver, RunConfig& config) {
  const std::vector<Layer> layers = resolver.layers("model", 0);
  read_model(resolver.table(table_spec("model").options, layers, engine_names("model", 0)),
             config.model);
  const Node* path = resolver.origin(0, "model", "path");
  const Node* made = resolver.origin(0, "model", "config");
  if (path != nullptr && made != nullptr && resolver.is_set(*path) != resolver.is_set(*made)) {
    const Node*& loser = resolver.is_set(*path) ? made : path;
    resolver.notice(cat("`", loser->key, "` in [model] (", resolver.place(*loser),
                        ") is left out: --set gives the other"));
    (resolver.is_set(*path) ? config.model.config : config.model.path).clear();
    loser = nullptr;
  }
  if (path != nullptr && made != nullptr) {
    resolver.add({std::max(path->key_span, made->key_span), "[model] has both `path` and `config`",
                  "the second",
                  "`path` is a trained model, `config` makes one from nothing: keep one"});
    return;
  }
  if (path == nullptr && made == nullptr) {
    const Node* table = document.file.find("model");
    if (!resolver.problems().empty() && table != nullptr && !table->children.empty()) return;
    resolver.add(
        {table == nullptr ? Span{} : table->span,
         table == nullptr ? "missing table [model]" : "[model] needs `path` or `config`", "",
         "`path` is a Hugging Face folder, `config` the config.json of a model made from nothing"});
    return;
  }
  std::error_code ignored;
  if (path != nullptr) {
    const fs::path folder = resolve_path(config.model.path, *path, config.file, resolver);
    config.model.path = folder.string();
    if (!fs::exists(folder / "config.json", ignored)) {
      resolver.add(
          {path->span, cat("no model in ", folder.string(), ": it has no config.json"), "",
           "give a Hugging Face folder; relative paths in the file start at the file's folder"});
    }
  } else {
    const fs::path json = resolve_path(config.model.config, *made, config.file, resolver);
    config.model.config = json.string();
    if (!fs::is_regular_file(json, ignored)) {
      resolver.add({made->span, cat("no model config at ", json.string()), "",
                    "give a config.json; relative paths in the file start at the file's folder"});
    }
  }
}

// The keys of [[stage]] itself.
void load_stage_keys(int number, Resolver& resolver, Stage& stage) {
  TableNames names{number, "", "key", "a stage", kListing, {}};
  names.others.insert(stage_tables().begin(), stage_tables().end());
  const std::vector<Layer> own = resolver.stage_layers(number);
  // The kind first: it decides which other keys there must be.
  TableNames kind_names = names;
  kind_names.others.insert({"steps", "demonstrations"});
  const std::vector<OptionSpec> all = stage_options("");
  const nlohmann::json kind = resolver.table({all.front()}, own, kind_names)["kind"];
  if (kind.is_string()) stage.kind = kind;

  static const std::map<std::string, std::string> kExamples = {
      {"kind", " = \"rl\""}, {"steps", " = 100"}, {"demonstrations", " = 2000"}};
  const std::vector<OptionSpec> options = stage_options(stage.kind);
  const nlohmann::json values = resolver.table(options, own, names);
  for (const OptionSpec& option : options) {
    const bool is_needed = option.name != "demonstrations" || stage.kind == "sft";
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

// A file without stages is checked as if it had one, so that all its problems come at once.
Stage load_stage(int number, bool is_real, Resolver& resolver) {
  Stage stage;
  if (is_real) {
    load_stage_keys(number, resolver, stage);
    check_stage_tables(number, resolver);
  }
  for (const std::string& table : stage_tables()) {
    const std::vector<Layer> layers = resolver.layers(table, is_real ? number : 0);
    const bool is_given = std::any_of(layers.begin(), layers.end(),
                                      [](const Layer& layer) { return layer.table != nullptr; });
    if (is_plugin_table(table)) {
      const bool is_used = table == "task" || stage.kind != "sft";
      if (!is_used || (!is_given && stage.kind.empty())) continue;
      PluginTable& member = table == "task"        ? stage.task
                            : table == "algorithm" ? stage.algorithm
                                                   : stage.sampler;
      member = resolver.plugin(table, is_real ? number : 0);
    } else {
      const auto values =
          resolver.table(table_spec(table).options, layers, engine_names(table, number));
      read_stage_table(table, values, stage);
    }
  }
  return stage;
}

// Adds the values of one table that have an effect.
void report_table(const nlohmann::json& values, const std::string& table, int stage,
                  const Resolver& resolver, LoadReport& report) {
  const auto add = [&](const std::string& key, const nlohmann::json& value) {
    const Node* origin = resolver.origin(stage, table, key);
    report.values.push_back(
        {stage, table, key, value, origin == nullptr ? "default" : resolver.place(*origin)});
  };
  std::vector<std::string> order;
  for (const OptionSpec& option : table.empty() ? stage_options("") : table_spec(table).options) {
    order.push_back(option.name);
    if (values.contains(option.name)) add(option.name, values[option.name]);
  }
  for (const auto& [key, value] : values.items()) {
    const bool is_done = std::find(order.begin(), order.end(), key) != order.end();
    if (!is_done && (is_plugin_table(table))) add(key, value);
  }
}

void fill_report(const RunConfig& config, Resolver& resolver, LoadReport& report) {
  const nlohmann::json values = config.to_json();
  report.notices = resolver.notices();
  for (const char* table : {"run", "model"})
    report_table(values[table], table, 0, resolver, report);
  for (std::size_t i = 0; i < config.stages.size(); ++i) {
    const nlohmann::json& stage = values["stage"][i];
    const int number = static_cast<int>(i) + 1;
    report_table(stage, "", number, resolver, report);
    for (const std::string& table : stage_tables()) {
      if (stage.contains(table)) report_table(stage[table], table, number, resolver, report);
    }
  }
}

}  // namespace

RunConfig load_run_config(const std::string& file, const std::vector<std::string>& overrides,
                          ComponentFinder& finder, LoadReport* report) {
  std::vector<Problem> unreadable;
  const Document document = read_document(file, overrides, unreadable);
  const bool has_file =
      std::none_of(unreadable.begin(), unreadable.end(),
                   [](const Problem& problem) { return problem.span.source == 0; });
  if (!has_file) throw ConfigError(std::move(unreadable), document.sources);

  RunConfig config;
  config.file = file;
  Resolver resolver(document, finder);
  for (Problem& problem : unreadable) resolver.add(std::move(problem));
  check_top(document.file, resolver);
  check_top(document.sets, resolver);
  const auto run =
      resolver.table(table_spec("run").options, resolver.layers("run", 0), engine_names("run", 0));
  read_run(run, config.run);
  if (config.run.name.empty()) config.run.name = fs::path(file).stem().string();
  load_model(document, resolver, config);
  const int count = count_stages(document, resolver);
  for (int i = 1; i <= count; ++i) config.stages.push_back(load_stage(i, true, resolver));
  if (count == 0) load_stage(1, false, resolver);
  resolver.check_effects(config.stages);
  if (!resolver.problems().empty()) throw ConfigError(resolver.problems(), document.sources);
  if (report != nullptr) fill_report(config, resolver, *report);
  return config;
}

}  // namespace qed
