#pragma once

// What answers are beneath their dress: "x = 5 cm" is 5 cm, "1 \pm 2" are two values.

#include "tree.h"

#include <optional>
#include <string>
#include <vector>

namespace math {

// Made of symbols alone: what may stand on the left of an assignment, "x", "f(x)", "|AB|", "A:B",
// "(x, y)".
bool is_only_symbols(const Tree& tree, NodeId id);
bool contains(const Tree& tree, NodeId id, Kind kind);
bool contains_symbol(const Tree& tree, NodeId id, std::string_view name);
bool has_decimal(const Tree& tree, NodeId id);

// "x = a = b" is x = b; "a = b" of values is b; what follows an approximation is dropped, as is
// "x \in" before a set.
NodeId without_steps(Tree& tree, NodeId id);
// The right side of an assignment; others as they are.
NodeId assigned(Tree& tree, NodeId id);
// The value without its unit; `unit` becomes its normal form: "cm^2", "degree".
NodeId without_unit(Tree& tree, NodeId id, std::string& unit);
// The letters of a word: \text{odd}, and the product o d d.
std::optional<std::string> letters(const Tree& tree, NodeId id);
// The parts of a list, with each \pm as two of them. An id that is no list is its one part.
std::vector<NodeId> parts_of_list(Tree& tree, NodeId id);
// Sums and products of matrices as one matrix; others as they are.
NodeId as_matrix(Tree& tree, NodeId id);
// A copy in which the symbols of `from` have the names of `to`.
NodeId renamed(Tree& tree, NodeId id, const std::vector<std::string>& from,
               const std::vector<std::string>& to);
// The symbols that are no constants, each once, in the order in which they are written.
std::vector<std::string> symbols_in_order(const Tree& tree, NodeId id);
// Bounds on one expression as an interval, "1 < x \le 2" and "x > 1"; kBadNode for others.
NodeId as_interval(Tree& tree, NodeId id);
inline constexpr NodeId kBadNode = 0xFFFFFFFF;

}  // namespace math
