// Tests of a reward term: whatever a completion looks like, it gets a value, and the same one.

#include "core/check/exercise.h"
#include "core/check/odd_texts.h"
#include "core/check/registry.h"
#include "core/host/plugin_call.h"

#include <algorithm>
#include <cmath>

namespace qed::check {
namespace {

constexpr std::size_t kGroup = 4;  // of scored_corpus

std::string term_problem(const TermData& t) {
  if (!t.is_ok()) return cat("status ", t.status, ", `", shown(t.note), "`");
  if (t.applies > 1) return cat("applies = ", t.applies);
  if (!std::isfinite(t.value)) return cat("status OK and the value ", t.value);
  for (const float token : t.tokens) {
    if (!std::isfinite(token)) return cat("status OK and a token with the reward ", token);
  }
  return is_utf8(t.note) ? "" : "a note that is not UTF-8";
}

std::vector<TermData> score(const Object& object, std::span<const ScoredData> samples) {
  return RewardCaller(object).score(samples).get("score");
}

std::string lines(const std::vector<TermData>& terms) {
  std::string out;
  for (std::size_t i = 0; i < terms.size(); ++i)
    out += cat("sample ", i, ": ", line(terms[i]), "\n");
  return out;
}

void check_terms(const Object& object, std::span<const ScoredData> samples, std::string_view what) {
  const auto terms = score(object, samples);
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const std::string problem = term_problem(terms[i]);
    expect(problem.empty(), what, ", `", shown(samples[i].sample.text), "`, gets ", problem);
  }
}

void check_score(const Subject& s) {
  const Object object(s);
  std::vector<ScoredData> samples = scored_corpus();
  check_terms(object, samples, "an ordinary completion");
  check_terms(object, std::span(samples).first(kGroup), "a completion of a single group");
  check_terms(object, std::span(samples).first(1), "a completion that is a group of one");
  for (ScoredData& sample : samples) sample.reward = 0, sample.verdict = QED_VERDICT_NONE;
  check_terms(object, samples, "a completion without a verdict");
  for (ScoredData& sample : samples) sample.sample.max_new_tokens = 0;
  for (const TermData& term : score(object, samples)) {  // a term that needs it may refuse
    expect(!term.note.empty() || term_problem(term).empty(),
           "a completion whose budget is not known gets ", term_problem(term));
  }
}

void check_pure(const Subject& s) {
  const Object object(s), other(s);
  const std::vector<ScoredData> samples = scored_corpus();
  const std::string expected = lines(score(object, samples));
  expect_same(expected, lines(score(object, samples)), "scored again");
  expect_same(expected, lines(score(other, samples)), "scored by another object");
}

void check_odd_text(const Subject& s) {
  const Object object(s);
  for (const OddText& odd : odd_texts()) {
    ScoredData scored = scored_corpus().front();
    scored.sample.text = odd.text;
    scored.sample.tokens = tokens_of(odd.text, QED_FINISH_STOP);
    const TermData term = score(object, {&scored, 1}).front();
    expect(term_problem(term).empty(), "a completion of ", odd.name, " gets ", term_problem(term));
  }
}

void require_invariance(const Subject& s) {
  if (!s.has_flag(QED_BATCH_INVARIANT)) throw Skipped{"it is not QED_BATCH_INVARIANT"};
}

void check_batch(const Subject& s) {
  require_invariance(s);
  const Object object(s);
  const std::vector<ScoredData> samples = scored_corpus();
  const std::string expected = lines(score(object, samples));
  const std::size_t unit = s.has_flag(QED_WHOLE_GROUPS) ? kGroup : 1;
  for (const std::size_t size : {unit, 3 * unit}) {
    std::vector<TermData> terms;
    for (std::size_t i = 0; i < samples.size(); i += size) {
      const auto part = std::span(samples).subspan(i, std::min(size, samples.size() - i));
      for (TermData& term : score(object, part)) terms.push_back(std::move(term));
    }
    expect_same(expected, lines(terms), cat("in batches of ", size, " instead of 16"));
  }
}

// Groups in reverse order where they must stay whole, else samples.
void check_order(const Subject& s) {
  require_invariance(s);
  const Object object(s);
  const std::vector<ScoredData> samples = scored_corpus();
  const std::size_t unit = s.has_flag(QED_WHOLE_GROUPS) ? kGroup : 1;
  const auto reversed = [&](const auto& list) {
    auto out = list;
    for (std::size_t i = 0; i < list.size(); ++i) {
      out[i] = list[list.size() - unit * (i / unit + 1) + i % unit];
    }
    return out;
  };
  expect_same(lines(score(object, samples)), lines(reversed(score(object, reversed(samples)))),
              "in reverse order");
}

void check_tokens(const Subject& s) {
  if (!s.has_flag(QED_TOKEN_REWARDS)) throw Skipped{"it is not QED_TOKEN_REWARDS"};
  const Object object(s);
  std::vector<ScoredData> samples = scored_corpus();
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i].sample.tokens.resize(i / 4);
  check_terms(object, samples, "a completion of few tokens");
}

constexpr Test kTests[] = {
    {"reward.score", Level::kMust, "reward", "ordinary completions get finite values",
     &check_score},
    {"reward.pure", Level::kMust, "reward", "a value does not depend on what was scored before",
     &check_pure},
    {"reward.odd_text", Level::kMust, "reward", "no text crashes or stalls the term",
     &check_odd_text},
    {"reward.batch", Level::kMust, "reward", "the size of a batch does not matter", &check_batch},
    {"reward.order", Level::kMust, "reward", "the order of a batch does not matter", &check_order},
    {"reward.tokens", Level::kMust, "reward", "rewards per token fit completions of any length",
     &check_tokens},
};

}  // namespace

std::span<const Test> reward_tests() { return kTests; }

}  // namespace qed::check
