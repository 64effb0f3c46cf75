#include "core/run/scored_groups.h"

#include "core/reward/group_scoring.h"
#include "core/util/clock.h"
#include "core/util/error.h"

#include "qed/abi.h"
#include "qed/philox.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace qed {

namespace {

// What scoring needs of a group. Copied out of the generation, which may fail and be gone first.
struct FinishedGroup {
  std::vector<Completion> completions;
  std::size_t num_left;
};

Completion essence(const Completion& c) {
  Completion out;
  out.tokens = c.tokens;
  out.finish = c.finish;
  out.match = c.match;
  return out;
}

Scores score_group(const Scorer& scorer, const RenderedPrompt& prompt, std::uint64_t number,
                   std::span<const Completion> completions, std::span<const std::string> texts,
                   std::uint64_t seed) {
  std::vector<SampleView> samples;
  for (std::size_t s = 0; s < completions.size(); ++s) {
    samples.push_back({&prompt.item, prompt.text, prompt.prefill, texts[s], completions[s].tokens,
                       completions[s].finish, number, s,
                       static_cast<std::uint64_t>(prompt.max_new_tokens)});
  }
  return scorer.score(samples, seed);
}

template <class T>
void keep_only(std::vector<T>& values, std::span<const std::size_t> kept) {
  std::vector<T> out;
  out.reserve(kept.size());
  for (const std::size_t i : kept) out.push_back(std::move(values[i]));
  values = std::move(out);
}

template <class T>
void move_behind(std::vector<T>& to, std::vector<T>& from) {
  std::ranges::move(from, std::back_inserter(to));
}

}  // namespace

GenerateRequest request_of(const RenderedPrompt& prompt) {
  return {prompt.tokens, {}, prompt.max_new_tokens, 0, prompt.stop, prompt.text};
}

void complete(Transformer& model, const Tokenizer& tokenizer,
              std::span<const Scorer* const> scorers, const GenerateOptions& options,
              std::uint64_t verify_seed, ScoredGroups& g) {
  Stopwatch watch;
  const std::size_t n = g.prompts.size();
  QED_CHECK(g.requests.size() == n && scorers.size() == n, n);
  std::vector<std::vector<std::string>> texts(n);
  std::vector<FinishedGroup> finished(n);
  std::vector<double> score_s(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t size = g.requests[i].samples.size();
    finished[i] = {std::vector<Completion>(size), size};
    texts[i].resize(size);
  }
  const auto score = [&](std::size_t i) {
    const RenderedPrompt& p = g.prompts[i];
    const auto& completions = finished[i].completions;
    for (std::size_t s = 0; s < completions.size(); ++s) {
      texts[i][s] = completion_text(tokenizer, completions[s], p.stop, p.decode);
    }
    const std::uint64_t seed = KeyHash().add(verify_seed).add(p.item.key).value();
    const Stopwatch scoring;
    Scores scores = score_group(*scorers[i], p, i, completions, texts[i], seed);
    score_s[i] = scoring.seconds();
    return scores;
  };
  GroupScoring scoring(n);  // ends before what its jobs read
  GenerateOptions generating = options;
  generating.on_token = [&](std::size_t i, std::size_t s, const Completion& c) {
    if (options.on_token) options.on_token(i, s, c);
    if (c.finish == 0) return;
    finished[i].completions[s] = essence(c);
    if (--finished[i].num_left == 0) scoring.submit(i, [&score, i] { return score(i); });
  };
  g.completions = generate(model, g.requests, generating);
  g.gen_s += watch.lap();

  auto scores = scoring.finish();
  std::vector<std::size_t> done;
  for (std::size_t i = 0; i < n; ++i) {
    if (!scores[i]) continue;  // cancelled
    done.push_back(i);
    g.score_s.push_back(score_s[i]);
    move_behind(g.texts, texts[i]);
    g.scored.append(std::move(*scores[i]));
  }
  if (done.size() < n) {
    keep_only(g.prompts, done);
    keep_only(g.requests, done);
    keep_only(g.completions, done);
  }
  g.reward_s += watch.lap();
}

void append(ScoredGroups& to, ScoredGroups&& more) {
  move_behind(to.prompts, more.prompts);
  move_behind(to.requests, more.requests);
  move_behind(to.completions, more.completions);
  move_behind(to.texts, more.texts);
  move_behind(to.score_s, more.score_s);
  to.scored.append(std::move(more.scored));
  to.gen_s += more.gen_s;
  to.reward_s += more.reward_s;
}

void keep_groups(ScoredGroups& g, std::span<const std::size_t> kept) {
  std::vector<std::size_t> rows;  // of the completions that stay
  std::size_t first = 0, next = 0;
  for (std::size_t i = 0; i < g.completions.size(); ++i) {
    const std::size_t size = g.completions[i].size();
    if (next < kept.size() && kept[next] == i) {
      for (std::size_t s = 0; s < size; ++s) rows.push_back(first + s);
      ++next;
    }
    first += size;
  }
  keep_only(g.prompts, kept);
  keep_only(g.requests, kept);
  keep_only(g.completions, kept);
  keep_only(g.score_s, kept);
  keep_only(g.texts, rows);
  keep_only(g.scored.scores, rows);
  for (TokenStream& stream : g.scored.streams) keep_only(stream.rewards, rows);
  g.scored.num_failed =
      std::ranges::count_if(g.scored.scores, [](const Score& s) { return s.status != QED_OK; });
}

}  // namespace qed
