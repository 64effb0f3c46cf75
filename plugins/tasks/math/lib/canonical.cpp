// Canonical texts, and whether an expression has symbols.

#include "evaluate.h"

#include <algorithm>

namespace math {

namespace {

class Canonical {
 public:
  static constexpr std::size_t kMaxText = 1 << 15;

  Canonical(const Tree& tree, const Reading& reading, Budget& budget)
      : tree_(tree), reading_(reading), budget_(budget) {}

  std::string text(NodeId id) {
    if (!budget_.spend(4)) return unique(id);
    const Node& node = tree_[id];
    switch (node.kind) {
      case Kind::kNumber:
        return text_of(node.value);
      case Kind::kSymbol:
        return node.name;
      case Kind::kText:
        return "\"" + node.name + "\"";
      case Kind::kSum:
      case Kind::kProduct:
        return commutative(id);
      case Kind::kRelation:
        return joined(id, "rel" + std::to_string(static_cast<int>(node.relation)) + node.name);
      case Kind::kInterval:
        return joined(id, "interval" + std::to_string(node.flags));
      case Kind::kMatrix:
        return joined(id, "matrix" + std::to_string(node.columns));
      case Kind::kQuantity:
        return joined(id, "unit:" + node.name);
      case Kind::kCall:
        return joined(id, node.name);
      default:
        return joined(id, "#" + std::to_string(static_cast<int>(node.kind)));
    }
  }

 private:
  // A text that equals no other, for what is too large.
  static std::string unique(NodeId id) { return "?" + std::to_string(id); }

  // An exact value that takes little work.
  std::optional<Rational> small_exact(NodeId id) {
    Budget small(std::min<std::uint64_t>(budget_.left(), 200));
    const std::uint64_t before = small.left();
    auto out = exact_value(tree_, id, reading_, small);
    if (!budget_.spend(before - small.left())) return std::nullopt;
    return out;
  }

  std::string joined(NodeId id, std::string head) {
    if (tree_[id].kind == Kind::kPower || tree_[id].kind == Kind::kCall) {
      if (const auto value = small_exact(id)) return text_of(*value);
    }
    head += '(';
    for (const NodeId part : tree_.parts(id)) {
      if (head.back() != '(') head += ',';
      head += text(part);
      if (head.size() > kMaxText) return unique(id);
    }
    return budget_.spend(head.size() / 16) ? head + ")" : unique(id);
  }

  void flatten(NodeId id, Kind kind, std::vector<NodeId>& out) const {
    for (const NodeId part : tree_.parts(id)) {
      if (tree_[part].kind == kind) {
        flatten(part, kind, out);
      } else {
        out.push_back(part);
      }
    }
  }

  // The parts in order, with the numbers among them as one.
  std::string commutative(NodeId id) {
    const Kind kind = tree_[id].kind;
    const bool is_sum = kind == Kind::kSum;
    std::vector<NodeId> parts;
    flatten(id, kind, parts);
    std::optional<Rational> number = Rational{is_sum ? 0 : 1, 1};
    std::vector<std::string> texts;
    std::size_t size = 0;
    for (const NodeId part : parts) {
      const auto value = small_exact(part);
      const auto next =
          value && number ? (is_sum ? add : multiply)(*number, *value, budget_) : std::nullopt;
      if (next) {
        number = next;
        continue;
      }
      texts.push_back(text(part));
      size += texts.back().size();
      if (size > kMaxText || !budget_.spend(4)) return unique(id);
    }
    if (texts.empty()) return text_of(*number);
    const bool is_neutral = *number == Rational{is_sum ? 0 : 1, 1};
    if (is_neutral && texts.size() == 1) return texts[0];
    if (!is_neutral) texts.push_back(text_of(*number));
    std::ranges::sort(texts);
    std::string out = is_sum ? "+(" : "*(";
    for (const std::string& part : texts) {
      if (out.size() > 2) out += ',';
      out += part;
    }
    return budget_.spend(out.size() / 8) ? out + ")" : unique(id);
  }

  const Tree& tree_;
  const Reading& reading_;
  Budget& budget_;
};

}  // namespace

std::string canonical_text(const Tree& tree, NodeId id, const Reading& reading, Budget& budget) {
  return Canonical(tree, reading, budget).text(id);
}

bool is_constant_name(std::string_view name) { return name == "pi" || name == "e" || name == "i"; }

bool has_symbols(const Tree& tree, NodeId id) {
  if (tree[id].kind == Kind::kSymbol) return !is_constant_name(tree[id].name);
  return std::ranges::any_of(tree.parts(id), [&](NodeId part) { return has_symbols(tree, part); });
}

}  // namespace math
