#include "solver.h"

#include "qed/rational.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace countdown {
namespace {

constexpr std::uint64_t kMaxCombinations = 50'000'000;
constexpr std::size_t kMaxSigned = 24;
__extension__ using Wide = __int128;  // sums of numbers of 64 bits

// A number made so far: a leaf, or two others and the operator between them.
struct Node {
  qed::Rational value;
  char op = 0;
  int left = -1, right = -1;
};

class Search {
 public:
  Search(std::span<const std::int64_t> nums, std::int64_t target, qed::Rng& rng) : target_(target) {
    std::vector<std::int64_t> order(nums.begin(), nums.end());
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1],
                order[static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(i) - 1))]);
    }
    for (const std::int64_t v : order) {
      live_.push_back(static_cast<int>(nodes_.size()));
      nodes_.push_back({.value = qed::Rational(v)});
    }
  }

  // Puts two live numbers together, in every way, and goes on with one number less.
  bool run() {
    if (live_.size() == 1) return nodes_.back().value == target_;
    const std::vector<int> live = live_;
    for (std::size_t i = 0; i < live.size(); ++i) {
      for (std::size_t k = i + 1; k < live.size(); ++k) {
        live_.clear();
        for (std::size_t m = 0; m < live.size(); ++m) {
          if (m != i && m != k) live_.push_back(live[m]);
        }
        live_.push_back(static_cast<int>(nodes_.size()));
        if (joins(live[i], live[k])) return true;
        if (num_combinations_ > kMaxCombinations) return false;
      }
    }
    live_ = live;
    return false;
  }

  const std::vector<Node>& nodes() const { return nodes_; }

 private:
  bool joins(int a, int b) {
    return tries('+', a, b) || tries('-', a, b) || tries('-', b, a) || tries('*', a, b) ||
           tries('/', a, b) || tries('/', b, a);
  }
  bool tries(char op, int a, int b);

  qed::Rational target_;
  std::vector<Node> nodes_;
  std::vector<int> live_;
  std::uint64_t num_combinations_ = 0;
};

qed::Rational apply(char op, const qed::Rational& a, const qed::Rational& b) {
  return op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b;
}

bool Search::tries(char op, int a, int b) {
  ++num_combinations_;
  const auto& left = nodes_[static_cast<std::size_t>(a)].value;
  const auto& right = nodes_[static_cast<std::size_t>(b)].value;
  const qed::Rational value = apply(op, left, right);
  if (!value.is_valid()) return false;
  const std::vector<int> live = live_;
  nodes_.push_back({value, op, a, b});
  if (run()) return true;
  nodes_.pop_back();
  live_ = live;
  return false;
}

// The equation below a node, in parentheses where `around` (an operator beside it) needs them.
std::string equation(const std::vector<Node>& nodes, int at, char around, bool is_right) {
  const Node& node = nodes[static_cast<std::size_t>(at)];
  if (node.op == 0) return node.value.text();
  const std::string text = equation(nodes, node.left, node.op, false) + " " + node.op + " " +
                           equation(nodes, node.right, node.op, true);
  const bool is_sum = node.op == '+' || node.op == '-';
  const bool is_factor = around == '*' || around == '/';
  const bool needs =
      (is_sum && is_factor) || (is_right && (around == '/' || (is_sum && around == '-')));
  return needs ? "(" + text + ")" : text;
}

std::string step(const qed::Rational& a, char op, const qed::Rational& b,
                 const qed::Rational& value) {
  const auto operand = [](const qed::Rational& v) {
    return v.num() < 0 || !v.is_whole() ? "(" + v.text() + ")" : v.text();
  };
  return operand(a) + " " + op + " " + operand(b) + " = " + value.text();
}

Solution write(const std::vector<Node>& nodes) {
  Solution out;
  out.equation = equation(nodes, static_cast<int>(nodes.size()) - 1, 0, false);
  for (const Node& node : nodes) {
    if (node.op == 0) continue;
    (out.steps += out.steps.empty() ? "" : ", ") +=
        step(nodes[static_cast<std::size_t>(node.left)].value, node.op,
             nodes[static_cast<std::size_t>(node.right)].value, node.value);
  }
  if (out.steps.empty()) out.steps = out.equation;
  return out;
}

// Which of the numbers are subtracted.
std::optional<std::uint32_t> signs(std::span<const std::int64_t> nums, std::int64_t target) {
  if (nums.empty() || nums.size() > kMaxSigned) return std::nullopt;
  for (std::uint32_t minus = 0; minus < std::uint32_t{1} << nums.size(); ++minus) {
    Wide sum = 0;
    for (std::size_t i = 0; i < nums.size(); ++i) {
      sum += (minus >> i & 1) != 0 ? -Wide{nums[i]} : Wide{nums[i]};
    }
    if (sum == target) return minus;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Solution> solve(std::span<const std::int64_t> nums, std::int64_t target,
                              qed::Rng& rng) {
  if (nums.empty()) return std::nullopt;
  Search search(nums, target, rng);
  if (!search.run()) return std::nullopt;
  return write(search.nodes());
}

bool is_plus_minus_solvable(std::span<const std::int64_t> nums, std::int64_t target) {
  return signs(nums, target).has_value();
}

std::optional<Solution> solve_plus_minus(std::span<const std::int64_t> nums, std::int64_t target) {
  const auto minus = signs(nums, target);
  if (!minus) return std::nullopt;
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < nums.size(); ++i) {
    if ((*minus >> i & 1) == 0) order.push_back(nums[i]);
  }
  const std::size_t num_added = order.size();
  for (std::size_t i = 0; i < nums.size(); ++i) {
    if ((*minus >> i & 1) != 0) order.push_back(nums[i]);
  }
  if (num_added == 0) order[0] = -order[0];
  std::vector<Node> nodes;
  for (const std::int64_t v : order) nodes.push_back({.value = qed::Rational(v)});
  for (std::size_t i = 1; i < order.size(); ++i) {
    const char op = i < num_added ? '+' : '-';
    const int left = i == 1 ? 0 : static_cast<int>(nodes.size()) - 1;
    const auto& a = nodes[static_cast<std::size_t>(left)].value;
    nodes.push_back({apply(op, a, nodes[i].value), op, left, static_cast<int>(i)});
  }
  return write(nodes);
}

Attempt attempt(std::span<const std::int64_t> nums, qed::Rng& rng) {
  std::vector<qed::Rational> live;
  for (const std::int64_t v : nums) live.emplace_back(v);
  const auto take = [&] {
    const auto i =
        static_cast<std::ptrdiff_t>(rng.integer(0, static_cast<std::int64_t>(live.size()) - 1));
    const qed::Rational v = live[static_cast<std::size_t>(i)];
    live.erase(live.begin() + i);
    return v;
  };
  Attempt out;
  while (live.size() > 1) {
    qed::Rational a = take(), b = take();
    if (a < b) std::swap(a, b);
    char op = "++--**/"[rng.integer(0, 6)];
    if (op == '/' && !apply('/', a, b).is_whole()) op = '-';
    qed::Rational value = apply(op, a, b);
    if (!value.is_valid()) value = apply(op = '-', a, b);
    (out.steps += out.steps.empty() ? "" : ", ") += step(a, op, b, value);
    live.push_back(value);
  }
  out.value = live.empty() ? "" : live[0].text();
  if (out.steps.empty()) out.steps = out.value;
  return out;
}

}  // namespace countdown
