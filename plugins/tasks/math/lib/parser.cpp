#include "parser.h"

#include "parser_state.h"

#include <algorithm>

namespace math {

NodeId Parser::answer() {
  if (is(Tok::kEnd)) return kBad;
  const NodeId out = rows_of_lists();
  return out != kBad && is(Tok::kEnd) ? out : kBad;
}

NodeId Parser::rows_of_lists() {
  Parts rows(*this);
  do {
    if (is(Tok::kEnd)) break;  // after a last separator
    rows.add(list(Tok::kComma));
    if (rows.last() == kBad) return kBad;
  } while (take(Tok::kSemicolon));
  if (rows.size() == 1) return rows.first();
  return tree_.add({.kind = Kind::kList}, rows.all());
}

NodeId Parser::list(Tok separator) {
  Parts items(*this);
  do {
    while (take(Tok::kAnd) || take(separator)) {
    }
    if (is(Tok::kEnd) || is(Tok::kClose) || is(Tok::kSemicolon)) break;
    items.add(item());
    if (items.last() == kBad) return kBad;
  } while (is(separator) || is(Tok::kAnd));
  if (items.empty()) return kBad;
  if (items.size() == 1) return items.first();
  return tree_.add({.kind = Kind::kList}, items.all());
}

NodeId Parser::item() {
  const Deeper deeper(*this);
  if (deeper.is_too_deep()) return kBad;
  const bool is_headless = is(Tok::kRelation) && (peek().relation == Relation::kApprox ||
                                                  peek().relation == Relation::kEqual);
  if (is_headless) ++at_;  // "= 5"
  NodeId left = ratio();
  Parts relations(*this);
  while (left != kBad && is(Tok::kRelation)) {
    const Token& token = peek();
    ++at_;
    if (token.relation == Relation::kApprox && (is(Tok::kEnd) || is(Tok::kClose))) break;
    const NodeId right = ratio();
    if (right == kBad) return kBad;
    Node node{.kind = Kind::kRelation, .relation = token.relation};
    if (token.relation == Relation::kOther) node.name = std::string(token.text);
    relations.add(tree_.add(std::move(node), {left, right}));
    left = right;
  }
  if (left == kBad) return kBad;
  if (relations.empty()) return left;
  if (relations.size() == 1) return relations.first();
  return tree_.add({.kind = Kind::kChain}, relations.all());
}

NodeId Parser::ratio() {
  Parts parts(*this);
  do {
    parts.add(set_expression());
    if (parts.last() == kBad) return kBad;
  } while (take(Tok::kColon));
  if (parts.size() == 1) return parts.first();
  return tree_.add({.kind = Kind::kRatio}, parts.all());
}

NodeId Parser::set_expression() {
  NodeId left = sum();
  while (left != kBad && (is(Tok::kUnion) || is(Tok::kIntersection) || is(Tok::kSetMinus))) {
    const Kind kind = is(Tok::kUnion)          ? Kind::kUnion
                      : is(Tok::kIntersection) ? Kind::kIntersection
                                               : Kind::kDifference;
    ++at_;
    const NodeId right = sum();
    if (right == kBad) return kBad;
    left = tree_.add({.kind = kind}, {left, right});
  }
  return left;
}

NodeId Parser::sum() {
  const Deeper deeper(*this);
  if (deeper.is_too_deep()) return kBad;
  if (take(Tok::kDots)) return tree_.add({.kind = Kind::kText, .name = "..."});
  Parts terms(*this);
  bool is_first = true;
  while (is_first || is(Tok::kPlus) || is(Tok::kMinus) || is(Tok::kPlusMinus) ||
         is(Tok::kMinusPlus)) {
    const Tok sign = peek().type;
    const bool has_sign = sign == Tok::kPlus || sign == Tok::kMinus || sign == Tok::kPlusMinus ||
                          sign == Tok::kMinusPlus;
    if (has_sign) ++at_;
    if (take(Tok::kDots)) {
      terms.add(tree_.add({.kind = Kind::kSymbol, .name = "..."}));
      is_first = false;
      continue;
    }
    NodeId term = product();
    if (term == kBad) return kBad;
    if (sign == Tok::kMinus) term = tree_.negative(term);
    if (sign == Tok::kPlusMinus || sign == Tok::kMinusPlus) {
      if (sign == Tok::kMinusPlus) term = tree_.negative(term);
      const NodeId zero = tree_.number({});
      term = tree_.add({.kind = Kind::kPlusMinus}, {zero, term});
    }
    terms.add(term);
    is_first = false;
  }
  return terms.size() == 1 ? terms.first() : sum_with_unit(terms);
}

// The unit of the last term, where no other has one, is the unit of the sum: 1 + \sqrt2 cm.
NodeId Parser::sum_with_unit(Parts& terms) {
  const auto is_quantity = [&](NodeId term) { return tree_[term].kind == Kind::kQuantity; };
  const bool is_shared =
      is_quantity(terms.last()) && std::ranges::count_if(terms.all(), is_quantity) == 1;
  if (!is_shared) return tree_.add({.kind = Kind::kSum}, terms.all());
  std::string unit = tree_[terms.last()].name;
  terms.last() = tree_.part(terms.last(), 0);
  const NodeId out = tree_.add({.kind = Kind::kSum}, terms.all());
  return tree_.add({.kind = Kind::kQuantity, .name = std::move(unit)}, {out});
}

bool Parser::starts_factor(const Token& token) const {
  switch (token.type) {
    case Tok::kNumber:
    case Tok::kLetter:
    case Tok::kFunction:
    case Tok::kFrac:
    case Tok::kBinom:
    case Tok::kSqrt:
    case Tok::kBigOp:
    case Tok::kBegin:
    case Tok::kOpen:
    case Tok::kAccent:
    case Tok::kBoxed:
      return true;
    case Tok::kBar:
      return bars_ == 0;
    default:
      return false;
  }
}

bool Parser::is_at_unit() const { return is(Tok::kUnit) || is(Tok::kText); }

// What follows without a space: the rest of the divisor in "1/2x".
NodeId Parser::divisor() {
  Parts factors(*this);
  factors.add(signed_factor());
  while (factors.last() != kBad && starts_factor(peek()) && !peek().has_space) {
    if (is(Tok::kNumber) && tokens_[at_ - 1].type == Tok::kNumber) return kBad;
    factors.add(factor());
  }
  if (factors.last() == kBad) return kBad;
  return factors.size() == 1 ? factors.first() : tree_.add({.kind = Kind::kProduct}, factors.all());
}

NodeId Parser::product() {
  Parts factors(*this);
  factors.add(signed_factor());
  const auto all = [&] {
    return factors.size() == 1 ? factors.first()
                               : tree_.add({.kind = Kind::kProduct}, factors.all());
  };
  while (factors.last() != kBad) {
    if (take(Tok::kTimes)) {
      factors.add(signed_factor());
    } else if (take(Tok::kOver)) {
      const NodeId below = divisor();
      if (below == kBad) return kBad;
      factors.add(tree_.inverse(below));
    } else if (take(Tok::kMod)) {
      const NodeId right = signed_factor();
      if (right == kBad) return kBad;
      const NodeId left = all();
      factors.replace(tree_.call("mod", {left, right}));
    } else if (starts_factor(peek())) {
      if (is(Tok::kNumber) && tokens_[at_ - 1].type == Tok::kNumber) return kBad;  // "1 2"
      factors.add(factor());
    } else {
      return with_unit(all());
    }
  }
  return kBad;
}

NodeId Parser::signed_factor() {
  const Deeper deeper(*this);
  if (deeper.is_too_deep()) return kBad;
  if (take(Tok::kMinus)) {
    const NodeId inner = signed_factor();
    return inner == kBad ? kBad : tree_.negative(inner);
  }
  if (take(Tok::kPlus)) return signed_factor();
  return factor();
}

NodeId Parser::factor() {
  const Deeper deeper(*this);
  if (deeper.is_too_deep()) return kBad;
  NodeId value = primary();
  if (value == kBad) return kBad;
  if (tree_[value].kind == Kind::kNumber && tree_[value].places < 0) {
    const NodeId mixed = mixed_number(value);
    if (mixed != value) return mixed;
  }
  return postfix(value);
}

// "2\frac12" and "2 1/2": the whole part and its fraction. Others are returned as they are.
NodeId Parser::mixed_number(NodeId whole) {
  const auto is_whole = [&](NodeId id) {
    return tree_[id].kind == Kind::kNumber && tree_[id].places < 0 && tree_[id].value.is_whole();
  };
  if (!is_whole(whole)) return whole;
  const std::size_t back = at_;
  NodeId part = kBad;
  if (take(Tok::kFrac)) {
    const NodeId num = argument();
    const NodeId den = num == kBad ? kBad : argument();
    if (den != kBad && is_whole(num) && is_whole(den) && !tree_[den].value.is_zero()) {
      part = tree_.quotient(num, den);
    }
  } else if (is(Tok::kNumber) && peek().has_space && peek(1).type == Tok::kOver &&
             peek(2).type == Tok::kNumber) {
    const NodeId num = number();
    ++at_;
    const NodeId den = number();
    if (num != kBad && den != kBad && is_whole(num) && is_whole(den)) {
      part = tree_.quotient(num, den);
    }
  }
  if (part == kBad) {
    at_ = back;
    return whole;
  }
  return tree_.add({.kind = Kind::kSum}, {whole, part});
}

NodeId Parser::with_unit(NodeId value) {
  std::string unit;
  bool is_over = false;
  while (is_at_unit()) {
    if (!unit.empty() && !is_over) unit += ' ';
    is_over = false;
    unit += peek().text;
    ++at_;
    if (is(Tok::kCaret)) {
      ++at_;
      unit += "^" + raw_group();
    }
    if (is(Tok::kOver) && (peek(1).type == Tok::kText || peek(1).type == Tok::kUnit)) {
      ++at_;
      unit += '/';
      is_over = true;
    }
  }
  if (unit.empty()) return value;
  return tree_.add({.kind = Kind::kQuantity, .name = std::move(unit)}, {value});
}

std::optional<NodeId> parse(std::string_view text, const LexOptions& options, Tree& tree) {
  auto tokens = lex(text, options);
  if (!tokens) return std::nullopt;
  const NodeId out = Parser(tokens->list, tree).answer();
  if (out == kBad) return std::nullopt;
  return out;
}

}  // namespace math
