#include "parser_state.h"

namespace math {

namespace {

constexpr std::pair<std::string_view, std::string_view> kInverses[] = {
    {"sin", "asin"}, {"cos", "acos"},   {"tan", "atan"},   {"cot", "acot"},  {"sec", "asec"},
    {"csc", "acsc"}, {"sinh", "asinh"}, {"cosh", "acosh"}, {"tanh", "atanh"}};

}  // namespace

// The function with its power and base, "sin^2 x" and "log_2 x", and its argument.
NodeId Parser::function() {
  const Deeper deeper(*this);
  if (deeper.is_too_deep()) return kBad;
  std::string name(tokens_[at_++].text);
  NodeId high = kBad, base = kBad;
  for (;;) {
    if (is(Tok::kCaret) && high == kBad) {
      ++at_;
      high = exponent();
      if (high == kBad) return kBad;
    } else if (is(Tok::kUnder) && base == kBad && (name == "log" || name == "ln")) {
      ++at_;
      base = argument();
      if (base == kBad) return kBad;
    } else if (is(Tok::kUnder) && base == kBad) {
      ++at_;
      name += "_" + raw_group();
    } else {
      break;
    }
  }
  if (high != kBad && tree_[high].kind == Kind::kNumber && tree_[high].value == Rational{-1, 1}) {
    for (const auto& [direct, inverse] : kInverses) {
      if (name == direct) {
        name = inverse;
        high = kBad;
        break;
      }
    }
  }
  const NodeId argument = function_argument();
  if (argument == kBad) return kBad;
  const NodeId call =
      base != kBad ? tree_.call("log", {argument, base}) : named_call(name, argument);
  return high == kBad ? call : tree_.add({.kind = Kind::kPower}, {call, high});
}

// Brackets, or what is multiplied with each other up to the next function.
NodeId Parser::function_argument() {
  if (is_open("(") || is_open("[") || is_open("{") || is_open("\\{")) {
    const bool is_bracket = !is_open("{");
    NodeId inside = brackets();
    if (inside == kBad || is_bracket) return inside;
    return is(Tok::kCaret) ? power(inside) : inside;
  }
  Parts factors(*this);
  bool is_negative = false;
  while (is(Tok::kMinus) && factors.empty()) {
    is_negative = !is_negative;
    ++at_;
  }
  while (starts_factor(peek()) && (factors.empty() || !is(Tok::kFunction))) {
    if (!factors.empty() && is_open("(")) break;
    factors.add(factor());
    if (factors.last() == kBad) return kBad;
  }
  if (factors.empty()) return kBad;
  const NodeId value =
      factors.size() == 1 ? factors.first() : tree_.add({.kind = Kind::kProduct}, factors.all());
  return is_negative ? tree_.negative(value) : value;
}

// The call, with the arguments of a list or tuple one by one.
NodeId Parser::named_call(std::string_view name, NodeId argument) {
  if (name == "exp") {
    const NodeId e = tree_.symbol("e");
    return tree_.add({.kind = Kind::kPower}, {e, argument});
  }
  Node node{.kind = Kind::kCall, .name = std::string(name)};
  const Kind kind = tree_[argument].kind;
  if (kind == Kind::kTuple || kind == Kind::kList || kind == Kind::kSet ||
      (kind == Kind::kInterval && tree_[argument].flags == 0)) {
    const auto parts = tree_.parts(argument);
    return tree_.add(std::move(node), std::vector<NodeId>(parts.begin(), parts.end()));
  }
  return tree_.add(std::move(node), {argument});
}

// Sums and products: variable, first, last, body. Others: what stands below, above, body.
NodeId Parser::big_operator() {
  const Deeper deeper(*this);
  if (deeper.is_too_deep()) return kBad;
  const std::string_view name = tokens_[at_++].text;
  NodeId below = kBad, above = kBad;
  for (int i = 0; i < 2; ++i) {
    if (is(Tok::kUnder) && below == kBad) {
      ++at_;
      if (is_open("{")) {
        ++at_;
        below = is_close("}") ? one() : item();
        if (below == kBad || !is_close("}")) return kBad;
        ++at_;
      } else {
        below = argument();
        if (below == kBad) return kBad;
      }
    } else if (is(Tok::kCaret) && above == kBad) {
      ++at_;
      above = exponent();
      if (above == kBad) return kBad;
    }
  }
  const NodeId body = product();
  if (body == kBad) return kBad;
  const bool is_counted = (name == "sum" || name == "prod") && below != kBad && above != kBad &&
                          tree_[below].kind == Kind::kRelation &&
                          tree_[below].relation == Relation::kEqual &&
                          tree_[tree_.part(below, 0)].kind == Kind::kSymbol;
  if (is_counted) {
    return tree_.call(name, {tree_.part(below, 0), tree_.part(below, 1), above, body});
  }
  if (below == kBad) below = tree_.symbol("none");
  if (above == kBad) above = tree_.symbol("none");
  return tree_.call("opaque_" + std::string(name), {below, above, body});
}

NodeId Parser::matrix() {
  const Deeper deeper(*this);
  if (deeper.is_too_deep()) return kBad;
  const std::string_view name = tokens_[at_++].text;
  if (name != "array" && !name.ends_with("matrix")) return kBad;
  if (name == "array" && is_open("{")) raw_group();
  Parts cells(*this);
  std::size_t columns = 0, in_row = 0;
  for (;;) {
    if (is(Tok::kEndEnv)) break;
    cells.add(item());
    if (cells.last() == kBad) return kBad;
    ++in_row;
    if (take(Tok::kAmpersand)) continue;
    if (columns == 0) columns = in_row;
    if (in_row != columns) return kBad;
    in_row = 0;
    if (!take(Tok::kRowEnd) && !is(Tok::kEndEnv)) return kBad;
  }
  if (peek().text != name || cells.empty() || in_row != 0) return kBad;
  ++at_;
  const NodeId out = tree_.add(
      {.kind = Kind::kMatrix, .columns = static_cast<std::uint16_t>(columns)}, cells.all());
  return name == "vmatrix" ? tree_.call("det", {out}) : out;
}

}  // namespace math
