#pragma once

// Generation against scoring: many completions of a small model, whose recorded log-probs must be
// those of one packed forward, to the bit.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/rollout/generate.h"
#include "core/train/packing.h"
#include "tests/model/model_fixture.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/index_select.h>

namespace qed {

inline bool operator==(const Completion& a, const Completion& b) {
  return a.tokens == b.tokens && a.behavior_logp == b.behavior_logp && a.logp == b.logp &&
         a.support_size == b.support_size && a.support == b.support &&
         a.inv_temperature == b.inv_temperature && a.finish == b.finish;
}

inline ModelConfig scoring_config() {
  ModelConfig c = tiny_config();
  c.vocab_size = 300;
  c.hidden_size = 48;
  c.intermediate_size = 72;
  c.max_position_embeddings = 256;
  return c;
}

class Scoring {
 public:
  using Completions = std::vector<std::vector<Completion>>;

  Scoring(std::size_t num_requests, std::int64_t samples, std::int64_t max_new_tokens, Dtype dtype)
      : model_(scoring_config(), {.dtype = dtype, .is_trainable = dtype == Dtype::kFloat32}) {
    randomise(model_.weights(), 5);
    Rng rng(6);
    for (std::size_t r = 0; r < num_requests; ++r) {
      GenerateRequest& request = requests_.emplace_back();
      request.prompt.resize(rng.integer(1, 70));
      for (auto& id : request.prompt) id = static_cast<std::int32_t>(rng.integer(0, 299));
      for (std::int64_t s = 0; s < samples; ++s) {
        request.samples.push_back({&plans_[rng.integer(0, plans_.size() - 1)], rng.next()});
      }
      request.max_new_tokens = 1 + static_cast<std::int64_t>(rng.integer(0, max_new_tokens - 1));
      request.min_new_tokens = static_cast<std::int64_t>(rng.integer(0, 3));
    }
  }

  std::span<const GenerateRequest> requests() const { return requests_; }
  Completions generate(const ScheduleOptions& schedule) {
    return qed::generate(model_, requests_, {.stop_ids = stop_ids_, .schedule = schedule});
  }

  // Compares what was recorded with packed forwards. Returns the tokens compared.
  std::size_t check(const Completions& all) {
    std::size_t num_tokens = 0;
    for (std::size_t begin = 0; begin < all.size(); begin += 64) {
      std::vector<Sequence> sequences;
      std::vector<std::pair<std::size_t, std::size_t>> of;
      for (std::size_t r = begin; r < std::min(all.size(), begin + 64); ++r) {
        for (std::size_t s = 0; s < all[r].size(); ++s) {
          sequences.push_back({requests_[r].prompt, all[r][s].tokens});
          of.emplace_back(r, s);
        }
      }
      const at::NoGradGuard no_grad;
      const Packed p = pack(sequences);
      const at::Tensor h =
          at::index_select(model_.forward(p.id, p.position, {.offset = p.offset}), 0, p.row);
      const at::Tensor logp = model_.token_logp(h, p.target, p.inv_temperature, p.support).logp;
      const at::Tensor logits = model_.logits(h);
      std::size_t row = 0;
      for (const auto& [r, s] : of) {
        row = check(requests_[r], s, all[r][s], row, logp.const_data_ptr<float>(),
                    logits.const_data_ptr<float>());
      }
      num_tokens += row;
    }
    return num_tokens;
  }

 private:
  // One completion, whose first token is `row`; returns the row after its last.
  std::size_t check(const GenerateRequest& request, std::size_t sample, const Completion& c,
                    std::size_t row, const float* logp, const float* logits) {
    const auto vocab = static_cast<std::size_t>(model_.config().vocab_size);
    auto support = std::span(c.support);
    DrawScratch scratch;
    for (std::size_t t = 0; t < c.tokens.size(); ++t, ++row) {
      const auto kept = support.first(c.support_size[t]);
      support = support.subspan(kept.size());
      DrawInput in{.logits = {logits + row * vocab, vocab},
                   .prompt = request.prompt,
                   .completion = std::span(c.tokens).first(t)};
      if (static_cast<std::int64_t>(t) < request.min_new_tokens) in.banned = stop_ids_;
      const float behavior =
          request.samples[sample].plan->behavior_logp(in, c.tokens[t], kept, scratch);
      EXPECT_EQ(c.logp[t], logp[row]) << "token " << t;
      EXPECT_EQ(c.behavior_logp[t], behavior) << "token " << t;
    }
    return row;
  }

  Transformer model_;
  std::vector<std::int32_t> stop_ids_ = {1, 17, 200};
  std::vector<DrawPlan> plans_ = {
      DrawPlan::at_temperature(1), DrawPlan::at_temperature(0),
      DrawPlan({{QED_OP_TEMPERATURE, 0.7f}, {QED_OP_TOP_K, 90}, {QED_OP_TOP_P, 0.9f}}, 64),
      DrawPlan({{QED_OP_REPETITION, 1.2f},
                {QED_OP_FREQUENCY, 0.3f},
                {QED_OP_TEMPERATURE, 1.3f},
                {QED_OP_BAN, 0, {3, 4, 5}},
                {QED_OP_MIN_P, 0.02f}},
               64)};
  std::vector<GenerateRequest> requests_;
};

// Settings of the schedule that must change nothing; `seed` picks them.
inline ScheduleOptions any_schedule(std::span<const GenerateRequest> requests, std::uint64_t seed) {
  constexpr std::int64_t kBatches[] = {256, 1, 3, 17, 64, 128}, kChunks[] = {512, 1, 7, 40, 100};
  ScheduleOptions options{.max_batch = kBatches[seed % 6],
                          .block_size = 16 * (1 + static_cast<std::int64_t>(seed % 4)),
                          .prefill_chunk = kChunks[seed % 5],
                          .share_prefix = seed % 3 != 2};
  const auto groups = sample_groups(requests);
  if (seed % 2 == 1) {  // a small pool: samples are put aside
    options.num_blocks = min_blocks(groups, options) + static_cast<std::int64_t>(seed % 7);
  }
  return options;
}

}  // namespace qed
