#include "parser_state.h"

#include <charconv>

namespace math {

namespace {

bool is_money(std::string_view text) {
  return text == "$" || text == "€" || text == "£" || text == "¥";
}

}  // namespace

NodeId Parser::primary() {
  switch (peek().type) {
    case Tok::kNumber:
      return number();
    case Tok::kLetter: {
      const Token& token = tokens_[at_++];
      // f(x), and a value as in I(0).
      const bool is_usual = token.text.size() == 1 &&
                            std::string_view("fghFGHW").find(token.text[0]) != std::string::npos;
      const bool is_value =
          !peek().has_space && peek(1).type == Tok::kNumber && peek(2).type == Tok::kClose;
      const bool is_function = is_open("(") && (is_usual || is_value);
      if (!is_function) return tree_.symbol(token.text);
      const NodeId inside = brackets();
      return inside == kBad ? kBad : tree_.call(token.text, {inside});
    }
    case Tok::kText:
      return words();
    case Tok::kFunction:
      return function();
    case Tok::kFrac:
    case Tok::kBinom:
      return fraction();
    case Tok::kSqrt:
      return root();
    case Tok::kBigOp:
      return big_operator();
    case Tok::kBegin:
      return matrix();
    case Tok::kOpen:
      return brackets();
    case Tok::kBar:
      return absolute();
    case Tok::kAccent: {
      const std::string_view name = tokens_[at_++].text;
      if (name == "variable") return tree_.symbol(raw_group());
      const NodeId inside = argument();
      return inside == kBad ? kBad : tree_.call(name, {inside});
    }
    case Tok::kBoxed:
      ++at_;
      return argument();
    default:
      return kBad;
  }
}

// Digits, perhaps a point, perhaps an exponent of ten.
NodeId Parser::number() {
  const Token& token = tokens_[at_++];
  const auto e = token.text.find('e');
  auto value = parse_decimal(token.text.substr(0, e));
  if (!value) return kBad;
  int places = token.places == 255 ? -1 : token.places;
  if (e != std::string_view::npos) {
    const char* begin = token.text.data() + e + 1;
    if (*begin == '+') ++begin;
    int exponent = 0;
    std::from_chars(begin, token.text.data() + token.text.size(), exponent);
    Budget budget;
    value = scale_by_ten(*value, exponent, budget);
    if (!value) return kBad;
    places = std::max(0, std::min(254, std::max(places, 0) - exponent));
  }
  return tree_.number(std::move(*value), places);
}

// Words as an answer, or the sign of a currency before a number.
NodeId Parser::words() {
  std::string text(tokens_[at_++].text);
  if (is_money(text) && starts_factor(peek())) {
    const NodeId value = factor();
    if (value == kBad) return kBad;
    return tree_.add({.kind = Kind::kQuantity, .name = std::move(text)}, {value});
  }
  while (is(Tok::kText) || is(Tok::kUnit)) {
    text += ' ';
    text += tokens_[at_++].text;
  }
  if (starts_factor(peek())) return kBad;
  if (text.size() == 1) return tree_.symbol(text);
  return tree_.add({.kind = Kind::kText, .name = std::move(text)});
}

NodeId Parser::postfix(NodeId value) {
  for (;;) {
    if (value == kBad || tree_.is_full()) return kBad;
    if (take(Tok::kBang)) {
      value = tree_.call("factorial", {value});
    } else if (take(Tok::kPercent)) {
      value = tree_.call("percent", {value});
    } else if (take(Tok::kDegree)) {
      value = tree_.call("degree", {value});
    } else if (take(Tok::kPrime)) {
      value = tree_[value].kind == Kind::kSymbol ? tree_.symbol(tree_[value].name + "'")
                                                 : tree_.call("prime", {value});
    } else if (is(Tok::kCaret)) {
      value = power(value);
    } else if (take(Tok::kUnder)) {
      value = subscript(value);
    } else if (take(Tok::kChoose)) {
      const NodeId below = factor();
      value = below == kBad ? kBad : tree_.call("binomial", {value, below});
    } else {
      return value;
    }
  }
}

NodeId Parser::power(NodeId base) {
  ++at_;
  // ^\circ and ^{\circ}, ^\prime
  const bool is_braced = is_open("{");
  const Token& mark = peek(is_braced ? 1 : 0);
  const bool is_closed = !is_braced || (peek(2).type == Tok::kClose && peek(2).text == "}");
  if ((mark.type == Tok::kDegree || mark.type == Tok::kPrime) && is_closed) {
    at_ += is_braced ? 3 : 1;
    if (mark.type == Tok::kDegree) return tree_.call("degree", {base});
    if (tree_[base].kind == Kind::kSymbol) return tree_.symbol(tree_[base].name + "'");
    return tree_.call("prime", {base});
  }
  const NodeId high = exponent();
  return high == kBad ? kBad : tree_.add({.kind = Kind::kPower}, {base, high});
}

// Braces, or a signed value with a power of its own.
NodeId Parser::exponent() {
  const Deeper deeper(*this);
  if (deeper.is_too_deep()) return kBad;
  if (take(Tok::kMinus)) {
    const NodeId inner = exponent();
    return inner == kBad ? kBad : tree_.negative(inner);
  }
  if (take(Tok::kPlus)) return exponent();
  if (is(Tok::kTimes)) {  // z^*
    ++at_;
    return tree_.symbol("*");
  }
  NodeId value = primary();
  if (value != kBad && is(Tok::kCaret)) value = power(value);
  return value;
}

// A part of a symbol's name, or the base that a number is written in.
NodeId Parser::subscript(NodeId value) {
  const std::string below = raw_group();
  if (below.empty()) return kBad;
  if (tree_[value].kind == Kind::kSymbol) return tree_.symbol(tree_[value].name + "_" + below);
  if (tree_[value].kind == Kind::kNumber) {
    return tree_.symbol(text_of(tree_[value].value) + "_" + below);
  }
  const NodeId name = tree_.symbol(below);
  return tree_.call("subscript", {value, name});
}

std::string Parser::raw_group() {
  std::string out;
  const auto append = [&](const Token& token) {
    static constexpr std::pair<Tok, char> kSigns[] = {
        {Tok::kPlus, '+'},  {Tok::kMinus, '-'},  {Tok::kTimes, '*'}, {Tok::kOver, '/'},
        {Tok::kCaret, '^'}, {Tok::kUnder, '_'},  {Tok::kComma, ','}, {Tok::kPrime, '\''},
        {Tok::kColon, ':'}, {Tok::kPercent, '%'}};
    for (const auto& [type, sign] : kSigns) {
      if (token.type == type) out += sign;
    }
    out += token.text;
  };
  if (!is_open("{")) {
    if (is(Tok::kMinus)) append(tokens_[at_++]);
    if (!is(Tok::kEnd) && !is(Tok::kClose)) append(tokens_[at_++]);
    return out;
  }
  int depth = 0;
  do {
    if (is(Tok::kEnd)) return "";
    if (is(Tok::kOpen)) ++depth;
    if (is(Tok::kClose)) --depth;
    const bool is_outer = depth == 0 || (depth == 1 && is(Tok::kOpen));
    if (!is_outer) append(peek());
    ++at_;
  } while (depth > 0);
  return out;
}

// Without braces LaTeX takes one digit: \frac12 is 1/2, \frac1{72} is 1/72.
NodeId Parser::argument() {
  const Deeper deeper(*this);
  if (deeper.is_too_deep()) return kBad;
  if (is(Tok::kNumber) && tokens_[at_].places == 255 && tokens_[at_].text.size() > 1) {
    std::string_view& digits = tokens_[at_].text;
    const char digit = digits[0];
    digits.remove_prefix(1);
    return tree_.number({digit - '0', 1});
  }
  if (take(Tok::kMinus)) {
    const NodeId inner = argument();
    return inner == kBad ? kBad : tree_.negative(inner);
  }
  return primary();
}

NodeId Parser::fraction() {
  const bool is_binomial = is(Tok::kBinom);
  ++at_;
  const NodeId above = argument();
  const NodeId below = above == kBad ? kBad : argument();
  if (below == kBad) return kBad;
  return is_binomial ? tree_.call("binomial", {above, below}) : tree_.quotient(above, below);
}

NodeId Parser::root() {
  ++at_;
  NodeId index = kBad;
  if (is_open("[")) {
    ++at_;
    index = sum();
    if (index == kBad || !is_close("]")) return kBad;
    ++at_;
  }
  const NodeId inside = argument();
  if (inside == kBad) return kBad;
  if (index != kBad) return tree_.call("root", {inside, index});
  const NodeId half = tree_.number({1, 2});
  return tree_.add({.kind = Kind::kPower}, {inside, half});
}

NodeId Parser::brackets() {
  const Deeper deeper(*this);
  if (deeper.is_too_deep()) return kBad;
  const std::string_view open = tokens_[at_++].text;
  const int outer_bars = std::exchange(bars_, 0);
  if (is(Tok::kClose) && peek().text == (open == "\\{" ? "\\}" : "}") && open != "(") {
    ++at_;
    bars_ = outer_bars;
    return open == "{" ? one() : tree_.symbol("empty");
  }
  Parts parts(*this);
  do {
    while (take(Tok::kAnd)) {
    }
    if (is(Tok::kClose)) break;
    parts.add(item());
    if (parts.last() == kBad) return kBad;
  } while (take(Tok::kComma) || take(Tok::kSemicolon) || is(Tok::kAnd));
  bars_ = outer_bars;
  if (!is(Tok::kClose) || parts.empty()) return kBad;
  const std::string_view close = tokens_[at_++].text;
  if (open == "{" || open == "\\{") {
    if (close != (open == "{" ? "}" : "\\}")) return kBad;
    if (open == "{" && parts.size() == 1) return parts.first();
    return tree_.add({.kind = Kind::kSet}, parts.all());
  }
  if (open == "floor" || open == "ceil") {
    return close == open && parts.size() == 1 ? tree_.call(open, {parts.first()}) : kBad;
  }
  if (open == "<") return close == ">" ? tree_.add({.kind = Kind::kTuple}, parts.all()) : kBad;
  if (close != ")" && close != "]") return kBad;
  const bool is_interval = (open == "[" || close == "]") && parts.size() == 2;
  if (is_interval) {
    const auto flags =
        static_cast<std::uint8_t>((open == "(" ? kOpenLow : 0) | (close == ")" ? kOpenHigh : 0));
    return tree_.add({.kind = Kind::kInterval, .flags = flags}, parts.all());
  }
  if ((open == "[") != (close == "]")) return kBad;
  return parts.size() == 1 ? parts.first() : tree_.add({.kind = Kind::kTuple}, parts.all());
}

NodeId Parser::absolute() {
  const Deeper deeper(*this);
  if (deeper.is_too_deep()) return kBad;
  ++at_;
  ++bars_;
  const NodeId inside = sum();
  --bars_;
  if (inside == kBad || !take(Tok::kBar)) return kBad;
  return tree_.call("abs", {inside});
}

}  // namespace math
