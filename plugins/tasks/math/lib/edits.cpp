#include "edits.h"

namespace math {

namespace {
constexpr auto npos = std::string_view::npos;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::string out;
  std::size_t at = 0;
  for (auto next = text.find(from); next != npos; next = text.find(from, at)) {
    out += std::string_view(text).substr(at, next - at);
    out += to;
    at = next + from.size();
  }
  if (at == 0) return;
  text = out.append(text, at);
}

std::vector<std::string> split(std::string_view text, std::string_view at) {
  std::vector<std::string> out;
  for (auto next = text.find(at); next != npos; next = text.find(at)) {
    out.emplace_back(text.substr(0, next));
    text.remove_prefix(next + at.size());
  }
  out.emplace_back(text);
  return out;
}

void unwrap(std::string& text, std::string_view command) {
  std::string out;
  std::size_t at = 0;
  for (auto next = text.find(command); next != npos; next = text.find(command, at)) {
    const auto close = text.find('}', next);
    if (close == npos) break;
    const std::size_t inside = next + command.size();
    out.append(text, at, next - at).append(text, inside, close - inside);
    at = close + 1;
  }
  text = out.append(text, at);
}

void drop_words(std::string& text, bool feet) {
  constexpr std::string_view kFeet = "ft";
  static constexpr std::string_view kWords[] = {"square",       "ways",
                                                "integers",     "dollars",
                                                "mph",          "inches",
                                                kFeet,          "hours",
                                                "km",           "units",
                                                "\\ldots",      "sue",
                                                "points",       "feet",
                                                "minutes",      "digits",
                                                "cents",        "degrees",
                                                "cm",           "gm",
                                                "pounds",       "meters",
                                                "meals",        "edges",
                                                "students",     "childrentickets",
                                                "multiples",    "\\text{s}",
                                                "\\text{.}",    "\\text{\ns}",
                                                "\\text{}^2",   "\\text{}^3",
                                                "\\text{\n}",   "\\text{}",
                                                "\\mathrm{th}", "^\\circ",
                                                "^{\\circ}",    "\\;",
                                                ",\\!",         "{,}",
                                                "\"",           "\\dots"};
  for (const std::string_view word : kWords) {
    if (word != kFeet || feet) replace_all(text, word, "");
  }
}

}  // namespace math
