#include "verify.h"

#include "compare.h"
#include "extract.h"
#include "parser.h"
#include "rules.h"

#include <optional>
#include <utility>
#include <vector>

namespace math {

namespace {

// Of a command that does not matter for answers that are no expressions; 0: it may.
std::size_t skipped_width(std::string_view text) {
  for (const std::string_view word : {"\\left", "\\right", "\\!", "\\,", "\\;", "\\text", "\\ "}) {
    if (text.starts_with(word)) return word.size();
  }
  return 0;
}

// The text without what does not matter for answers that are no expressions.
std::string normal_text(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      const std::size_t width = skipped_width(text.substr(i));
      i += width > 0 ? width - 1 : 0;
      if (width > 0) continue;
    }
    if (c == ' ' || c == '\n' || c == '\t' || c == '$' || c == '{' || c == '}') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  while (out.ends_with('.')) out.pop_back();
  return out;
}

std::optional<NodeId> read(const Candidate& candidate, Tree& tree) {
  if (candidate.is_words) return std::nullopt;
  if (candidate.is_plain) {
    if (const auto id = parse(candidate.text, {.plain = true, .decimal_comma = true}, tree)) {
      return id;
    }
  }
  return parse(candidate.text, {}, tree);
}

struct Outcome {
  Equality equality;
  Reason reason;
};

Outcome outcome_of(Equality equality, const Budget& budget) {
  switch (equality) {
    case Equality::kEqual:
      return {equality, Reason::kSame};
    case Equality::kDifferent:
      return {equality, Reason::kDifferent};
    default:
      return {equality, budget.is_spent() ? Reason::kTooMuchWork : Reason::kUndecided};
  }
}

Outcome compare_texts(std::string_view gold, std::string_view answer, bool has_gold) {
  if (gold.size() > kWindow || answer.size() > kWindow) {
    return has_gold ? Outcome{Equality::kDifferent, Reason::kUnreadAnswer}
                    : Outcome{Equality::kUnknown, Reason::kUnreadGold};
  }
  const std::string a = normal_text(gold);
  if (!a.empty() && a == normal_text(answer)) return {Equality::kEqual, Reason::kSame};
  if (!has_gold) return {Equality::kUnknown, Reason::kUnreadGold};
  return {Equality::kDifferent, Reason::kUnreadAnswer};
}

// The first that can be read; else the first.
std::pair<std::optional<NodeId>, const Candidate*> first_read(const std::vector<Candidate>& from,
                                                              Tree& tree) {
  for (const Candidate& candidate : from) {
    if (const auto id = read(candidate, tree)) return {id, &candidate};
  }
  return {std::nullopt, &from.front()};
}

// Whether a later verdict on another gold answer says more.
bool is_better(const Outcome& next, const Outcome& best) {
  const auto rank = [](Equality e) {
    return e == Equality::kEqual ? 2 : e == Equality::kUnknown ? 1 : 0;
  };
  return rank(next.equality) > rank(best.equality);
}

// A gold answer as it may be read. In `prose` there may be more, which is looked for only when
// none of these can be read.
struct Gold {
  std::vector<Candidate> found;
  std::string_view prose = {};

  Gold(std::vector<Candidate> bare) : found(std::move(bare)) {}
  Gold(std::string_view text, const Policy& policy) : found(find_gold(text, policy)) {
    if (policy.rule != Rule::kTree) return;
    if (found.empty()) {
      found = find_gold_in_prose(text, policy);
    } else {
      prose = text;
    }
  }

  std::pair<std::optional<NodeId>, const Candidate*> read(const Policy& policy, Tree& tree) {
    const auto first = first_read(found, tree);
    if (first.first || prose.empty()) return first;
    for (Candidate& more : find_gold_in_prose(prose, policy)) {
      const auto id = math::read(more, tree);
      if (!id) continue;
      found.push_back(std::move(more));
      return {id, &found.back()};
    }
    return {std::nullopt, &found.front()};
  }
};

Outcome compare_one(Gold gold_texts, const std::vector<Candidate>& answers, const Policy& policy,
                    std::uint64_t operations, const Candidate*& used) {
  const std::vector<Candidate>& golds = gold_texts.found;
  used = &answers.front();
  if (golds.empty()) return {Equality::kUnknown, Reason::kUnreadGold};
  if (policy.rule != Rule::kTree) {
    const bool is_same = same_by_rule(policy.rule, golds.front().text, used->text);
    return {is_same ? Equality::kEqual : Equality::kDifferent,
            is_same ? Reason::kSame : Reason::kDifferent};
  }
  if (golds.front().text == used->text) return {Equality::kEqual, Reason::kSame};
  Tree tree;
  Budget budget(operations);
  const auto [gold, gold_text] = gold_texts.read(policy, tree);
  const auto [answer, answer_text] = first_read(answers, tree);
  used = answer_text;
  if (!gold || !answer) {
    return compare_texts(gold_text->text, answer_text->text, gold.has_value());
  }
  const Equality equality = Comparer(tree, policy, budget).compare(*gold, *answer);
  if (equality != Equality::kEqual && !policy.units_count &&
      compare_texts(gold_text->text, answer_text->text, true).equality == Equality::kEqual) {
    return {Equality::kEqual, Reason::kSame};
  }
  return outcome_of(equality, budget);
}

bool can_read(std::span<const std::string_view> golds, const Policy& policy) {
  if (policy.rule != Rule::kTree) return true;
  for (const std::string_view gold : golds) {
    Tree tree;
    Gold texts(gold, policy);
    if (!texts.found.empty() && texts.read(policy, tree).first) return true;
  }
  return false;
}

}  // namespace

std::string_view text_of(Reason reason) {
  switch (reason) {
    case Reason::kSame:
      return "equal";
    case Reason::kDifferent:
      return "different";
    case Reason::kNoAnswer:
      return "no answer found";
    case Reason::kUnreadAnswer:
      return "the answer is no expression";
    case Reason::kUnreadGold:
      return "the gold answer is no expression";
    case Reason::kUndecided:
      return "undecided";
    case Reason::kTooMuchWork:
      return "too much work";
  }
  return "";
}

Verdict verify(std::span<const std::string_view> golds, std::string_view completion,
               const Policy& policy, std::uint64_t operations) {
  Verdict out{.equality = Equality::kDifferent, .reason = Reason::kNoAnswer};
  const std::vector<Candidate> answers = find_answers(completion, policy);
  if (answers.empty()) {
    if (!can_read(golds, policy)) {
      out.equality = Equality::kUnknown;
      out.reason = Reason::kUnreadGold;
    }
    return out;
  }
  Outcome best{Equality::kDifferent, Reason::kDifferent};
  const Candidate* used = &answers.front();
  for (std::size_t i = 0; i < golds.size(); ++i) {
    const Candidate* candidate = nullptr;
    const Outcome next =
        compare_one(Gold(golds[i], policy), answers, policy, operations, candidate);
    if (i == 0 || is_better(next, best)) {
      best = next;
      out.gold = i;
      used = candidate;
    }
    if (best.equality == Equality::kEqual) break;
  }
  out.equality = best.equality;
  out.reason = best.reason;
  out.answer = used->text;
  out.begin = used->begin;
  out.end = used->end;
  return out;
}

Verdict compare_answers(std::string_view gold, std::string_view answer, const Policy& policy,
                        std::uint64_t operations) {
  const auto bare = [](std::string_view text) {
    return std::vector<Candidate>{{.text = std::string(text), .end = text.size()}};
  };
  const Candidate* used = nullptr;
  const std::vector<Candidate> answers = bare(answer);
  const Outcome outcome = compare_one(Gold(bare(gold)), answers, policy, operations, used);
  return {.equality = outcome.equality,
          .reason = outcome.reason,
          .answer = std::string(answer),
          .end = answer.size()};
}

}  // namespace math
