#pragma once

// The definitions of levels.h, for evaluate_<bits>.cpp.

#include "evaluator_functions.h"
#include "evaluator_values.h"
#include "evaluator_whole.h"

namespace math {

// The difference of two values.
template <unsigned Bits>
Finding difference(const Complex<Bits>& x, const Complex<Bits>& y) {
  using B = Ball<Bits>;
  if (!x.ok() || !y.ok()) return Finding::kUndefined;
  const B re = x.re - y.re, im = x.im - y.im;
  if (!re.ok || !im.ok) return Finding::kUndefined;
  if ((!re.is_exact_zero() && !re.has_zero()) || (!im.is_exact_zero() && !im.has_zero())) {
    return Finding::kDifferent;
  }
  if constexpr (Bits == 53) return Finding::kTooCoarse;
  // Equal to 100 bits, and to a fraction of 1: of huge numbers the difference would be lost.
  const Bound error = re.rad + im.rad, size = x.re.high_bound() + x.im.high_bound();
  const Bound relative = size * Bound{0.5, -99}, one{0.5, -59};
  if (error.is_zero()) return Finding::kEqual;
  return error < relative && error < one ? Finding::kEqual : Finding::kTooCoarse;
}

template <unsigned Bits>
Finding compare_at(const Pair& pair, std::size_t point, bool must_be_real, Budget& budget) {
  Evaluator<Bits> evaluator(pair.tree, pair.reading, point, budget);
  const auto x = evaluator.value(pair.a);
  if (!x.ok()) return Finding::kUndefined;
  const auto y = evaluator.value(pair.b);
  if (!y.ok()) return Finding::kUndefined;
  if (must_be_real && (!x.is_real() || !y.is_real())) return Finding::kNotReal;
  return difference(x, y);
}

template <unsigned Bits>
Finding compare_ratio(const Pair& pair, std::size_t p, std::size_t q, Budget& budget, int& sign) {
  Evaluator<Bits> at_p(pair.tree, pair.reading, p, budget);
  Evaluator<Bits> at_q(pair.tree, pair.reading, q, budget);
  const auto a = at_p.value(pair.a), b = at_p.value(pair.b);
  const auto c = at_q.value(pair.a), d = at_q.value(pair.b);
  const auto left = a * d, right = b * c;
  if (!left.ok() || !right.ok()) return Finding::kUndefined;
  const bool has_sign = a.is_real() && b.is_real() && !a.re.has_zero() && !b.re.has_zero();
  sign = !has_sign ? 0 : a.re.is_positive() == b.re.is_positive() ? 1 : -1;
  return difference(left, right);
}

template <unsigned Bits>
std::optional<int> sign_at(const Tree& tree, NodeId id, const Reading& reading, Budget& budget) {
  const auto x = Evaluator<Bits>(tree, reading, 0, budget).value(id);
  if (!x.ok() || !x.is_real()) return std::nullopt;
  if (x.re.is_positive()) return 1;
  if (x.re.is_negative()) return -1;
  if (Bits > 53 && x.re.high_bound() < Bound{0.5, -99}) return 0;
  return std::nullopt;
}

}  // namespace math
