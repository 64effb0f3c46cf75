#include "core/host/option_check.h"

#include "core/host/component_check.h"
#include "core/host/plugin_call.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace qed {
namespace {

constexpr std::uint64_t kMaxOptions = 1000;
constexpr std::uint64_t kMaxChoices = 1000;

bool is_option_name(std::string_view name) {
  return !name.empty() && name.front() >= 'a' && name.front() <= 'z' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

bool has_type(const nlohmann::json& value, OptionType type) {
  switch (type) {
    case OptionType::kBool:
      return value.is_boolean();
    case OptionType::kInt:
      return value.is_number_integer();
    case OptionType::kFloat:
      return value.is_number() && std::isfinite(value.get<double>());
    case OptionType::kString:
      return value.is_string();
    case OptionType::kFloatList:
      return false;  // not in the ABI
  }
  return false;
}

std::string read_range(const qed_option& option, OptionSpec& out) {
  if ((option.flags & QED_OPTION_HAS_MIN) != 0) out.min = option.min;
  if ((option.flags & QED_OPTION_HAS_MAX) != 0) out.max = option.max;
  const bool is_number = out.type == OptionType::kInt || out.type == OptionType::kFloat;
  if ((out.min || out.max) && !is_number) return "only a number has a minimum or a maximum";
  if ((out.min && !std::isfinite(*out.min)) || (out.max && !std::isfinite(*out.max))) {
    return "its minimum or its maximum is not finite";
  }
  if (out.min && out.max && *out.min > *out.max) {
    return cat("its minimum ", *out.min, " is above its maximum ", *out.max);
  }
  return "";
}

std::string read_choices(const qed_option& option, OptionSpec& out) {
  if (option.choices.p == nullptr || option.choices.n == 0) return "";
  if (out.type != OptionType::kString) return "only a string has choices";
  if (option.choices.n > kMaxChoices) return cat("it has ", option.choices.n, " choices");
  std::set<std::string_view> seen;
  for (std::uint64_t i = 0; i < option.choices.n; ++i) {
    const std::string_view choice = from_abi(option.choices.p[i]);
    if (!is_utf8(choice)) return "one of its choices is not UTF-8";
    if (!seen.insert(choice).second) return cat("its choice `", choice, "` is there twice");
    out.choices.emplace_back(choice);
  }
  return "";
}

std::string read_default(const qed_option& option, OptionSpec& out) {
  const std::string_view text = from_abi(option.default_json);
  if ((option.flags & QED_OPTION_REQUIRED) != 0) {
    return text.empty() ? "" : "it is required and has a default";
  }
  const auto value = nlohmann::json::parse(text, nullptr, false);
  const std::string shown = to_utf8(text);
  if (value.is_discarded()) return cat("its default `", shown, "` is not JSON");
  if (!has_type(value, out.type)) return cat("its default ", shown, " is of another type");
  if (value.is_number()) {
    const double x = value.get<double>();
    if (out.min && x < *out.min)
      return cat("its default ", shown, " is below its minimum ", *out.min);
    if (out.max && x > *out.max)
      return cat("its default ", shown, " is above its maximum ", *out.max);
  }
  if (!out.choices.empty() &&
      std::ranges::find(out.choices, value.get<std::string>()) == out.choices.end()) {
    return cat("its default ", shown, " is not one of its choices");
  }
  out.default_value = out.type == OptionType::kFloat ? nlohmann::json(value.get<double>()) : value;
  return "";
}

std::string read_option(const qed_option& option, OptionSpec& out) {
  static constexpr OptionType kTypes[] = {OptionType::kBool, OptionType::kInt, OptionType::kFloat,
                                          OptionType::kString};
  if (option.type < QED_OPTION_BOOL || option.type > QED_OPTION_STRING) {
    return cat("its type is ", option.type, ", which is none");
  }
  out.type = kTypes[option.type - QED_OPTION_BOOL];
  out.unit = to_utf8(from_abi(option.unit));
  out.help = to_utf8(from_abi(option.help));
  for (const auto step : {&read_range, &read_choices, &read_default}) {
    if (std::string problem = step(option, out); !problem.empty()) return problem;
  }
  return "";
}

// What the host itself means by a key of a plugin's table; empty: nothing.
std::string use_of_word(const qed_component& component, std::string_view name) {
  const std::string_view kind = kind_of_id(from_abi(component.kind));
  if (name == "name") return "chooses the plugin";
  if (name == "weight" && (kind == "task" || kind == "reward")) {
    return cat("is the weight of the ", kind);
  }
  if (kind == "task" && name == "label") return "names the task in metrics";
  if (kind == "task" && name == "window") return "chooses items by their pass rate";
  if (name == "gamma" && kind == "reward") return "is the discount of the reward's tokens";
  return "";
}

}  // namespace

std::string read_options(const qed_component& component, std::vector<OptionSpec>& out) {
  if (component.num_options > kMaxOptions) return cat("it has ", component.num_options, " options");
  if (component.num_options > 0 && component.options == nullptr) return "its options are null";
  std::set<std::string> seen;
  for (std::uint64_t i = 0; i < component.num_options; ++i) {
    const qed_option* option = component.options[i];
    if (option == nullptr || option->size < sizeof(qed_option)) {
      return cat("option ", i + 1, " is null or too short");
    }
    OptionSpec& spec = out.emplace_back();
    spec.name = to_utf8(from_abi(option->name));
    if (!is_option_name(spec.name)) {
      return cat("option `", spec.name, "`: a name has small letters, digits and _ only");
    }
    if (const std::string use = use_of_word(component, spec.name); !use.empty()) {
      return cat("option `", spec.name, "`: in a run file this word ", use);
    }
    if (!seen.insert(spec.name).second) return cat("option `", spec.name, "` is declared twice");
    if (const std::string problem = read_option(*option, spec); !problem.empty()) {
      return cat("option `", spec.name, "`: ", problem);
    }
  }
  return "";
}

}  // namespace qed
