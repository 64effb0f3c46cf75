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
    const bool is_common = key == "name" || key == "every" || spec.name == "reward";
    if (!is_common && find_option(spec.options, key) != nullptr) return spec.name;
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
    for (std::size_t begin = 0; parent != nullptr && begin <= table.size();) {  // "reward.LABEL"
      const std::size_t end = std::min(table.find('.', begin), table.size());
      parent = table_or_null(parent->find(table.substr(begin, end - begin)));
      begin = end + 1;
    }
    return parent;
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
  if (node.key == "extends") hint = "`extends` stands above all tables, on the first line";
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

}  // namespace qed
