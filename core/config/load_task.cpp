#include "core/config/load_task.h"

#include "core/config/resolver.h"

namespace qed {
namespace {

// What a hint shows: an option of this task.
std::string example_of(const ComponentSpec& spec) {
  return spec.options.empty() ? "KEY=VALUE" : spec.options.front().name + "=VALUE";
}

// The options as one table: those of `task.` stand beside those without.
Node options_table(const Node& sets) {
  Node table;
  for (const Node& node : sets.children) {
    if (node.key == "task" && node.is_table()) {
      table.children.insert(table.children.end(), node.children.begin(), node.children.end());
    } else {
      table.children.push_back(node);
    }
  }
  return table;
}

}  // namespace

PluginTable load_task_options(const std::string& task, const std::vector<std::string>& overrides,
                              ComponentFinder& finder) {
  const ComponentSpec& spec = finder.find("task", task);
  Document document;
  std::vector<Problem> malformed;
  document.sources.push_back({cat("task `", task, "`"), {}, false});
  for (const std::string& argument : overrides) {
    read_set(argument, example_of(spec), document, malformed);
  }
  const Node given = options_table(document.sets);

  Resolver resolver(document, finder);
  for (Problem& problem : malformed) resolver.add(std::move(problem));
  const std::string owner = document.sources.front().name;
  const TableNames names{
      0, "task", "option", owner, cat("`qed plugins ", task, "` lists its options"), {}};
  PluginTable result{task, resolver.table(spec.options, {{&given, owner}}, names)};
  for (const OptionSpec& option : spec.options) {
    const bool is_refused = resolver.is_broken(0, "task", option.name);
    if (!result.options[option.name].is_null() || is_refused) continue;
    resolver.add({{},
                  cat(owner, " needs the option `", option.name, "`"),
                  "",
                  cat("give --set ", option.name, "=VALUE: ", option.help)});
  }
  if (!resolver.problems().empty()) throw ConfigError(resolver.problems(), document.sources);
  return result;
}

}  // namespace qed
