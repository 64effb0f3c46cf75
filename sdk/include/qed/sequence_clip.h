#pragma once

// The clipped surrogate with one ratio per sequence.

#include "qed/clip.h"
#include "qed/group.h"

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

enum class SequenceRatio {
  kMean,  // exp(mean of logp - old_logp): GSPO (Zheng et al. 2025, eq. 7)
  kSum,   // exp(sum of logp - old_logp): the likelihood ratio of the whole completion
};

enum class SequenceGradient {
  kExact,  // dL/dlogp[t]: all tokens of a sequence share the sum of its terms
  kToken,  // each term moves its own token only: GSPO-token (Zheng et al. 2025, eq. 14)
};

// Sum over sequences and their tokens t of weight[t] f(adv[t], s), where s is the sequence's ratio
// over the tokens that the model wrote and f the surrogate of clip.h. Log-ratios are bounded from
// above alone. The two gradients are equal where adv and weight are constant within a sequence and
// the ratio is a mean. Sequences whose weights are all 0 are skipped.
inline double clipped_sequence_loss(const Batch& batch, LossArgs& args, const Clip& clip,
                                    SequenceRatio kind,
                                    SequenceGradient gradient = SequenceGradient::kExact) {
  double loss = 0;
  ClipMetrics metrics;
  for (std::size_t b = 0; b < batch.num_seqs(); ++b) {
    const auto begin = batch.offset[b], end = batch.offset[b + 1];
    double sum = 0, n = 0;
    bool is_used = false;
    for (auto t = begin; t < end; ++t) {
      is_used = is_used || args.weight[t] != 0;
      if (batch.mask[t] != 0) sum += double{args.logp[t]} - batch.old_logp[t], ++n;
    }
    if (!is_used) continue;
    const double share = kind == SequenceRatio::kMean ? 1 / n : 1;  // dlog(s) / dlogp[t]
    const double log_ratio = sum * share;
    const bool is_bounded = clip.max_log_ratio > 0 && log_ratio > clip.max_log_ratio;
    const double ratio = std::exp(is_bounded ? clip.max_log_ratio : log_ratio);

    double slope = 0;
    for (auto t = begin; t < end; ++t) {
      if (args.weight[t] == 0) continue;
      const double w = args.weight[t];
      const Surrogate s = surrogate(args.adv[t], ratio, clip);
      loss += w * s.loss;
      slope += w * s.slope;
      if (!is_bounded) args.grad_logp[t] = static_cast<float>(w * s.slope);
      metrics.add(s, double{args.logp[t]} - batch.old_logp[t]);
    }
    if (is_bounded || gradient == SequenceGradient::kToken) continue;
    for (auto t = begin; t < end; ++t) {
      if (batch.mask[t] != 0) args.grad_logp[t] = static_cast<float>(slope * share);
    }
  }
  metrics.write(args, clip);
  return loss;
}

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
