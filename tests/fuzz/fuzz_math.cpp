// fuzz_math PART [--inputs N] [--seed N]: random texts for one part of the maths library,
// `extract`, `parse` or `compare`. Prints the first input that breaks what must hold for all.

#include "core/util/error.h"
#include "extract.h"
#include "parser.h"
#include "tests/fuzz/families.h"
#include "tests/fuzz/inputs.h"
#include "verify.h"

#include <iostream>

namespace qed::fuzz {
namespace {

using math::Equality;

const FuzzItem& item_of(const Family& family, Mutator& random) {
  return family.items[random.below(family.items.size())];
}

// An answer without a frame.
std::string answer(const Family& family, Mutator& random) {
  const FuzzItem& item = item_of(family, random);
  std::string out = random.one_in(3) ? item.right : random.pick(item.words);
  for (std::uint64_t n = random.below(4); n > 0; --n) {
    const FuzzItem& other = item_of(family, random);
    (out += random.pick(family.grammar.joiners)) +=
        random.one_in(2) ? random.pick(other.words) : random.number();
  }
  return random.one_in(3) ? out : random.damaged(std::move(out));
}

// What does not hold for an input, or nothing.
struct Finding {
  std::string problem, input;
};

std::string problem_of(const std::vector<math::Candidate>& found, const std::string& text) {
  for (const math::Candidate& c : found) {
    if (c.begin > c.end || c.end > text.size()) return "a candidate stands outside of its text";
    if (c.text.size() > 2 * text.size() + 16) return "a candidate is longer than its text";
  }
  return "";
}

Finding extract(const Family& family, Mutator& random) {
  const FuzzItem& item = item_of(family, random);
  const std::string text = random.completion(item.right, item.wrong, item.words);
  const math::Policy& policy = math::presets()[random.below(math::presets().size())];
  for (const auto& found :
       {math::find_answers(text, policy), math::find_gold(text, policy),
        policy.rule == math::Rule::kTree ? math::find_gold_in_prose(text, policy)
                                         : std::vector<math::Candidate>()}) {
    if (std::string why = problem_of(found, text); !why.empty()) return {std::move(why), text};
  }
  return {};
}

Finding parse(const Family& family, Mutator& random) {
  const std::string text = answer(family, random);
  const math::LexOptions options{.plain = random.one_in(4), .decimal_comma = random.one_in(4)};
  math::Tree tree, again;
  const auto id = math::parse(text, options, tree);
  if (id != math::parse(text, options, again) || tree.size() != again.size()) {
    return {"read again it is another tree", text};
  }
  if (!id) return {};
  if (*id >= tree.size()) return {"the root is no node", text};
  for (math::NodeId node = 0; node < tree.size(); ++node) {
    for (const math::NodeId part : tree.parts(node)) {
      if (part >= node) return {"a node has a part that is not older", text};
    }
    if (tree[node].value.den.sign() <= 0) return {"a fraction's denominator is not positive", text};
  }
  return {};
}

Finding compare(const Family& family, Mutator& random) {
  const std::string gold = answer(family, random);
  const std::string other = random.one_in(2) ? answer(family, random) : random.damaged(gold);
  const std::string input = gold + "\n  and      " + other;
  const math::Policy& policy = math::presets()[random.below(math::presets().size())];
  const std::uint64_t operations = random.one_in(8) ? random.below(3000) : math::Budget::kDefault;
  const auto verdict = math::compare_answers(gold, other, policy, operations);
  if (math::compare_answers(gold, gold, policy, operations).equality != Equality::kEqual) {
    return {"an answer is not equal to itself", gold};
  }
  if (policy.name != "strict") return {};
  const auto turned = math::compare_answers(other, gold, policy, operations);
  const bool contradicts =
      (verdict.reason == math::Reason::kSame && turned.reason == math::Reason::kDifferent) ||
      (verdict.reason == math::Reason::kDifferent && turned.reason == math::Reason::kSame);
  return contradicts ? Finding{"turned round it has the other verdict", input} : Finding{};
}

using Part = std::string (*)(std::uint64_t seed);

// The problem with an input of one part, and the input.
template <Finding (*part)(const Family&, Mutator&)>
std::string problem_of_input(std::uint64_t seed) {
  static const Family family = math_family();
  Mutator random(family.grammar);
  random.seed(seed);
  const Finding found = part(family, random);
  return found.problem.empty() ? "" : found.problem + ": " + found.input;
}

Part part_of(const std::string& name) {
  constexpr std::pair<std::string_view, Part> kParts[] = {{"extract", problem_of_input<extract>},
                                                          {"parse", problem_of_input<parse>},
                                                          {"compare", problem_of_input<compare>}};
  for (const auto& [part, run] : kParts) {
    if (part == name) return run;
  }
  return nullptr;
}

}  // namespace
}  // namespace qed::fuzz

int main(int argc, char** argv) {
  const auto part = qed::fuzz::part_of(argc > 1 ? argv[1] : "");
  if (part == nullptr) {
    std::cerr << "fuzz_math: say which part: extract, parse or compare\n";
    return qed::kExitUsage;
  }
  return qed::fuzz::fuzz_inputs({argv + 2, argv + argc}, part);
}
