#pragma once

// What expressions are worth: exactly where they are fractions, else as numbers with a bound on
// the error at rising precision.

#include "tree.h"

#include <optional>
#include <string>

namespace math {

enum class Equality : std::uint8_t { kEqual, kDifferent, kUnknown };

// What a sign means where readers differ.
struct Reading {
  bool percent_is_fraction = true;  // 10% is 0.1, or 10
  bool log_is_natural = false;      // \log without base is ln, or of base 10
};

// The value of an expression without symbols that is a fraction of bounded size; nothing for
// others. "percent" and "degree" follow the reading.
std::optional<Rational> exact_value(const Tree& tree, NodeId id, const Reading& reading,
                                    Budget& budget);

// One text for expressions that differ in order, brackets and signs of operation only.
std::string canonical_text(const Tree& tree, NodeId id, const Reading& reading, Budget& budget);

// Whether two expressions are equal as functions of their symbols, which take fixed values.
// kDifferent is a proof at one point. kEqual says that the values agree to 100 bits at all points
// where both have one, of which there are two at least (one where there are no symbols).
// Expressions without an i are compared where they are real.
Equality identical(const Tree& tree, NodeId a, NodeId b, const Reading& reading, Budget& budget);

// The same of a and c b for one number c, not zero, that may be chosen. `sign` of c: 1, -1, or 0
// where c is no real number.
struct Proportion {
  Equality equality = Equality::kUnknown;
  int sign = 0;
};
Proportion proportional(const Tree& tree, NodeId a, NodeId b, const Reading& reading,
                        Budget& budget);

// The sign of a real value without symbols; what is below 2^-100 is taken for zero. Nothing for
// others.
std::optional<int> sign_of(const Tree& tree, NodeId id, const Reading& reading, Budget& budget);

// Whether it has symbols that stand for values.
bool has_symbols(const Tree& tree, NodeId id);
bool is_constant_name(std::string_view name);  // pi, e, i

}  // namespace math
