#pragma once

// How the losses of an update's tokens become one number, L = sum over t of weight[t] f(t). A
// weight depends on the whole update, never on a micro-batch, so micro-batches change no gradient.

#include <span>
#include <string>
#include <vector>

namespace qed {

// The weight that each token of a sequence has, by the tokens that the model wrote in each sequence
// of an update (B sequences, N tokens in all, n of this sequence):
//   token-mean           1 / N         (DAPO, Yu et al. 2025, eq. 12)
//   seq-mean-token-mean  1 / (B n)     (GRPO, Shao et al. 2024, eq. 3)
//   seq-mean-token-sum   1 / B
//   constant             1 / (B length) (Dr. GRPO, Liu et al. 2025, section 3.2)
// `length` is for "constant" alone. A sequence without tokens weighs 0.
std::vector<double> sequence_weights(const std::string& aggregation, double length,
                                     std::span<const double> num_tokens);

}  // namespace qed
