#include "lexer_state.h"

#include <algorithm>

namespace math {

namespace {

std::string_view inner_text(std::string_view text) {
  while (!text.empty() && (is_space(text.front()) || text.front() == '~')) text.remove_prefix(1);
  while (!text.empty() && (is_space(text.back()) || text.back() == '~')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool Lexer::letters() {
  std::size_t n = 0;
  while (at_ + n < text_.size() && is_letter(text_[at_ + n])) ++n;
  const std::string_view run = text_.substr(at_, n);
  at_ += n;
  if (n > 1) {
    const bool is_behind_value = !tokens_.empty() && (tokens_.back().type == Tok::kNumber ||
                                                      tokens_.back().type == Tok::kUnit ||
                                                      tokens_.back().type == Tok::kClose);
    if (is_behind_value && run.size() == 3 && run.starts_with("or")) {  // "x = 1orW = 2"
      at_ -= 1;
      push({.type = Tok::kAnd});
      return true;
    }
    const bool is_applied = std::string_view("({[").find(peek(0)) != std::string_view::npos;
    if (is_behind_value && is_unit(run) && !is_applied) {
      push({.type = Tok::kUnit, .text = run});
      return true;
    }
    if (const Meaning* m = word_meaning(run)) return meaning(*m);
    if (options_.plain) {
      push({.type = Tok::kText, .text = run});
      return true;
    }
  }
  for (std::size_t i = 0; i < n; ++i) push({.type = Tok::kLetter, .text = run.substr(i, 1)});
  return tokens_.size() < kMaxTokens;
}

bool Lexer::meaning(const Meaning& m) {
  push({.type = m.type, .relation = m.relation, .text = m.text});
  return true;
}

std::optional<std::string_view> Lexer::braced() {
  std::size_t at = at_;
  while (at < text_.size() && is_space(text_[at])) ++at;
  if (at >= text_.size() || text_[at] != '{') return std::nullopt;
  std::size_t depth = 0;
  for (std::size_t i = at; i < text_.size(); ++i) {
    if (text_[i] == '\\') {
      ++i;
    } else if (text_[i] == '{') {
      ++depth;
    } else if (text_[i] == '}' && --depth == 0) {
      at_ = i + 1;
      return text_.substr(at + 1, i - at - 1);
    }
  }
  return std::nullopt;
}

bool Lexer::command(int depth) {
  const std::size_t begin = ++at_;
  if (begin >= text_.size()) return true;  // a backslash at the end
  if (!is_letter(text_[begin])) return escaped(text_[at_++], depth);
  while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
  const std::string_view name = text_.substr(begin, at_ - begin);
  if (name == "left" || name == "right") return delimiter();
  if (name == "begin" || name == "end") {
    const auto which = braced();
    if (!which) return false;
    push({.type = name == "begin" ? Tok::kBegin : Tok::kEndEnv, .text = *which});
    return true;
  }
  if (const Meaning* m = command_meaning(name)) return meaning(*m);
  if (is_prose(name) || is_font(name)) return words(name, depth);
  if (name == "not") return negated();
  if (name == "hspace" || name == "phantom" || name == "vphantom") {
    if (!braced()) ++at_;  // one sign
    return true;
  }
  if (is_layout(name)) {
    has_space_ = true;
    return true;
  }
  return false;
}

bool Lexer::negated() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  if (peek(0) != '=') return false;
  ++at_;
  push({.type = Tok::kRelation, .relation = Relation::kNotEqual, .text = "!="});
  return true;
}

bool Lexer::delimiter() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  if (peek(0) == '.') ++at_;
  return true;
}

bool Lexer::escaped(char c, int depth) {
  switch (c) {
    case '{':
      push({.type = Tok::kOpen, .text = "\\{"});
      return true;
    case '}':
      push({.type = Tok::kClose, .text = "\\}"});
      return true;
    case '%':
      push({.type = Tok::kPercent});
      return true;
    case '|':
      push({.type = Tok::kBar});
      return true;
    case '\\':
      // Escaped twice: "\\\\frac". In a matrix it ends a row.
      if (!has_rows_ && is_letter(peek(0))) {
        --at_;
        return command(depth);
      }
      push({.type = Tok::kRowEnd});
      return true;
    case '$':
      push({.type = Tok::kText, .text = "$"});
      return true;
    case '&':
      push({.type = Tok::kText, .text = "&"});
      return true;
    case '#':
      return false;
    case '_':
      push({.type = Tok::kText, .text = "_"});
      return true;
    default:
      has_space_ = true;
      return true;  // spaces: \, \; \! \: \( \)
  }
}

bool Lexer::words(std::string_view command, int depth) {
  const auto inside = braced();
  if (!inside) return true;  // \rm and the like, or a single letter that follows
  std::string_view content = inner_text(*inside);
  if (content == "and" || content == "or" || content == ", and" || content == "or,") {
    push({.type = Tok::kAnd});
    return true;
  }
  if (command == "mathbb" || command == "Bbb") {
    const bool is_real = content == "R";
    push({.type = Tok::kLetter, .text = is_real ? "reals" : keep("mathbb" + std::string(content))});
    return true;
  }
  const bool is_words = std::ranges::all_of(content, [](char c) {
    return is_letter(c) || is_space(c) || c == '.' || c == '\'' || c == '-' || c == '/' ||
           c == ',' || c == '~';
  });
  const bool has_letter = std::ranges::any_of(content, is_letter);
  if (content.empty()) {
    has_space_ = true;
    return true;
  }
  if (is_words && has_letter) return word(command, content, content.size() < inside->size());
  if (is_prose(command) && std::ranges::count_if(content, is_letter) > 2 &&
      content.find('\\') == content.npos && content.find('$') == content.npos) {
    push({.type = Tok::kText, .text = content});
    return true;
  }
  return inner(content, depth);
}

bool Lexer::word(std::string_view command, std::string_view content, bool has_padding) {
  // Prose has no functions: "min" is a unit there.
  const Meaning* m = content.size() > 1 ? word_meaning(content) : nullptr;
  if (m != nullptr && is_prose(command) && m->type != Tok::kPercent && m->type != Tok::kDegree) {
    m = nullptr;
  }
  if (m == nullptr && !is_prose(command)) m = command_meaning(content);
  if (m != nullptr) return meaning(*m);
  const bool is_symbol = content.size() == 1 && !is_prose(command) && !has_padding;
  push({.type = is_symbol ? Tok::kLetter : Tok::kText, .text = content});
  return true;
}

bool Lexer::inner(std::string_view content, int depth) {
  if (depth >= kMaxDepth) return false;
  const std::string_view outer = text_;
  const std::size_t back = at_;
  push({.type = Tok::kOpen, .text = "{"});
  text_ = content;
  at_ = 0;
  const bool is_good = read_all(depth + 1);
  text_ = outer;
  at_ = back;
  push({.type = Tok::kClose, .text = "}"});
  return is_good;
}

}  // namespace math
