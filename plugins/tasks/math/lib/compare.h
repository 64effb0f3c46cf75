#pragma once

// Whether two answers are the same.

#include "evaluate.h"
#include "policy.h"

namespace math {

// Shape by shape: sets as sets, tuples in order, equations and inequalities up to a factor,
// formulas as functions of their symbols. Symmetric but for what the policy says of gold answers.
// kUnknown where the budget ends first, or where no proof is found either way.
class Comparer {
 public:
  Comparer(Tree& tree, const Policy& policy, Budget& budget)
      : tree_(tree), policy_(policy), budget_(budget) {
    reading_.percent_is_fraction = policy.percent == Percent::kFraction;
  }

  Equality compare(NodeId gold, NodeId pred);

 private:
  static constexpr int kMaxDepth = 40;

  // compare.cpp
  Equality compare_stripped(NodeId gold, NodeId pred);
  Equality quantities(NodeId gold, NodeId pred);
  bool has_false_step(NodeId id);
  Equality texts(NodeId a, NodeId b);
  Equality matrices(NodeId a, NodeId b);
  Equality ratios(NodeId a, NodeId b);
  Equality in_order(NodeId a, NodeId b);

  // compare_sets.cpp
  Equality collections(NodeId gold, NodeId pred);
  Equality matched(const std::vector<NodeId>& a, const std::vector<NodeId>& b, bool as_sets);
  Equality unions(NodeId gold, NodeId pred);
  Equality intervals(NodeId a, NodeId b);

  // compare_relations.cpp
  Equality relations(NodeId gold, NodeId pred);
  Equality one_relation(NodeId gold, NodeId pred);

  // compare_values.cpp
  Equality values(NodeId gold, NodeId pred);
  Equality close(NodeId a, NodeId b, const Reading& reading);
  Equality same_value(NodeId a, NodeId b, const Reading& reading);

  Tree& tree_;
  const Policy& policy_;
  Budget& budget_;
  Reading reading_;
  int depth_ = 0;
};

}  // namespace math
