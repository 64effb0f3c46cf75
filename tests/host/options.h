#pragma once

// Options for a component that a test creates by hand.

#include "core/config/option.h"
#include "core/util/error.h"

#include <nlohmann/json.hpp>
#include <string>

namespace qed {

// The component's options as the JSON that create gets: its defaults, changed by `given`. Throws
// Error when it has no such option.
inline std::string options_with(const ComponentSpec& spec, const nlohmann::json& given = {}) {
  nlohmann::json options = nlohmann::json::object();
  for (const OptionSpec& option : spec.options) options[option.name] = option.default_value;
  for (const auto& [name, value] : given.items()) {
    if (!options.contains(name)) throw Error(cat(spec.name, " has no option `", name, "`"));
    options[name] = value;
  }
  return options.dump();
}

}  // namespace qed
