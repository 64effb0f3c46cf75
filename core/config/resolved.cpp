#include "core/config/resolved.h"

#include <toml++/toml.h>

#include <sstream>

#include "core/util/error.h"

namespace qed {

namespace {

using nlohmann::json;

toml::table to_table(const json& object);

struct IntoTable {
  toml::table& table;
  const std::string& key;
  template <class V>
  void operator()(V&& value) const {
    table.insert_or_assign(key, std::forward<V>(value));
  }
};
struct IntoArray {
  toml::array& array;
  template <class V>
  void operator()(V&& value) const {
    array.push_back(std::forward<V>(value));
  }
};

// Puts the TOML form of a JSON value somewhere; a null is left out.
template <class Put>
void convert(const json& value, const Put& put) {
  if (value.is_object()) {
    put(to_table(value));
  } else if (value.is_array()) {
    toml::array out;
    for (const auto& element : value) convert(element, IntoArray{out});
    put(std::move(out));
  } else if (value.is_boolean()) {
    put(value.get<bool>());
  } else if (value.is_number_integer()) {
    put(value.get<std::int64_t>());
  } else if (value.is_number()) {
    put(value.get<double>());
  } else if (value.is_string()) {
    put(value.get<std::string>());
  }
}

toml::table to_table(const json& object) {
  toml::table out;
  for (const auto& [key, value] : object.items()) convert(value, IntoTable{out, key});
  return out;
}

json to_json(const toml::node& node) {
  json out;
  if (const auto* table = node.as_table()) {
    out = json::object();
    for (const auto& [key, value] : *table) out[std::string(key.str())] = to_json(value);
  } else if (const auto* array = node.as_array()) {
    out = json::array();
    for (const auto& value : *array) out.push_back(to_json(value));
  } else if (const auto v = node.value_exact<bool>()) {
    out = *v;
  } else if (const auto v = node.value_exact<std::int64_t>()) {
    out = *v;
  } else if (const auto v = node.value_exact<double>()) {
    out = *v;
  } else if (const auto v = node.value_exact<std::string>()) {
    out = *v;
  }
  return out;
}

}  // namespace

std::string to_toml(const json& resolved) {
  std::ostringstream out;
  out << toml::toml_formatter(to_table(resolved)) << "\n";
  return out.str();
}

json from_toml(const std::string& text, const std::string& file) {
  try {
    return to_json(toml::parse(text, file));
  } catch (const toml::parse_error& e) {
    throw Error(cat(file, " is damaged at line ", e.source().begin.line, ": ", e.description()),
                "start again with --fresh");
  }
}

}  // namespace qed
