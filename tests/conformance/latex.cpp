// Formulas of a LaTeX parser's own tests: what it reads and refuses, and the value of what it read.

#include "core/util/error.h"
#include "evaluate.h"
#include "parser.h"
#include "tests/conformance/conformance.h"

#include <algorithm>
#include <span>

namespace qed::conformance {
namespace {

using math::Kind;
using math::NodeId;
using math::Rational;

// The values that the file gives to a formula's symbols, in the order of their names.
const Rational kValues[] = {{13, 10}, {7, 4}, {21, 8}, {3, 5}, {11, 7}, {17, 9}, {5, 3}, {9, 8}};

// "x_{1}" and "x_1" are one name.
std::string plain_name(std::string name) {
  std::erase_if(name, [](char c) { return c == '{' || c == '}' || c == '\\'; });
  return name;
}

// A copy with numbers instead of symbols.
NodeId with_values(math::Tree& tree, NodeId id, const std::vector<std::string>& symbols) {
  math::Node copy = tree[id];
  if (copy.kind == Kind::kSymbol) {
    const auto at = std::ranges::find(symbols, plain_name(copy.name));
    return at == symbols.end() ? id : tree.number(kValues[at - symbols.begin()]);
  }
  std::vector<NodeId> parts(tree.parts(id).begin(), tree.parts(id).end());
  if (parts.empty()) return id;
  for (NodeId& part : parts) part = with_values(tree, part, symbols);
  return tree.add(std::move(copy), parts);
}

// The double as a fraction, to far more digits than are compared.
Rational fraction(double x) {
  constexpr double kScale = 1e12;
  return {math::BigInt(x * kScale), math::BigInt(kScale)};
}

// What is wrong with the value of a formula; nothing where it is the expected one.
std::string wrong_value(math::Tree& tree, NodeId id, const Json& numeric) {
  std::vector<std::string> symbols;
  for (const Json& name : numeric["symbols"]) symbols.push_back(plain_name(name));
  const double re = numeric["value"][0], im = numeric["value"][1];
  const NodeId i = tree.symbol("i");
  const NodeId imaginary = tree.add({.kind = Kind::kProduct}, {tree.number(fraction(im)), i});
  const NodeId expected = tree.add({.kind = Kind::kSum}, {tree.number(fraction(re)), imaginary});
  const NodeId gap = tree.difference(with_values(tree, id, symbols), expected);
  const double allowed = 1e-9 * std::max({1.0, std::abs(re), std::abs(im)});
  const NodeId room = tree.number(fraction(1 + allowed));
  // |gap| itself has no sign where it is 0 but for rounding: it is measured from four points at 1.
  const NodeId points[] = {tree.number({1, 1}), tree.number({-1, 1}), i, tree.negative(i)};
  for (const NodeId point : points) {
    const NodeId distance = tree.call("abs", {tree.add({.kind = Kind::kSum}, {gap, point})});
    math::Budget budget(10'000'000);
    const auto sign = math::sign_of(tree, tree.difference(room, distance), {}, budget);
    if (!sign) return "has no value";
    if (*sign < 0) return "has another value";
  }
  return "";
}

bool has_call(const math::Tree& tree, NodeId id, std::span<const std::string_view> names) {
  const math::Node& node = tree[id];
  const auto is_named = [&](std::string_view name) { return node.name.starts_with(name); };
  if (node.kind == Kind::kCall && std::ranges::any_of(names, is_named)) return true;
  return std::ranges::any_of(tree.parts(id),
                             [&](NodeId part) { return has_call(tree, part, names); });
}

// Why a formula is another one to qed, which reads answers: by what it holds.
std::string_view on_purpose(const math::Tree& tree, NodeId id, std::string_view latex) {
  constexpr std::string_view kCalculus[] = {"opaque_"};
  constexpr std::string_view kWhole[] = {"factorial", "binomial", "gcd", "lcm",
                                         "mod",       "sum",      "prod"};
  constexpr std::string_view kInverse[] = {"asin", "acos", "atanh"};
  constexpr std::string_view kExtreme[] = {"min", "max"};
  constexpr std::string_view kAccents[] = {"bar"};
  const auto has = [&](std::string_view part) { return latex.find(part) != latex.npos; };
  if (has_call(tree, id, kCalculus) || has("\\frac{d}")) {
    return "calculus is compared as it is written, not worked out; the parser says more";
  }
  if (has_call(tree, id, kWhole)) {
    return "of symbols, irrational numbers and endless sums these are compared as they are written";
  }
  if (has_call(tree, id, kInverse))
    return "beyond the real numbers, or at their edge, it has no value";
  if (has_call(tree, id, kExtreme))
    return "of two that are equal but for rounding none is the larger";
  if (has_call(tree, id, kAccents))
    return "a letter with an accent is another symbol than the letter";
  if (has("variable") || has("mbox")) return "a notation of that parser, or words";
  if (has("E") || has("I")) return "E and I are letters; the parser takes them for e and i";
  return "";
}

Outcome run(PluginHost&, const std::string& file, const Json& row) {
  math::Tree tree;
  const std::string latex = row["latex"];
  const auto id = math::parse(latex, {}, tree);
  std::string problem;
  if (row["kind"] == "reject") {
    problem = id ? "is read" : "";
  } else if (!id) {
    problem = "is not read";
  } else if (row.contains("numeric")) {
    problem = wrong_value(tree, *id, row["numeric"]);
  }
  if (problem.empty()) return {Result::kPassed};
  const std::string_view why =
      id && row["kind"] != "reject" ? on_purpose(tree, *id, latex) : std::string_view();
  if (!why.empty()) return {Result::kKnown, file, std::string(why)};
  return {Result::kFailed, file,
          cat(row["id"].get<std::string>(), " `", latex, "` ", problem, "; it is ",
              row.value("parsed", "nothing"))};
}

bool takes(const std::string&, const Json& row) {
  return row.contains("latex") && row.contains("kind");
}

}  // namespace

const Family kLatex = {takes, run};

}  // namespace qed::conformance
