#pragma once

// Values of options: checked against their declaration, and written for people.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/config/document.h"
#include "core/config/option.h"

namespace qed {

// The node's value in the option's type (an integer for a kFloat becomes a float), or nothing after
// adding to `problems`. `where` is "[train]" or "[train] of stage 2".
std::optional<nlohmann::json> check_value(const OptionSpec& option, const Node& node,
                                          const std::string& where, std::vector<Problem>& problems);

// As TOML: 2e-4, "cosine", [0.9, 0.99].
std::string value_text(const nlohmann::json& value);

// "an integer", "a number", "a list of 2 numbers".
std::string type_text(const OptionSpec& option);

// `at least 0`, `between 0 and 1`, `"a" or "b"`; empty when anything of the type will do.
std::string range_text(const OptionSpec& option);

// What was found, for messages: "a string", "a table".
std::string type_text(const Node& node);

}  // namespace qed
