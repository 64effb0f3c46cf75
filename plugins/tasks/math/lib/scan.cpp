// Boxes and formulas in a text.

#include "extract.h"

namespace math {

namespace {

constexpr auto npos = std::string_view::npos;

// The end of the braces that open at `open`, or npos.
std::size_t closing_brace(std::string_view text, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '{' || text[i + 1] == '}')) {
      ++i;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return i;
    }
  }
  return npos;
}

// "\boxed" or "\fbox" from `at` on.
std::size_t next_box(std::string_view text, std::size_t at, std::size_t& width) {
  for (at = text.find('\\', at); at != npos; at = text.find('\\', at + 1)) {
    const std::string_view rest = text.substr(at);
    width = rest.starts_with("\\boxed") ? 6 : rest.starts_with("\\fbox") ? 5 : 0;
    if (width > 0) return at;
  }
  return npos;
}

}  // namespace

std::vector<Box> find_boxes(std::string_view text) {
  std::vector<Box> out;
  std::size_t width = 0;
  std::size_t at = next_box(text, 0, width);
  while (at != npos) {
    std::size_t open = at + width;
    while (open < text.size() && (text[open] == ' ' || text[open] == '\n')) ++open;
    if (open < text.size() && text[open] == '{') {
      const std::size_t close = closing_brace(text, open);
      if (close == npos) {
        out.push_back({at, text.size(), text.substr(open + 1), false, width == 5});
        break;
      }
      out.push_back({at, close + 1, text.substr(open + 1, close - open - 1), true, width == 5});
    } else if (open > at + width) {  // "\boxed 5$"
      const std::size_t end = std::min(text.find_first_of("$\n", open), text.size());
      out.push_back({at, end, text.substr(open, end - open), true, width == 5});
    } else {
      out.push_back({at, open, {}, false, width == 5});
    }
    at = next_box(text, std::max(out.back().end, at + width), width);
  }
  if (out.size() > 1)
    std::erase_if(out, [](const Box& b) { return !b.is_closed && b.content.empty(); });
  return out;
}

std::vector<Formula> find_formulas(std::string_view text) {
  std::vector<Formula> out;
  std::size_t no_close_until[4] = {};  // this end does not occur before
  const auto take = [&](std::size_t at, std::size_t width, std::string_view close, bool is_inline,
                        int kind) {
    const std::size_t begin = at + width;
    if (begin < no_close_until[kind]) return false;
    for (std::size_t i = begin; i < text.size(); ++i) {
      if (text[i] == close[0] && i > begin && text.substr(i).starts_with(close)) {
        out.push_back({at, i + close.size(), text.substr(begin, i - begin)});
        return true;
      }
      if (text[i] == '\n' && is_inline) {
        no_close_until[kind] = i;
        return false;
      }
      if (text[i] == '\\' && close[0] == '$') ++i;
    }
    no_close_until[kind] = text.size();
    return false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' && text[i] != '\\') continue;
    bool is_taken = false;
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("$$")) {
      is_taken = take(i, 2, "$$", false, 0);
    } else if (rest.starts_with("$")) {
      is_taken = take(i, 1, "$", true, 1);
    } else if (rest.starts_with("\\(")) {
      is_taken = take(i, 2, "\\)", true, 2);
    } else if (rest.starts_with("\\[")) {
      is_taken = take(i, 2, "\\]", false, 3);
    } else if (rest.starts_with("\\") && rest.size() > 1) {
      ++i;
    }
    if (is_taken) i = out.back().end - 1;
  }
  return out;
}

std::string_view without_thinking(std::string_view text) {
  constexpr std::string_view kOpen = "<think>", kClose = "</think>";
  const auto close = text.rfind(kClose);
  if (close != npos) text.remove_prefix(close + kClose.size());
  const auto open = text.find(kOpen);
  return text.substr(0, open);
}

}  // namespace math
