#include "core/config/resolver.h"

#include <algorithm>
#include <exception>

#include "core/config/value.h"
#include "core/util/words.h"

namespace qed {
namespace {

std::string origin_key(int stage, const std::string& table, const std::string& key) {
  return cat(stage, ".", table, ".", key);
}

const OptionSpec* find_option(const std::vector<OptionSpec>& options, const std::string& name) {
  const auto found = std::find_if(options.begin(), options.end(),
                                  [&](const OptionSpec& option) { return option.name == name; });
  return found == options.end() ? nullptr : &*found;
}

// The table that has this key, for a key that was written into the wrong one.
std::string home_of(const std::string& key) {
  for (const TableSpec& spec : table_specs()) {
    if (key != "name" && key != "every" && find_option(spec.options, key) != nullptr)
      return spec.name;
  }
  return "";
}

std::string join_hints(const std::string& a, const std::string& b) {
  return a.empty() ? b : b.empty() ? a : a + "; " + b;
}

const Node* table_or_null(const Node* node) {
  return node != nullptr && node->is_table() ? node : nullptr;
}

}  // namespace

std::vector<Layer> Resolver::stage_layers(int stage) const {
  const std::string where = cat("stage ", stage);
  const Node* in_file = document_.file.find("stage");
  if (in_file != nullptr) {
    const auto index = static_cast<std::size_t>(stage - 1);
    in_file = index < in_file->children.size() ? &in_file->children[index] : nullptr;
  }
  const Node* in_sets = document_.sets.find("stage");
  if (in_sets != nullptr) in_sets = in_sets->find(std::to_string(stage));
  return {{table_or_null(in_file), where}, {table_or_null(in_sets), where}};
}

std::vector<Layer> Resolver::layers(const std::string& table, int stage) const {
  const auto child = [&](const Node* parent) {
    return parent == nullptr ? nullptr : table_or_null(parent->find(table));
  };
  const std::string top = "[" + table + "]";
  std::vector<Layer> all = {{child(&document_.file), top}, {child(&document_.sets), top}};
  if (stage == 0) return all;
  for (const Layer& own : stage_layers(stage)) {
    all.push_back({child(own.table), cat(top, " of ", own.where)});
  }
  return all;
}

const Node* Resolver::origin(int stage, const std::string& table, const std::string& key) const {
  const auto found = origins_.find(origin_key(stage, table, key));
  return found == origins_.end() ? nullptr : found->second;
}

void Resolver::notice(const std::string& text) {
  if (std::find(notices_.begin(), notices_.end(), text) == notices_.end()) notices_.push_back(text);
}

void Resolver::unknown_key(const Node& node, const std::string& where,
                           const std::vector<OptionSpec>& options, const TableNames& names) {
  std::vector<std::string> known(names.others.begin(), names.others.end());
  for (const OptionSpec& option : options) known.push_back(option.name);
  std::string hint = closest_hint(names.kind, nearest(node.key, known));
  const std::string home = home_of(node.key);
  if (hint.empty() && !home.empty()) hint = cat("`", node.key, "` is a key of [", home, "]");
  const std::string label =
      cat("not ", names.kind == "key" ? "a key" : "an option", " of ", names.owner);
  add({node.key_span, cat("unknown key `", node.key, "` in ", where), label,
       join_hints(hint, names.listing)});
}

void Resolver::enter(const Node& node, const Layer& layer, const std::vector<OptionSpec>& options,
                     const TableNames& names, Winners& winners) {
  Entry& entry = entries_[&node];
  entry.table = names.table;
  entry.where = layer.where;
  const auto leave_out = [&](const std::string& reason) {
    notice(cat("`", node.key, "` in ", layer.where, " (", place(node), ") is left out: ", reason));
  };
  const OptionSpec* option = find_option(options, node.key);
  if (option == nullptr) {
    if (!layer.is_lenient) return unknown_key(node, layer.where, options, names);
    return leave_out(cat(names.owner, " has no such option"));
  }
  std::vector<Problem> refusals;
  const auto value = check_value(*option, node, layer.where, refusals);
  if (!value) {
    const std::string range = range_text(*option);
    if (layer.is_lenient) {
      return leave_out(cat(names.owner, " takes ", range.empty() ? type_text(*option) : range));
    }
    broken_.insert(origin_key(names.stage, names.table, node.key));
    for (Problem& refusal : refusals) add(std::move(refusal));
    return;
  }
  const auto [it, is_new] = winners.try_emplace(node.key, &node, *value);
  if (is_new) return;
  entries_[it->second.first].lost[names.stage] = &node;
  it->second = {&node, *value};
}

nlohmann::json Resolver::table(const std::vector<OptionSpec>& options,
                               const std::vector<Layer>& layers, const TableNames& names) {
  Winners winners;
  for (const Layer& layer : layers) {
    if (layer.table == nullptr || layer.is_left_out) continue;
    for (const Node& node : layer.table->children) {
      if (!names.others.contains(node.key)) enter(node, layer, options, names, winners);
    }
  }
  nlohmann::json values = nlohmann::json::object();
  for (const OptionSpec& option : options) {
    const auto found = winners.find(option.name);
    values[option.name] = found == winners.end() ? option.default_value : found->second.second;
    if (found == winners.end()) continue;
    origins_[origin_key(names.stage, names.table, option.name)] = found->second.first;
    entries_[found->second.first].won.push_back(names.stage);
  }
  return values;
}

// The plugin's name, or "" when it is missing or wrong. Decides what becomes of each layer's
// options: they are written for the plugin that their layer names or inherits. A stage whose file
// names another one leaves them behind; a --set that names another one takes along what fits.
std::string Resolver::plugin_name(const std::string& kind, int stage, std::vector<Layer>& layers) {
  TableNames names{stage, kind, "key", "[" + kind + "]", ""};
  std::vector<std::string> written_for;  // per layer; "" where nothing is named yet
  for (const Layer& layer : layers) {
    const Node* name = layer.table == nullptr ? nullptr : layer.table->find("name");
    const bool is_named = name != nullptr && name->type == NodeType::kString;
    written_for.push_back(is_named ? name->value.get<std::string>() : "");
    if (layer.table == nullptr) continue;
    for (const Node& node : layer.table->children) {
      if (node.key != "name") names.others.insert(node.key);
    }
  }
  const nlohmann::json given = table(table_spec(kind).options, layers, names)["name"];
  if (given.is_null()) {
    if (!broken_.contains(origin_key(stage, kind, "name"))) missing_name(kind, layers);
    return "";
  }
  const auto value = given.get<std::string>();
  const Node* chosen = origin(stage, kind, "name");
  std::string in_file, by_top;  // the name without --set, and that of the top-level table
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (written_for[i].empty()) continue;
    if (i % 2 == 0) in_file = written_for[i];
    if (i < 2) by_top = written_for[i];
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    // The file's options go with the file's name, and those of a top-level --set with what it sees.
    const std::string home = i == 0 ? written_for[0] : i == 1 ? by_top : i == 2 ? in_file : value;
    if (home.empty() || home == value) continue;
    const bool follows = is_set(*chosen) && (i == 1 || home == in_file);
    layers[i].is_lenient = follows;
    layers[i].is_left_out = !follows;
    if (follows || layers[i].table == nullptr) continue;
    for (const Node& node : layers[i].table->children) {
      if (node.key == "name") continue;
      Entry& entry = entries_[&node];
      entry.table = kind;
      entry.where = layers[i].where;
      entry.lost[stage] = chosen;
    }
  }
  return value;
}

PluginTable Resolver::plugin(const std::string& kind, int stage) {
  std::vector<Layer> layers = this->layers(kind, stage);
  PluginTable result{plugin_name(kind, stage, layers), nlohmann::json::object()};
  if (result.name.empty()) return result;
  const Node* name = origin(stage, kind, "name");
  const ComponentSpec* component = nullptr;
  try {
    component = &finder_.find(kind, result.name);
  } catch (const Error& error) {
    add({name->span, error.what(), "", error.hint(), error.exit_code()});
    return result;
  }
  const std::string count = counted(component->options.size(), "option");
  const TableNames names{stage,
                         kind,
                         "option",
                         cat(kind, " `", result.name, "`"),
                         cat("`qed plugins ", result.name, "` lists its ", count),
                         {"name"}};
  result.options = table(component->options, layers, names);
  for (const OptionSpec& option : component->options) {
    const bool is_refused = broken_.contains(origin_key(stage, kind, option.name));
    if (!result.options[option.name].is_null() || is_refused) continue;
    add({name->span, cat(names.owner, " needs the option `", option.name, "`"), "",
         cat("`", option.name, "`: ", option.help)});
  }
  return result;
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

}  // namespace qed
