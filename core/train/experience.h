#pragma once

// What one step learned from: scored completions on a flat token axis, ordered by (group, sample),
// and the numbers per token that the algorithm works with.

#include "core/reward/scoring.h"
#include "core/rollout/generate.h"
#include "core/train/packing.h"

#include "qed/abi.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace qed {

// B sequences, T completion tokens. Filled from top to bottom in the course of a step.
struct Experience {
  std::vector<Sequence> sequences;    // [B] borrowed from requests and completions
  std::vector<std::uint64_t> offset;  // [B+1]
  std::vector<std::uint64_t> group;   // [B]
  std::vector<float> reward;          // [B] 0 where valid is 0
  std::vector<std::uint8_t> valid;    // [B] 0: scoring failed
  std::vector<std::uint8_t> finish;   // [B] QED_FINISH_<reason>
  std::vector<std::uint8_t> mask;     // [T] 1: the model wrote it
  std::vector<float> behavior_logp;   // [T]
  std::vector<float> old_logp;        // [T] of the policy before the first update: behavior_logp,
                                      // until `score` measures it
  std::vector<float> entropy;         // [T] of the full tempered distribution, likewise
  std::vector<float> ref_logp;        // [T] over it, under the reference; empty without one
  std::vector<float> baseline;        // [B] reward of the group's greedy completion; or empty
  std::vector<float> value, ret;      // [T] of the critic, before the first update; or empty
  std::vector<float> adv;             // [T]
  std::vector<std::uint8_t> keep;     // [B]
  std::vector<float> correction;      // [T] of mismatch_weights; empty: 1
  struct Stream {
    std::string label;
    std::optional<double> gamma;
    std::vector<float> reward;  // [T]
  };
  std::vector<Stream> streams;  // rewards per token, beside `reward`

  std::size_t num_seqs() const { return sequences.size(); }
  std::size_t num_tokens() const { return behavior_logp.size(); }
  bool is_in_loss(std::size_t b) const { return keep[b] != 0 && valid[b] != 0; }
  bool has_advantage(std::size_t b) const;  // some token of sequence b has one
  double num_written(std::size_t b) const;  // tokens of it that the model wrote
};

// Lays out completions (one vector per group). `reward` is NaN where scoring failed; `streams` have
// a vector per completion.
Experience make_experience(std::span<const GenerateRequest> requests,
                           std::span<const std::vector<Completion>> completions,
                           std::span<const double> reward,
                           std::span<const TokenStream> streams = {});

// A part of an experience, copied so that its spans are contiguous, in the form that plugins take.
class BatchView {
 public:
  // `rows`: sequence indices, ascending.
  BatchView(const Experience& from, std::span<const std::size_t> rows, std::uint64_t step);
  const qed_batch& abi() const { return abi_; }
  std::span<const float> adv() const { return adv_; }
  std::span<const float> ret() const { return ret_; }
  // weight[t] = mask[t] * of_sequence[i] for the tokens of row i; with `corrected` times the
  // correction.
  std::vector<float> weights(std::span<const double> of_sequence, bool corrected) const;
  std::size_t num_tokens() const { return mask_.size(); }

 private:
  std::vector<std::uint64_t> offset_, group_;
  std::vector<float> reward_, baseline_;
  std::vector<float> behavior_logp_, old_logp_, ref_logp_, value_, adv_, ret_, correction_;
  std::vector<std::uint8_t> valid_, mask_, finish_;
  std::vector<std::vector<float>> stream_rewards_;
  std::vector<qed_stream> streams_;
  std::vector<const qed_stream*> stream_pointers_;
  qed_batch abi_{};
};

}  // namespace qed
