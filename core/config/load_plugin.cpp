#include "core/config/load_plugin.h"

#include "core/config/resolver.h"

namespace qed {
namespace {

// What a hint shows: an option of this plugin.
std::string example_of(const ComponentSpec& spec) {
  return spec.options.empty() ? "KEY=VALUE" : spec.options.front().name + "=VALUE";
}

// The options as one table: those of `task.` (or another kind) stand beside those without.
Node options_table(const Node& sets, const std::string& kind) {
  Node table;
  for (const Node& node : sets.children) {
    if (node.key == kind && node.is_table()) {
      table.children.insert(table.children.end(), node.children.begin(), node.children.end());
    } else {
      table.children.push_back(node);
    }
  }
  return table;
}

}  // namespace

PluginTable load_plugin_options(const std::string& kind, const std::string& name,
                                const std::vector<std::string>& overrides,
                                ComponentFinder& finder) {
  const ComponentSpec& spec = finder.find(kind, name);
  Document document;
  std::vector<Problem> malformed;
  document.sources.push_back({cat(kind, " `", name, "`"), {}, false});
  for (const std::string& argument : overrides) {
    read_set(argument, example_of(spec), document, malformed);
  }
  const Node given = options_table(document.sets, kind);

  Resolver resolver(document, finder);
  for (Problem& problem : malformed) resolver.add(std::move(problem));
  const std::string owner = document.sources.front().name;
  const TableNames names{
      0, kind, "option", owner, cat("`qed plugins ", name, "` lists its options"), {}};
  PluginTable result{name, resolver.table(spec.options, {{&given, owner}}, names)};
  for (const OptionSpec& option : spec.options) {
    const bool is_refused = resolver.is_broken(0, kind, option.name);
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
