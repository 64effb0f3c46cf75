#include "core/host/reward.h"

#include "core/host/call_plugin.h"
#include "core/host/sample_batch.h"

#include <cmath>
#include <deque>
#include <limits>

namespace qed {

// The samples of one Reward::score, and what the plugin writes for them. Not moved.
struct Reward::Batch {
  Batch(std::span<const ScoredView> views, bool has_tokens)
      : samples(views.size()), notes(views.size()), tokens(views.size()), terms(views.size()) {
    scored.reserve(views.size());
    for (std::size_t i = 0; i < views.size(); ++i) {
      const ScoredView& view = views[i];
      QED_CHECK(view.terms.size() == view.term_names.size(), view.terms.size());
      samples.add(*view.sample);
      scored.push_back({sizeof(qed_scored),
                        view.verdict,
                        samples.sample(i),
                        view.reward,
                        names_of(view.term_names),
                        {view.terms.data(), view.terms.size()}});
      if (has_tokens) tokens[i].resize(view.sample->tokens.size());
    }
  }

  // As abi.h says: what the plugin leaves out is a failure.
  void reset(std::size_t i) {
    std::ranges::fill(tokens[i], 0.0f);
    notes[i].text().clear();
    terms[i] = {.size = sizeof(qed_term),
                .status = QED_INTERNAL,
                .value = std::numeric_limits<double>::quiet_NaN(),
                .applies = 1,
                .reserved = 0,
                .tokens = {tokens[i].empty() ? nullptr : tokens[i].data(), tokens[i].size()},
                .note = notes[i].abi()};
  }

  void fail(std::size_t i, std::int32_t status, const std::string& why) {
    reset(i);
    terms[i].status = status;
    notes[i].text() = why;
  }

  // After a call: OK must come with a finite value and finite rewards of tokens.
  void check(std::size_t i, const PluginCall& call) {
    const qed_term& term = terms[i];
    if (term.status == QED_PENDING) return;
    if (term.status != QED_OK) {
      const std::string note = notes[i].text();
      return fail(i, term.status, note.empty() ? call.message(term.status) : note);
    }
    if (!std::isfinite(term.value)) {
      return fail(i, QED_INTERNAL, cat("the reward gave the value ", term.value));
    }
    const auto bad = std::ranges::find_if_not(tokens[i], [](float x) { return std::isfinite(x); });
    if (bad == tokens[i].end()) return;
    fail(i, QED_INTERNAL, cat("the reward gave ", *bad, " for token ", bad - tokens[i].begin()));
  }

  RewardScore take(std::size_t i) {
    return {terms[i].status, terms[i].value, terms[i].applies != 0, std::move(tokens[i]),
            to_utf8(notes[i].text())};
  }

  SampleBatch samples;
  std::vector<NoteSink> notes;
  std::vector<std::vector<float>> tokens;
  std::vector<qed_scored> scored;
  std::vector<qed_term> terms;

 private:
  // The samples of a task share one list of names; it is translated once.
  qed_strs names_of(std::span<const std::string> list) {
    if (lists_.empty() || list.data() != last_) {
      auto& names = lists_.emplace_back();
      for (const std::string& name : list) names.push_back(to_abi(name));
      last_ = list.data();
    }
    return {lists_.back().data(), lists_.back().size()};
  }

  std::deque<std::vector<qed_str>> lists_;
  const std::string* last_ = nullptr;
};

Reward::Reward(const Component& component, const std::string& options, const qed_host* host,
               double timeout_s)
    : component_(component),
      table_(static_cast<const qed_reward*>(component.abi->vtable)),
      self_(create_object(component, table_->object, options, host)),
      lock_(component),
      watch_(component, "score", timeout_s) {}

Reward::~Reward() { table_->object.destroy(self_); }

const std::string& Reward::name() const { return component_.spec.name; }

void Reward::ask(Batch& batch, std::span<const std::size_t> indices, std::uint64_t seed) const {
  std::vector<const qed_scored*> scored;
  std::vector<qed_term*> terms;
  for (const std::size_t i : indices) {
    batch.reset(i);
    scored.push_back(&batch.scored[i]);
    terms.push_back(&batch.terms[i]);
  }
  PluginCall call(seed);
  std::int32_t status = QED_OK;
  {
    const auto lock = lock_.hold();
    const CallWatch::Scope scope(watch_, call);
    status = call_plugin(component_, "score", [&] {
      return table_->score(self_, call.abi(), scored.data(), terms.data(), indices.size());
    });
  }
  for (const std::size_t i : indices) {
    if (status != QED_OK) batch.terms[i].status = status, batch.notes[i].text().clear();
    batch.check(i, call);
  }
}

std::vector<RewardScore> Reward::score(std::span<const ScoredView> samples,
                                       std::uint64_t seed) const {
  Batch batch(samples, has_token_rewards());
  ask_until_scored(
      samples.size(), by_group(), watch_.timeout_s(),
      [&](std::span<const std::size_t> indices) { ask(batch, indices, seed); },
      [&](std::size_t i) { return batch.terms[i].status == QED_PENDING; },
      [&](std::size_t i) {
        batch.fail(i, QED_DEADLINE, cat("the reward gave no value in ", watch_.timeout_s(), " s"));
      });
  std::vector<RewardScore> out;
  for (std::size_t i = 0; i < samples.size(); ++i) out.push_back(batch.take(i));
  return out;
}

}  // namespace qed
