#include "lexer.h"

#include "words.h"

#include <algorithm>

namespace math {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (is_space(text.front()) || text.front() == '~')) text.remove_prefix(1);
  while (!text.empty() && (is_space(text.back()) || text.back() == '~')) text.remove_suffix(1);
  return text;
}

class Lexer {
 public:
  Lexer(std::string_view text, const LexOptions& options) : text_(text), options_(options) {}

  std::optional<std::vector<Token>> run() {
    tokens_.reserve(std::min<std::size_t>(text_.size() + 1, 64));
    if (!read_all(0)) return std::nullopt;
    push({.type = Tok::kEnd});
    return std::move(tokens_);
  }

 private:
  static constexpr int kMaxDepth = 16;  // of fonts within fonts

  bool read_all(int depth) {
    while (at_ < text_.size()) {
      if (tokens_.size() >= kMaxTokens || !read_one(depth)) return false;
    }
    return true;
  }

  bool read_one(int depth) {
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

  char peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool follows(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void push(Token token) {
    token.has_space = has_space_;
    has_space_ = false;
    if (token.type == Tok::kOpen && token.text != "{") ++brackets_;
    if (token.type == Tok::kClose && token.text != "}" && brackets_ > 0) --brackets_;
    tokens_.push_back(std::move(token));
  }

  // ---- numbers

  std::size_t digits_at(std::size_t at) const {
    std::size_t n = 0;
    while (at + n < text_.size() && is_digit(text_[at + n])) ++n;
    return n;
  }

  // The width of what separates thousands here, with three digits behind it; 0: nothing does.
  std::size_t separator() const {
    for (const std::string_view mark :
         {"{,}", ",\\!", "{,}\\!", ",\\! ", "\\,", "\\ ", "{ , }", "{, }", " {, }", " {,}"}) {
      if (follows(mark) && digits_at(at_ + mark.size()) == 3) return mark.size();
    }
    if (peek(0) == ' ' && digits_at(at_ + 1) == 3) return 1;
    return 0;
  }

  // Groups of three behind plain commas: "7,425,000". Their width; 0 where it is a list.
  std::size_t comma_groups(std::size_t first) const {
    if (brackets_ > 0 || first > 3 || text_[at_ - first] == '0') return 0;
    std::size_t at = at_;
    while (at + 1 < text_.size() && text_[at] == ',' && is_digit(text_[at + 1])) {
      if (digits_at(at + 1) != 3) return 0;
      at += 4;
    }
    return at - at_;
  }

  bool number() {
    Token out{.type = Tok::kNumber, .places = 255};
    std::size_t n = digits_at(at_);
    out.text = text_.substr(at_, n);
    at_ += n;
    if (n > 0) groups(n, out.text);
    if (peek(0) == '.' && is_digit(peek(1))) {
      fraction(out);
    } else if (options_.decimal_comma && peek(0) == ',' && is_digit(peek(1)) && brackets_ == 0) {
      const std::size_t width = digits_at(at_ + 1);
      if (at_ + 1 + width >= text_.size() || text_[at_ + 1 + width] != ',') fraction(out);
    }
    exponent(out);
    if (out.text.size() > kMaxDigits) return false;
    push(std::move(out));
    return true;
  }

  void groups(std::size_t first, std::string& digits) {
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

  void fraction(Token& out) {
    const std::size_t n = digits_at(at_ + 1);
    out.text += '.';
    out.text += text_.substr(at_ + 1, n);
    out.places = static_cast<std::uint8_t>(std::min<std::size_t>(n, 254));
    at_ += 1 + n;
  }

  // "e-6" and "E12" right behind the digits.
  void exponent(Token& out) {
    if (peek(0) != 'e' && peek(0) != 'E') return;
    const std::size_t sign = peek(1) == '-' || peek(1) == '+' ? 1 : 0;
    const std::size_t n = digits_at(at_ + 1 + sign);
    if (n == 0 || n > 5) return;
    out.text += 'e';
    out.text += text_.substr(at_ + 1, sign + n);
    at_ += 1 + sign + n;
  }

  // ---- words

  bool letters() {
    std::size_t n = 0;
    while (at_ + n < text_.size() && is_letter(text_[at_ + n])) ++n;
    const std::string_view run = text_.substr(at_, n);
    at_ += n;
    if (n > 1) {
      if (const Meaning* m = word_meaning(run)) return meaning(*m);
      const bool is_behind_value = !tokens_.empty() && (tokens_.back().type == Tok::kNumber ||
                                                        tokens_.back().type == Tok::kUnit ||
                                                        tokens_.back().type == Tok::kClose);
      if (is_behind_value && run.size() == 3 && run.starts_with("or")) {  // "x = 1orW = 2"
        at_ -= 1;
        push({.type = Tok::kAnd});
        return true;
      }
      if (is_behind_value && is_unit(run)) {
        push({.type = Tok::kUnit, .text = std::string(run)});
        return true;
      }
      if (options_.plain) {
        push({.type = Tok::kText, .text = std::string(run)});
        return true;
      }
    }
    for (const char c : run) push({.type = Tok::kLetter, .text = std::string(1, c)});
    return tokens_.size() < kMaxTokens;
  }

  bool meaning(const Meaning& m) {
    push({.type = m.type, .relation = m.relation, .text = std::string(m.text)});
    return true;
  }

  // The text of the braces that open here, behind spaces; nothing where none do.
  std::optional<std::string_view> braced() {
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

  bool command(int depth) {
    const std::size_t begin = ++at_;
    if (begin >= text_.size()) return true;  // a backslash at the end
    if (!is_letter(text_[begin])) return escaped(text_[at_++], depth);
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (name == "left" || name == "right") return delimiter();
    if (is_prose(name) || is_font(name)) return words(name, depth);
    if (name == "begin" || name == "end") {
      const auto which = braced();
      if (!which) return false;
      push({.type = name == "begin" ? Tok::kBegin : Tok::kEndEnv, .text = std::string(*which)});
      return true;
    }
    if (name == "not") return negated();
    if (const Meaning* m = command_meaning(name)) return meaning(*m);
    if (name == "hspace" || name == "phantom") return braced().has_value();
    if (is_layout(name)) {
      has_space_ = true;
      return true;
    }
    return false;
  }

  bool negated() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    if (peek(0) != '=') return false;
    ++at_;
    push({.type = Tok::kRelation, .relation = Relation::kNotEqual, .text = "!="});
    return true;
  }

  // Behind \left and \right a point stands for no bracket.
  bool delimiter() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    if (peek(0) == '.') ++at_;
    return true;
  }

  bool escaped(char c, int depth) {
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

  // The argument of \text and of fonts: words, or mathematics in another font.
  bool words(std::string_view command, int depth) {
    const auto inside = braced();
    if (!inside) return true;  // \rm and the like, or a single letter that follows
    std::string_view content = trimmed(*inside);
    if (content == "and" || content == "or" || content == ", and" || content == "or,") {
      push({.type = Tok::kAnd});
      return true;
    }
    if (command == "mathbb" || command == "Bbb") {
      const bool is_real = content == "R";
      push({.type = Tok::kLetter, .text = is_real ? "reals" : "mathbb" + std::string(content)});
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
      push({.type = Tok::kText, .text = std::string(content)});
      return true;
    }
    return inner(content, depth);
  }

  bool word(std::string_view command, std::string_view content, bool has_padding) {
    const Meaning* m = content.size() > 1 ? word_meaning(content) : nullptr;
    if (m == nullptr && !is_prose(command)) m = command_meaning(content);
    if (m != nullptr) return meaning(*m);
    const bool is_symbol = content.size() == 1 && !is_prose(command) && !has_padding;
    push({.type = is_symbol ? Tok::kLetter : Tok::kText, .text = std::string(content)});
    return true;
  }

  // Reads `content` as if it stood in braces.
  bool inner(std::string_view content, int depth) {
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

  bool glyph() {
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
      push({.type = Tok::kText, .text = std::string(glyph)});
      return true;
    }
    const Meaning* m = glyph_meaning(glyph);
    return m != nullptr && meaning(*m);
  }

  bool relation(std::size_t width, Relation relation, std::string_view text) {
    at_ += width;
    push({.type = Tok::kRelation, .relation = relation, .text = std::string(text)});
    return true;
  }

  bool sign(char c) {
    if (follows("<=")) return relation(2, Relation::kLessEqual, "<=");
    if (follows(">=")) return relation(2, Relation::kGreaterEqual, ">=");
    if (follows("!=")) return relation(2, Relation::kNotEqual, "!=");
    if (follows("==")) return relation(2, Relation::kEqual, "=");
    if (c == '=') return relation(1, Relation::kEqual, "=");
    if (c == '<') return relation(1, Relation::kLess, "<");
    if (c == '>') return relation(1, Relation::kGreater, ">");
    if (follows("**")) {
      at_ += 2;
      push({.type = Tok::kCaret});
      return true;
    }
    if (follows("...")) {
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
      push({.type = Tok::kOpen, .text = std::string(1, c)});
      return true;
    }
    if (c == ')' || c == ']' || c == '}') {
      push({.type = Tok::kClose, .text = std::string(1, c)});
      return true;
    }
    if (c == '.') return true;  // the end of a sentence
    return false;
  }

  std::string_view text_;
  const LexOptions& options_;
  const bool has_rows_ = text_.find("\\begin") != text_.npos;
  std::size_t at_ = 0, brackets_ = 0;
  bool has_space_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

std::optional<std::vector<Token>> lex(std::string_view text, const LexOptions& options) {
  return Lexer(text, options).run();
}

}  // namespace math
