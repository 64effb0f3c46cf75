#include "generator.h"

#include "solver.h"

#include "qed/error.h"

#include <algorithm>

namespace countdown {
namespace {

constexpr int kMaxDraws = 1'000'000;
constexpr std::int64_t kMaxStep = 1'000'000'000'000;  // of the values on the way

std::size_t draw_count(const Shape& shape, qed::Rng& rng) {
  double sum = 0;
  for (const double w : shape.weights) sum += w;
  double at = rng.real() * sum;
  std::size_t i = 0;
  while (i + 1 < shape.weights.size() && at >= shape.weights[i]) at -= shape.weights[i++];
  return static_cast<std::size_t>(shape.min_numbers) + i;
}

// Two of the numbers become one, as long as there are two. Differences are not negative and
// divisions leave no rest; where the operator drawn would break that, it is + instead.
bool reach(Kind kind, std::vector<std::int64_t>& live, qed::Rng& rng) {
  while (live.size() > 1) {
    const std::uint64_t bits = rng.next();
    const std::size_t n = live.size();
    const std::size_t i = (bits & 0xFFFF) * n >> 16;
    const std::size_t k = ((bits >> 16 & 0xFFFF) * (n - 1) >> 16) + 1;
    std::int64_t a = live[i], b = live[(i + k) % n];
    if (a < b) std::swap(a, b);
    const std::uint64_t op = kind == Kind::kPlusMinus ? bits >> 63 : bits >> 62;
    std::int64_t value = a + b;
    if (op == 1) value = a - b;
    if (op == 2 && __builtin_mul_overflow(a, b, &value)) return false;
    if (op == 3 && b != 0 && a % b == 0) value = a / b;
    if (value > kMaxStep) return false;
    live[i] = value;
    live.erase(live.begin() + static_cast<std::ptrdiff_t>((i + k) % n));
  }
  return true;
}

}  // namespace

Plain draw(const Shape& shape, qed::Rng& rng) {
  Plain out;
  std::vector<std::int64_t> live;
  for (int attempt = 0; attempt < kMaxDraws; ++attempt) {
    const std::size_t n = draw_count(shape, rng);
    out.nums.clear();
    for (std::size_t i = 0; i < n; ++i) {
      out.nums.push_back(rng.integer(shape.min_number, shape.max_number));
    }
    if (shape.kind == Kind::kUnchecked) {
      out.target = rng.integer(shape.min_target, shape.max_target);
    } else {
      live = out.nums;
      if (!reach(shape.kind, live, rng)) continue;
      out.target = live[0];
    }
    if (out.target < shape.min_target || out.target > shape.max_target) continue;
    if (shape.below_target && *std::max_element(out.nums.begin(), out.nums.end()) >= out.target) {
      continue;
    }
    if (shape.difficulty == Difficulty::kAny ||
        is_plus_minus_solvable(out.nums, out.target) == (shape.difficulty == Difficulty::kEasy)) {
      return out;
    }
  }
  throw qed::Error("a million draws gave no puzzle: widen the ranges of numbers and targets");
}

}  // namespace countdown
