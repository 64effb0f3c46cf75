#include "lexer_state.h"

#include <algorithm>

namespace math {

std::optional<Tokens> Lexer::run() {
  tokens_.reserve(std::min<std::size_t>(text_.size() + 1, 64));
  if (!read_all(0)) return std::nullopt;
  push({.type = Tok::kEnd});
  return Tokens{std::move(tokens_), std::move(made_)};
}

bool Lexer::read_all(int depth) {
  while (at_ < text_.size()) {
    if (tokens_.size() >= kMaxTokens || !read_one(depth)) return false;
  }
  return true;
}

bool Lexer::read_one(int depth) {
  const char c = text_[at_];
  if (is_space(c) || c == '~' || c == '$') {
    has_space_ = true;
    ++at_;
    return true;
  }
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
  if (is_letter(c)) return letters();
  if (c == '\\') return command(depth);
  if (static_cast<unsigned char>(c) >= 0x80) return glyph();
  return sign(c);
}

char Lexer::peek(std::size_t ahead) const {
  return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
}

void Lexer::push(Token token) {
  token.has_space = has_space_;
  has_space_ = false;
  if (token.type == Tok::kOpen && token.text != "{") ++brackets_;
  if (token.type == Tok::kClose && token.text != "}" && brackets_ > 0) --brackets_;
  tokens_.push_back(token);
}

std::size_t Lexer::digits_at(std::size_t at) const {
  std::size_t n = 0;
  while (at + n < text_.size() && is_digit(text_[at + n])) ++n;
  return n;
}

std::size_t Lexer::separator() const {
  if (std::string_view(",{\\ ").find(peek(0)) == std::string_view::npos) return 0;
  for (const std::string_view mark :
       {"{,}", ",\\!", "{,}\\!", ",\\! ", "\\,", "\\ ", "{ , }", "{, }", " {, }", " {,}"}) {
    if (follows(mark) && digits_at(at_ + mark.size()) == 3) return mark.size();
  }
  if (peek(0) == ' ' && digits_at(at_ + 1) == 3) return 1;
  return 0;
}

std::size_t Lexer::comma_groups(std::size_t first) const {
  if (brackets_ > 0 || first > 3 || text_[at_ - first] == '0') return 0;
  if (!has_space_ && !tokens_.empty() && tokens_.back().type == Tok::kComma) return 0;  // 27,108
  std::size_t at = at_;
  while (at + 1 < text_.size() && text_[at] == ',' && is_digit(text_[at + 1])) {
    if (digits_at(at + 1) != 3) return 0;
    at += 4;
  }
  return at - at_;
}

bool Lexer::number() {
  Token out{.type = Tok::kNumber, .places = 255};
  const std::size_t begin = at_, n = digits_at(at_);
  std::string digits(text_.substr(at_, n));
  at_ += n;
  if (n > 0) groups(n, digits);
  if (peek(0) == '.' && is_digit(peek(1))) {
    fraction(out, digits);
  } else if (options_.decimal_comma && peek(0) == ',' && is_digit(peek(1)) && brackets_ == 0) {
    const std::size_t width = digits_at(at_ + 1);
    if (at_ + 1 + width >= text_.size() || text_[at_ + 1 + width] != ',') fraction(out, digits);
  }
  exponent(digits);
  if (digits.size() > kMaxDigits) return false;
  out.text = text_.substr(begin, at_ - begin);
  if (out.text != digits) out.text = keep(std::move(digits));
  push(out);
  return true;
}

void Lexer::groups(std::size_t first, std::string& digits) {
  if (const std::size_t width = comma_groups(first); width > 0) {
    for (const char c : text_.substr(at_, width)) {
      if (c != ',') digits += c;
    }
    at_ += width;
    return;
  }
  if (first > 3) return;
  while (const std::size_t width = separator()) {
    digits += text_.substr(at_ + width, 3);
    at_ += width + 3;
  }
}

void Lexer::fraction(Token& out, std::string& digits) {
  const std::size_t n = digits_at(at_ + 1);
  digits += '.';
  digits += text_.substr(at_ + 1, n);
  out.places = static_cast<std::uint8_t>(std::min<std::size_t>(n, 254));
  at_ += 1 + n;
}

void Lexer::exponent(std::string& digits) {
  if (peek(0) != 'e' && peek(0) != 'E') return;
  const std::size_t sign = peek(1) == '-' || peek(1) == '+' ? 1 : 0;
  const std::size_t n = digits_at(at_ + 1 + sign);
  if (n == 0 || n > 5) return;
  digits += 'e';
  digits += text_.substr(at_ + 1, sign + n);
  at_ += 1 + sign + n;
}

bool Lexer::glyph() {
  const auto lead = static_cast<unsigned char>(text_[at_]);
  const std::size_t n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  const std::string_view glyph = text_.substr(at_, n);
  at_ = std::min(at_ + n, text_.size());
  if (glyph == "²" || glyph == "³") {
    push({.type = Tok::kCaret});
    push({.type = Tok::kNumber, .places = 255, .text = glyph == "²" ? "2" : "3"});
    return true;
  }
  if (glyph == "\u00a0" || glyph == "\u2009" || glyph == "\u202f") {
    has_space_ = true;
    return true;
  }
  if (glyph == "€" || glyph == "£" || glyph == "¥") {
    push({.type = Tok::kText, .text = glyph});
    return true;
  }
  const Meaning* m = glyph_meaning(glyph);
  return m != nullptr && meaning(*m);
}

bool Lexer::relation(std::size_t width, Relation relation, std::string_view text) {
  at_ += width;
  push({.type = Tok::kRelation, .relation = relation, .text = text});
  return true;
}

bool Lexer::sign(char c) {
  const bool is_double = peek(1) == '=';
  if (c == '<') {
    return is_double ? relation(2, Relation::kLessEqual, "<=") : relation(1, Relation::kLess, "<");
  }
  if (c == '>') {
    return is_double ? relation(2, Relation::kGreaterEqual, ">=")
                     : relation(1, Relation::kGreater, ">");
  }
  if (c == '=') return relation(is_double ? 2 : 1, Relation::kEqual, "=");
  if (c == '!' && is_double) return relation(2, Relation::kNotEqual, "!=");
  if (c == '*' && peek(1) == '*') {
    at_ += 2;
    push({.type = Tok::kCaret});
    return true;
  }
  if (c == '.' && follows("...")) {
    at_ += 3;
    push({.type = Tok::kDots});
    return true;
  }
  ++at_;
  static constexpr std::pair<char, Tok> kSigns[] = {
      {'+', Tok::kPlus},   {'-', Tok::kMinus},     {'*', Tok::kTimes}, {'/', Tok::kOver},
      {'^', Tok::kCaret},  {'_', Tok::kUnder},     {'|', Tok::kBar},   {',', Tok::kComma},
      {':', Tok::kColon},  {';', Tok::kSemicolon}, {'!', Tok::kBang},  {'%', Tok::kPercent},
      {'\'', Tok::kPrime}, {'&', Tok::kAmpersand}};
  for (const auto& [sign, type] : kSigns) {
    if (sign == c) {
      push({.type = type});
      return true;
    }
  }
  if (c == '(' || c == '[' || c == '{') {
    push({.type = Tok::kOpen, .text = text_.substr(at_ - 1, 1)});
    return true;
  }
  if (c == ')' || c == ']' || c == '}') {
    push({.type = Tok::kClose, .text = text_.substr(at_ - 1, 1)});
    return true;
  }
  if (c == '.') return true;  // the end of a sentence
  return false;
}

std::optional<Tokens> lex(std::string_view text, const LexOptions& options) {
  return Lexer(text, options).run();
}

}  // namespace math
