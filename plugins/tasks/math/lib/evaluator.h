#pragma once

// Values of expressions at a point, as balls of one precision.

#include "complex.h"
#include "evaluate.h"
#include "levels.h"

#include <string>
#include <utility>
#include <vector>

namespace math {

template <unsigned Bits>
class Evaluator {
 public:
  using B = Ball<Bits>;
  using C = Complex<Bits>;

  Evaluator(const Tree& tree, const Reading& reading, std::size_t point, Budget& budget)
      : tree_(tree), reading_(reading), point_(point), budget_(budget) {}

  C value(NodeId id);

 private:
  // What operations and functions cost at this precision, as measured.
  static constexpr std::uint64_t kArithmetic = Bits == 53 ? 1 : Bits < 256 ? 8 : 24;
  static constexpr std::uint64_t kSqrt = Bits == 53 ? 2 : Bits < 256 ? 200 : 1500;
  static constexpr std::uint64_t kExp = Bits == 53 ? 3 : Bits < 256 ? 600 : 6500;
  static constexpr std::uint64_t kLog = Bits == 53 ? 3 : Bits < 256 ? 800 : 7000;
  static constexpr std::uint64_t kSin = Bits == 53 ? 3 : Bits < 256 ? 300 : 2000;
  static constexpr std::uint64_t kAtan = Bits == 53 ? 3 : Bits < 256 ? 2300 : 37'000;
  static constexpr std::int64_t kMaxTerms = 2000;  // of a sum, product, factorial
  static constexpr std::int64_t kMaxPower = std::int64_t{1} << 40;

  static C real(B x) { return {std::move(x), {}}; }
  static C whole(std::int64_t n) { return real(B::of({n, 1})); }

  C symbol(const std::string& name);
  C power_of(NodeId base_id, NodeId exponent_id);
  // The whole number that a value is exactly.
  static std::optional<std::int64_t> near_whole(const C& x);
  C rational_power(const C& base, const Rational& exponent);
  C call(NodeId id);
  static bool is_opaque(const std::string& name);
  // A function that is not known: the same arguments give the same value.
  C opaque(NodeId id);
  bool is_degrees(NodeId id) const;
  static C degree() { return real(pi<Bits>() * B::of({1, 180})); }

  C root(const C& x, NodeId index);
  static C rounded(const C& x, bool is_up);
  C logarithm(NodeId id, const C& x);
  // Functions that are paid for first.
  C exponential(const C& x);
  C natural_log(const C& x);
  C square_root(const C& x);
  C trigonometric(const std::string& name, const C& x);
  C circular(const std::string& name, const C& x);
  C hyperbolic(const std::string& name, const C& x);
  C inverse_hyperbolic(const std::string& name, const C& x);
  C inverse_circular(const std::string& name, const C& x);
  // Of whole numbers; of others a value of its own, as of a function that is not known.
  C whole_function(NodeId id);
  C extreme(NodeId id);
  // \sum and \prod between whole bounds.
  C counted(NodeId id);

  const Tree& tree_;
  const Reading& reading_;
  const std::size_t point_;
  Budget& budget_;
  std::vector<std::pair<std::string, std::int64_t>> bound_;
};

}  // namespace math
