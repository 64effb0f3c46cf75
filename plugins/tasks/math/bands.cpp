#include "bands.h"

#include "plugins/rewards/format/unsloth.h"

#include "qed/unicode.h"

#include <charconv>
#include <limits>
#include <optional>
#include <string>

namespace maths {

namespace {

// `text` in ASCII, its underscores dropped. Nothing where float() takes no such character, or an
// underscore that is not between two digits.
std::optional<std::string> plain_number(std::string_view text) {
  std::string out;
  bool after_digit = false, after_underscore = false;
  while (!text.empty()) {
    const char32_t c = qed::next_char(text);
    const int digit = qed::decimal(c);
    if (digit < 0 && (c >= 0x80 || after_underscore)) return std::nullopt;
    if (c == '_' && !after_digit) return std::nullopt;
    after_digit = digit >= 0;
    after_underscore = c == '_';
    if (!after_underscore)
      out += digit >= 0 ? static_cast<char>('0' + digit) : static_cast<char>(c);
  }
  if (after_underscore) return std::nullopt;
  return out;
}

// Python's float(text); nothing where it raises ValueError.
std::optional<double> python_float(std::string_view text) {
  const auto plain = plain_number(qed::strip(text));
  if (!plain) return std::nullopt;
  std::string_view rest = *plain;
  const bool is_negative = rest.starts_with('-');
  if (is_negative || rest.starts_with('+')) rest.remove_prefix(1);
  const bool has_sign = rest.starts_with('-') || rest.starts_with('+');
  if (rest.empty() || has_sign || rest.find('(') != rest.npos) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (end != rest.data() + rest.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    const bool is_small = rest.find("e-") != rest.npos || rest.find("E-") != rest.npos ||
                          rest.starts_with("0.") || rest.starts_with('.');
    value = is_small ? 0 : std::numeric_limits<double>::infinity();
  }
  return is_negative ? -value : value;
}

double check_answer(std::string_view solution, std::string_view gold) {
  if (solution == gold) return 5;
  if (qed::strip(solution) == qed::strip(gold)) return 3.5;
  const auto value = python_float(solution), expected = python_float(gold);
  if (!value || !expected || *expected == 0) return -4.5;
  const double ratio = *value / *expected;
  if (ratio >= 0.9 && ratio <= 1.1) return 2;
  if (ratio >= 0.8 && ratio <= 1.2) return 1.5;
  return -2.5;
}

// `<SOLUTION>.*?\s*(-?[\d.,]+)` with DOTALL: the first number behind the first tag, without commas.
std::optional<std::string> first_number(std::string_view completion) {
  const auto at = completion.find(kUnslothTags[1]);
  if (at == completion.npos) return std::nullopt;
  std::string out;
  char32_t before = 0;
  for (std::string_view rest = completion.substr(at + kUnslothTags[1].size()); !rest.empty();) {
    const std::string_view from = rest;
    const char32_t c = qed::next_char(rest);
    const bool is_part = c == '.' || c == ',' || qed::decimal(c) >= 0;
    if (!is_part && !out.empty()) break;
    if (is_part && out.empty()) out += before == '-' ? '-' : ' ';
    if (is_part && c != ',') out.append(from, 0, from.size() - rest.size());
    before = c;
  }
  if (out.empty()) return std::nullopt;
  return out;
}

}  // namespace

Bands unsloth_bands(std::string_view gold, std::string_view completion) {
  Bands out;
  const auto solution = unsloth_solution(completion);
  out.has_solution = solution.has_value();
  out.reward = solution ? check_answer(*solution, gold) : -2;
  out.is_right = solution && qed::strip(*solution) == qed::strip(gold);
  const auto number = first_number(completion);
  if (!number) {
    out.reward -= 2.5;
    return out;
  }
  const auto value = python_float(*number), expected = python_float(gold);
  if (value && expected) {
    out.reward += *value == *expected ? 3.5 : -1.5;
    out.is_right = out.is_right || *value == *expected;
  }
  return out;
}

}  // namespace maths
