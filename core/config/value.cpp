#include "core/config/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/util/words.h"

namespace qed {
namespace {

// The shortest text that reads back as the same number: 0.2, 3, 1e-6.
std::string number_text(double number) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), number).ptr;
  std::string text(buffer, end);
  // 1e-06 is written 1e-6, and 1e+20 is 1e20.
  if (std::size_t e = text.find('e'); e != std::string::npos) {
    ++e;
    if (text[e] == '+') text.erase(e, 1);
    if (text[e] == '-') ++e;
    if (text[e] == '0') text.erase(e, 1);
  }
  return text;
}

bool is_number(const Node& node) {
  return node.type == NodeType::kInt || node.type == NodeType::kFloat;
}

bool is_inside(const OptionSpec& option, double number) {
  if (option.min && (option.is_min_open ? number <= *option.min : number < *option.min))
    return false;
  if (option.max && (option.is_max_open ? number >= *option.max : number > *option.max))
    return false;
  return true;
}

// What check_value was asked, for its parts.
struct Check {
  const OptionSpec& option;
  const std::string& where;
  std::vector<Problem>& problems;

  // Adds "`lr` in [train] must be <must>, not <found>".
  std::nullopt_t refuse(const Node& node, const std::string& must, const std::string& found,
                        const std::string& label, const std::string& hint = "") const {
    const std::string text =
        cat("`", option.name, "` in ", where, " must be ", must, ", not ", found);
    problems.push_back({node.span, text, label, hint});
    return std::nullopt;
  }
};

std::optional<nlohmann::json> check_number(const Check& check, const Node& node) {
  const double number = node.value.get<double>();
  if (!std::isfinite(number)) {
    return check.refuse(node, "finite", std::isnan(number) ? "nan" : "infinite", "");
  }
  if (!is_inside(check.option, number)) {
    return check.refuse(node, range_text(check.option), value_text(node.value), "out of range");
  }
  if (check.option.type == OptionType::kInt) return node.value;
  return nlohmann::json(number);
}

std::optional<nlohmann::json> check_list(const Check& check, const Node& node) {
  const std::string must = type_text(check.option);
  const std::size_t count = node.children.size();
  if (count == 0) return check.refuse(node, must, "an empty one", "");
  if (check.option.length != 0 && count != check.option.length) {
    return check.refuse(node, must, cat("of ", count), "");
  }
  nlohmann::json list = nlohmann::json::array();
  for (const Node& element : node.children) {
    if (!is_number(element)) return check.refuse(element, must, cat("of ", type_text(element)), "");
    const std::optional<nlohmann::json> checked = check_number(check, element);
    if (!checked) return std::nullopt;
    list.push_back(*checked);
  }
  return list;
}

std::optional<nlohmann::json> check_string(const Check& check, const Node& node) {
  const std::string text =
      node.type == NodeType::kString ? node.value.get<std::string>() : node.raw;
  const std::vector<std::string>& choices = check.option.choices;
  if (choices.empty() || std::find(choices.begin(), choices.end(), text) != choices.end())
    return text;
  return check.refuse(node, range_text(check.option), "\"" + text + "\"", "not one of its choices",
                      closest_hint("choice", nearest(text, choices)));
}

bool has_type(const OptionSpec& option, const Node& node) {
  switch (option.type) {
    case OptionType::kBool:
      return node.type == NodeType::kBool;
    case OptionType::kInt:
      return node.type == NodeType::kInt;
    case OptionType::kFloat:
      return is_number(node);
    case OptionType::kFloatList:
      return node.type == NodeType::kArray;
    case OptionType::kString:
      // The shell took the quotes away: --set run.name=7 is the string 7.
      return node.type == NodeType::kString ||
             (!node.raw.empty() && node.type != NodeType::kTable && node.type != NodeType::kArray);
  }
  return false;
}

}  // namespace

std::optional<nlohmann::json> check_value(const OptionSpec& option, const Node& node,
                                          const std::string& where,
                                          std::vector<Problem>& problems) {
  const Check check{option, where, problems};
  if (!has_type(option, node)) {
    const bool is_quoted = node.type == NodeType::kString && node.raw.empty();
    const bool may_be_bare = is_quoted && option.type != OptionType::kFloatList;
    return check.refuse(node, type_text(option), type_text(node),
                        cat("expected ", type_text(option)),
                        may_be_bare ? "only strings are in quotes" : "");
  }
  switch (option.type) {
    case OptionType::kBool:
      return node.value;
    case OptionType::kString:
      return check_string(check, node);
    case OptionType::kFloatList:
      return check_list(check, node);
    case OptionType::kInt:
    case OptionType::kFloat:
      break;
  }
  return check_number(check, node);
}

std::string value_text(const nlohmann::json& value) {
  if (value.is_number_float()) return number_text(value.get<double>());
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const nlohmann::json& element : value)
    text += (text.empty() ? "" : ", ") + value_text(element);
  return "[" + text + "]";
}

std::string type_text(const OptionSpec& option) {
  switch (option.type) {
    case OptionType::kBool:
      return "true or false";
    case OptionType::kInt:
      return "an integer";
    case OptionType::kFloat:
      return "a number";
    case OptionType::kString:
      return "a string";
    case OptionType::kFloatList:
      break;
  }
  return option.length == 0 ? "a list of numbers" : cat("a list of ", option.length, " numbers");
}

std::string range_text(const OptionSpec& option) {
  if (!option.choices.empty()) {
    std::string text;
    for (std::size_t i = 0; i < option.choices.size(); ++i) {
      if (i > 0) text += i + 1 == option.choices.size() ? " or " : ", ";
      text += "\"" + option.choices[i] + "\"";
    }
    return text;
  }
  std::string text;
  if (option.min && option.max && !option.is_min_open && !option.is_max_open) {
    return cat("between ", number_text(*option.min), " and ", number_text(*option.max));
  }
  if (option.min) text = (option.is_min_open ? "above " : "at least ") + number_text(*option.min);
  if (option.max) {
    if (!text.empty()) text += " and ";
    text += (option.is_max_open ? "below " : "at most ") + number_text(*option.max);
  }
  return text;
}

std::string type_text(const Node& node) {
  switch (node.type) {
    case NodeType::kBool:
      return "a boolean";
    case NodeType::kInt:
      return "an integer";
    case NodeType::kFloat:
      return "a float";
    case NodeType::kString:
      return "a string";
    case NodeType::kTable:
      return "a table";
    case NodeType::kArray:
      return "a list";
    case NodeType::kOther:
      break;
  }
  return "a date or time";
}

}  // namespace qed
