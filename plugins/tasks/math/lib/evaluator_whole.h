#pragma once

// Functions of evaluator.h of whole numbers or of many: factorials, the largest, sums and products.

#include "evaluator.h"

#include <algorithm>

namespace math {

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::whole_function(NodeId id) {
  Budget small(std::min<std::uint64_t>(budget_.left(), 20'000));
  if (bound_.empty()) {
    const std::uint64_t before = small.left();
    const auto exact = exact_value(tree_, id, reading_, small);
    if (!budget_.spend(before - small.left())) return C::bad();
    if (exact) return real(B::of(*exact));
  }
  if (tree_[id].name != "factorial") return opaque(id);
  std::optional<std::int64_t> n;
  if (bound_.empty()) {
    const auto exact = exact_value(tree_, tree_.part(id, 0), reading_, budget_);
    if (!exact) return opaque(id);
    n = small_whole(*exact);
  } else {
    n = near_whole(value(tree_.part(id, 0)));
  }
  if (!n || *n < 0 || *n > 20 * kMaxTerms) return C::bad();
  B out = B::of({1, 1});
  for (std::int64_t i = 2; i <= *n && out.ok; ++i) {
    if (!budget_.spend(kArithmetic)) return C::bad();
    out = out * B::of({i, 1});
  }
  return real(out);
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::extreme(NodeId id) {
  const bool is_max = tree_[id].name == "max";
  C out = value(tree_.part(id, 0));
  for (std::size_t i = 1; i < tree_[id].count && out.ok(); ++i) {
    const C next = value(tree_.part(id, i));
    if (!next.ok() || !next.is_real() || !out.is_real()) return C::bad();
    const B gap = next.re - out.re;
    if (gap.is_exact_zero()) continue;
    if (gap.has_zero()) return C::bad();
    if (gap.is_positive() == is_max) out = next;
  }
  return out;
}

template <unsigned Bits>
Complex<Bits> Evaluator<Bits>::counted(NodeId id) {
  const C first = value(tree_.part(id, 1)), last = value(tree_.part(id, 2));
  const auto from = near_whole(first), to = near_whole(last);
  if (!first.ok() || !last.ok() || bound_.size() > 3) return C::bad();
  if (!from || !to) return opaque(id);
  if (*to - *from >= kMaxTerms) return C::bad();
  const bool is_sum = tree_[id].name == "sum";
  C out = whole(is_sum ? 0 : 1);
  bound_.emplace_back(tree_[tree_.part(id, 0)].name, *from);
  for (std::int64_t n = *from; n <= *to && out.ok(); ++n) {
    bound_.back().second = n;
    const C term = value(tree_.part(id, 3));
    out = is_sum ? out + term : out * term;
  }
  bound_.pop_back();
  return out;
}

}  // namespace math
