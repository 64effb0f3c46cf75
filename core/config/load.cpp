#include "core/config/load.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/config/loaders.h"
#include "core/config/value.h"
#include "core/util/words.h"

namespace qed {
namespace {

namespace fs = std::filesystem;

// Reports what the top of the file, or of --set, holds beside the known tables.
void check_top(const Node& root, Resolver& resolver) {
  std::vector<std::string> known = {"stage", "extends"};
  for (const TableSpec& spec : table_specs()) known.push_back(spec.name);
  for (const Node& node : root.children) {
    const bool is_known = std::find(known.begin(), known.end(), node.key) != known.end();
    if (node.key == "extends") {
      if (!resolver.is_set(node)) continue;
      resolver.add({node.key_span, "--set cannot change what a run file extends", "",
                    "write a run file with another `extends`"});
    } else if (is_known && node.key != "stage" && !node.is_table()) {
      resolver.add({node.span, cat("[", node.key, "] must be a table, not ", type_text(node)), "",
                    cat("write [", node.key, "] on a line of its own, and its keys below")});
    }
    if (is_known) continue;
    const bool is_table = node.is_table() || node.type == NodeType::kArray;
    const std::vector<std::string> closest = nearest(node.key, known);
    const bool is_extends = !closest.empty() && closest.front() == "extends";
    std::string hint = closest_hint(is_extends ? "key" : "table", closest);
    for (const TableSpec& spec : table_specs()) {
      for (const OptionSpec& option : spec.options) {
        const bool is_common = option.name == "name" || option.name == "every";
        if (option.name == node.key && hint.empty() && !is_common && spec.name != "reward") {
          hint = resolver.is_set(node) ? cat("write --set ", spec.name, ".", node.key, "=VALUE")
                                       : cat("`", node.key, "` is a key of [", spec.name, "]");
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

// Adds the values of one table that have an effect.
void report_table(const nlohmann::json& values, const std::string& table, int stage,
                  const Resolver& resolver, LoadReport& report) {
  const auto add = [&](const std::string& key, const nlohmann::json& value) {
    const Node* origin = resolver.origin(stage, table, key);
    report.values.push_back(
        {stage, table, key, value, origin == nullptr ? "default" : resolver.place(*origin)});
  };
  const std::string declared = table.substr(0, table.find('.'));  // "reward.LABEL" is a [reward]
  std::vector<std::string> order;
  for (const OptionSpec& option :
       table.empty() ? stage_options("") : table_spec(declared).options) {
    order.push_back(option.name);
    if (values.contains(option.name)) add(option.name, values[option.name]);
  }
  for (const auto& [key, value] : values.items()) {
    const bool is_done = std::find(order.begin(), order.end(), key) != order.end();
    if (!is_done && (is_plugin_table(declared) || declared == "reward")) add(key, value);
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
      if (!stage.contains(table)) continue;
      const bool is_list = table == "task" && config.stages[i].tasks.size() > 1;
      if (table != "reward" && !is_list) {
        report_table(stage[table], table, number, resolver, report);
        continue;
      }
      for (const auto& [label, values] : stage[table].items()) {
        report_table(values, table + "." + label, number, resolver, report);
      }
    }
  }
}

}  // namespace

RunConfig load_run_config(const std::string& file, const std::vector<std::string>& overrides,
                          ComponentFinder& finder, LoadReport* report) {
  std::vector<Problem> unreadable;
  const Document document = read_document(file, overrides, unreadable);
  if (!document.is_complete) throw ConfigError(std::move(unreadable), document.sources);

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
  for (Stage& stage : config.stages) {
    std::erase_if(stage.rewards, [](const RewardTerm& term) { return term.weight == 0; });
  }
  if (!resolver.problems().empty()) throw ConfigError(resolver.problems(), document.sources);
  if (report != nullptr) fill_report(config, resolver, *report);
  return config;
}

}  // namespace qed
