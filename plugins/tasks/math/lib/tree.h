#pragma once

// Answers as trees.

#include "rational.h"

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace math {

enum class Kind : std::uint8_t {
  kNumber,        // value; places: digits after the point where it is written as a decimal
  kSymbol,        // name: "x", "alpha", "a_{1}"; "pi", "e", "i", "inf", "reals", "empty"
  kSum,           // of its parts
  kProduct,       // of its parts
  kPower,         // base, exponent
  kCall,          // name of the function, its arguments
  kPlusMinus,     // x, y: x + y and x - y
  kTuple,         // ( , ): also an open interval where there are two
  kList,          // a, b and c without brackets, or several answers
  kSet,           // { , }
  kInterval,      // low, high; flag kOpenLow, kOpenHigh
  kUnion,         // of its parts
  kIntersection,  // of its parts
  kDifference,    // the first without the second
  kRelation,      // left, right; relation
  kChain,         // relations that all hold, or several of them
  kRatio,         // a : b : c
  kMatrix,        // entries by rows; columns
  kQuantity,      // one value; name of the unit
  kText,          // name
};

enum class Relation : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kApprox,
  kOther,  // name: equality only as written
};

using NodeId = std::uint32_t;

inline constexpr std::uint8_t kOpenLow = 1, kOpenHigh = 2;

struct Node {
  Kind kind = Kind::kNumber;
  std::uint8_t flags = 0;  // of an interval
  Relation relation = Relation::kEqual;
  std::int16_t places = -1;   // of a decimal number as written; -1: exact
  std::uint16_t columns = 0;  // of a matrix
  std::uint16_t depth = 0;    // of the nodes below
  std::uint32_t first = 0, count = 0;
  Rational value = {};
  std::string name = {};
};

// Nodes that point to older nodes. One tree holds both sides of a comparison. Not for threads.
class Tree {
 public:
  Tree() {
    nodes_.reserve(32);
    parts_.reserve(64);
  }

  // The most nodes, and the most below each other: what needs more is not read.
  static constexpr std::size_t kMaxNodes = 20'000, kMaxDepth = 250;

  NodeId add(Node node, std::span<const NodeId> parts = {});
  NodeId add(Node node, std::initializer_list<NodeId> parts) {
    return add(std::move(node), std::span(parts.begin(), parts.size()));
  }
  NodeId number(Rational value, int places = -1);
  NodeId symbol(std::string_view name) {
    return add({.kind = Kind::kSymbol, .name = std::string(name)});
  }
  NodeId call(std::string_view name, std::initializer_list<NodeId> arguments) {
    return add({.kind = Kind::kCall, .name = std::string(name)}, arguments);
  }
  NodeId negative(NodeId x);
  NodeId inverse(NodeId x);
  NodeId quotient(NodeId x, NodeId y);
  NodeId difference(NodeId x, NodeId y);

  const Node& operator[](NodeId id) const { return nodes_[id]; }
  Node& at(NodeId id) { return nodes_[id]; }
  std::span<const NodeId> parts(NodeId id) const {
    return {parts_.data() + nodes_[id].first, nodes_[id].count};
  }
  NodeId part(NodeId id, std::size_t i) const { return parts_[nodes_[id].first + i]; }
  std::size_t size() const { return nodes_.size(); }
  bool is_full() const { return nodes_.size() >= kMaxNodes || depth_ > kMaxDepth; }

 private:
  std::vector<Node> nodes_;
  std::vector<NodeId> parts_;
  std::size_t depth_ = 0;  // of the deepest node
};

}  // namespace math
