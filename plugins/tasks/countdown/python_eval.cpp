#include "python_eval.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <span>
#include <string>

namespace countdown {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

struct Level {
  std::string_view operators[6];  // longer ones first
};
constexpr Level kBinary[] = {{{"|"}},        {{"^"}},      {{"&"}},
                             {{"<<", ">>"}}, {{"+", "-"}}, {{"//", "/", "*", "%", "@"}}};
constexpr Level kCompare = {{"<=", ">=", "==", "!=", "<", ">"}};

// Recursive descent that computes as it reads. A failed computation goes on reading, since a syntax
// error further on comes first; what is read but not evaluated (the other side of `or`) has its
// events taken back.
class Evaluator {
 public:
  explicit Evaluator(std::string_view text) : text_(text) {}

  Outcome run() {
    leading_lines();
    Number value = expression();
    trailing_lines();
    if (is_bad_) return {Event::kError, {}};
    return {math_.event(), std::move(value)};
  }

 private:
  Number bad() {
    is_bad_ = true;
    at_ = text_.size();
    return {};
  }
  // A value that is no number.
  Number nothing() {
    if (math_.event() == Event::kNone) math_.set_event(Event::kError);
    return {};
  }
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  static bool is_newline(char c) { return c == '\n' || c == '\r'; }

  void space() {
    for (;; ++at_) {
      const char c = peek();
      if (c == '#') {
        while (at_ < text_.size() && !is_newline(peek())) ++at_;
        --at_;
      } else if (c == '\\' && is_newline(peek(1))) {
        at_ += peek(1) == '\r' && peek(2) == '\n' ? 2 : 1;
        if (at_ + 1 == text_.size()) {
          bad();
          return;
        }
      } else if (c != ' ' && c != '\t' && c != '\f' && (parentheses_ == 0 || !is_newline(c))) {
        return;
      }
    }
  }

  // Empty lines may stand before the expression; it must then begin in the first column.
  void leading_lines() {
    while (peek() == ' ' || peek() == '\t') ++at_;  // eval strips these
    for (;;) {
      const std::size_t line = at_;
      space();
      if (!is_newline(peek())) {
        const bool is_indented =
            at_ > line && line > 0 && is_newline(text_[line - 1]) && text_[at_ - 1] != '\f';
        if (is_indented) bad();
        return;
      }
      ++at_;
    }
  }
  void trailing_lines() {
    space();
    while (is_newline(peek())) {
      ++at_;
      const std::size_t line = at_;
      while (peek() == ' ' || peek() == '\t') ++at_;
      if (at_ == text_.size() && at_ > line) bad();  // an indented line without an end
      space();
    }
    if (at_ != text_.size()) bad();
  }

  bool accept(std::string_view symbol) {
    space();
    if (!text_.substr(at_).starts_with(symbol)) return false;
    at_ += symbol.size();
    return true;
  }
  bool accept_word(std::string_view word) {
    space();
    if (!text_.substr(at_).starts_with(word) || is_word(peek(word.size()))) return false;
    at_ += word.size();
    return true;
  }
  // The operator of the level that stands here, or an empty one. `**` and `//` are not `*` and `/`.
  std::string_view accept_operator(const Level& level) {
    space();
    for (const std::string_view op : level.operators) {
      if (op.empty()) break;
      if (!text_.substr(at_).starts_with(op)) continue;
      if (op == "*" && peek(1) == '*') continue;
      if ((op == "<" || op == ">") && peek(1) == op[0]) continue;
      if (++num_operators_ > kMaxOperators) return bad(), "";
      if (op != "<=" && op != ">=" && op != "==" && op != "!=" && peek(op.size()) == '=') {
        return bad(), "";  // an assignment
      }
      at_ += op.size();
      return op;
    }
    return {};
  }

  // Reads with `f`, and forgets what failed in it unless `counts`.
  template <class F>
  Number read(bool counts, F&& f) {
    const Event before = math_.event();
    Number value = f();
    if (!counts) math_.set_event(before);
    return value;
  }

  Number expression() {
    const Event before = math_.event();
    Number value = disjunction();
    if (!accept_word("if")) return value;
    const Event of_value = math_.event();
    math_.set_event(before);  // the condition is evaluated first
    if (++depth_ > kMaxDepth || ++num_operators_ > kMaxOperators) return bad();
    const bool holds = !disjunction().is_zero();
    const bool is_known = math_.event() == Event::kNone;
    if (!accept_word("else")) return bad();
    Number other = read(is_known && !holds, [&] { return expression(); });
    --depth_;
    if (!is_known || !holds) return other;
    math_.set_event(of_value);
    return value;
  }

  Number disjunction() {
    Number value = conjunction();
    while (accept_word("or")) {
      if (++num_operators_ > kMaxOperators) return bad();
      const bool goes_on = value.is_zero();
      Number next = read(goes_on, [&] { return conjunction(); });
      if (goes_on) value = std::move(next);
    }
    return value;
  }
  Number conjunction() {
    Number value = negation();
    while (accept_word("and")) {
      if (++num_operators_ > kMaxOperators) return bad();
      const bool goes_on = !value.is_zero();
      Number next = read(goes_on, [&] { return negation(); });
      if (goes_on) value = std::move(next);
    }
    return value;
  }
  Number negation() {
    std::size_t num_nots = 0;
    while (accept_word("not")) ++num_nots;
    if ((num_operators_ += num_nots) > kMaxOperators) return bad();
    Number value = comparison();
    if (num_nots == 0) return value;
    return Number::integer(value.is_zero() == (num_nots % 2 == 1) ? 1 : 0);
  }

  Number comparison() {
    Number left = binary(kBinary);
    std::string_view op = accept_operator(kCompare);
    if (op.empty()) return left;
    bool holds = true;
    for (; !op.empty(); op = accept_operator(kCompare)) {
      Number right = read(holds, [&] { return binary(kBinary); });
      if (holds) holds = math_.compare(op, left, right);
      left = std::move(right);
    }
    return Number::integer(holds ? 1 : 0);
  }

  Number binary(std::span<const Level> levels) {
    if (levels.empty()) return factor();
    Number left = binary(levels.subspan(1));
    for (;;) {
      const std::string_view op = accept_operator(levels[0]);
      if (op.empty()) return left;
      const Number right = binary(levels.subspan(1));
      left = math_.binary(op, left, right);
    }
  }

  Number factor() {
    std::string signs;
    space();
    for (; peek() == '+' || peek() == '-' || peek() == '~'; space()) {
      signs += text_[at_++];
      if (++num_operators_ > kMaxOperators) return bad();
    }
    Number value = power();
    for (; !signs.empty(); signs.pop_back()) {
      if (signs.back() == '-') value = math_.negative(value);
      if (signs.back() == '~') value = math_.invert(value);
    }
    return value;
  }

  Number power() {
    Number base = call();
    if (!accept("**")) return base;
    if (peek() == '=' || ++depth_ > kMaxDepth || ++num_operators_ > kMaxOperators) return bad();
    const Number exponent = factor();
    --depth_;
    return math_.binary("**", base, exponent);
  }

  // A number may be called, and Python complains only then.
  Number call() {
    Number value = atom();
    while (!is_bad_ && accept("(")) {
      open();
      if (accept(")")) {
        --parentheses_;
      } else {
        expression();
        close();
      }
      nothing();
    }
    return value;
  }

  void open() {
    if (++parentheses_ > kMaxParentheses) bad();
  }
  void close() {
    if (!accept(")")) bad();
    --parentheses_;
  }

  Number atom() {
    space();
    if (accept("(")) {
      open();
      if (accept(")")) {  // the empty tuple
        --parentheses_;
        return nothing();
      }
      Number value = expression();
      close();
      return value;
    }
    if (accept("...")) return nothing();
    if (accept_word("True")) return Number::integer(1);
    if (accept_word("False")) return Number::integer(0);
    return is_word(peek()) && !is_digit(peek()) ? name() : number();
  }

  // No name is known: an error, but only where it is evaluated.
  Number name() {
    const std::size_t begin = at_;
    while (is_word(peek())) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    for (const std::string_view keyword :
         {"and",    "as", "class", "def",    "del", "elif", "else",   "for",   "from", "if",
          "import", "in", "is",    "lambda", "not", "or",   "return", "while", "with", "yield"}) {
      if (word == keyword) return bad();
    }
    for (const char c : word) {
      if (static_cast<unsigned char>(c) >= 0x80) return bad();
    }
    return nothing();
  }

  // Digits with single underscores between them, added to `out` without these.
  template <class IsDigit>
  void digits(std::string& out, IsDigit&& is) {
    while (is(peek()) || (peek() == '_' && at_ > 0 && is(text_[at_ - 1]) && is(peek(1)))) {
      if (peek() != '_') out += peek();
      ++at_;
    }
  }

  Number number() {
    static constexpr std::string_view kPrefixes = "xXoObB";
    Number value;
    if (peek() == '0' && kPrefixes.find(peek(1)) != kPrefixes.npos && peek(1) != '\0') {
      value = based();
    } else if (is_digit(peek()) || (peek() == '.' && is_digit(peek(1)))) {
      value = decimal();
    } else {
      return bad();
    }
    if (is_bad_ || !is_word(peek())) return value;
    for (const std::string_view word : {"and", "else", "for", "if", "in", "is", "not", "or"}) {
      if (text_.substr(at_).starts_with(word)) return value;
    }
    return bad();
  }

  Number based() {
    const char kind = static_cast<char>(text_[at_ + 1] | 32);
    const int base = kind == 'x' ? 16 : kind == 'o' ? 8 : 2;
    const auto is = [base](char c) {
      if (base < 16) return c >= '0' && c < '0' + base;
      return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
    };
    at_ += 2;
    if (peek() == '_' && is(peek(1))) ++at_;
    std::string text;
    digits(text, is);
    if (text.empty() || (base < 16 && is_digit(peek()))) return bad();
    return Number::integer(text, base);
  }

  Number decimal() {
    constexpr std::size_t kMaxDigits = 4300;
    std::string text;
    digits(text, is_digit);
    const std::size_t num_digits = text.size();
    if (peek() == '.') {
      text += text_[at_++];
      if (is_digit(peek())) digits(text, is_digit);
    }
    const bool is_signed = peek(1) == '+' || peek(1) == '-';
    if ((peek() == 'e' || peek() == 'E') && is_digit(peek(is_signed ? 2 : 1))) {
      text.append(text_, at_, is_signed ? 2 : 1);
      at_ += is_signed ? 2 : 1;
      digits(text, is_digit);
    }
    const bool is_integer = text.size() == num_digits;
    const bool is_imaginary = peek() == 'j' || peek() == 'J';
    if (is_imaginary) ++at_;
    if (is_integer && !is_imaginary) {
      const bool has_leading_zero = text[0] == '0' && text.find_first_not_of('0') != text.npos;
      if (has_leading_zero || num_digits > kMaxDigits) return bad();
      return Number::integer(text);
    }
    double v = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), v).ec != std::errc()) {
      const bool is_tiny = text.find("e-") != text.npos || text.find("E-") != text.npos ||
                           text.find_first_of("123456789.") == text.find('.');
      v = is_tiny ? 0 : std::numeric_limits<double>::infinity();
    }
    return is_imaginary ? Number::complex(0, v) : Number::real(v);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Arithmetic math_;
  bool is_bad_ = false;
  int parentheses_ = 0, depth_ = 0;
  std::size_t num_operators_ = 0;
};

}  // namespace

Outcome evaluate(std::string_view text) {
  if (text.size() > kMaxLength) return {Event::kError, {}};
  return Evaluator(text).run();
}

}  // namespace countdown
