#pragma once

// The terms of a loss that every algorithm can have beside its own. Each adds its gradient to
// `grad` and returns its value; spans are [T], and weight[t] is that of the aggregation. Arithmetic
// is double.

#include "core/host/algorithm.h"
#include "core/train/kl.h"

#include <span>

namespace qed {

// coef * sum over t of weight[t] k(logp[t], ref_logp[t]). Adds the mean k to `actor/kl_loss`.
double add_kl_loss(KlEstimator estimator, double coef, std::span<const float> weight,
                   std::span<const float> logp, std::span<const float> ref_logp,
                   std::span<float> grad, MetricSums& metrics);

// -coef * sum over t of weight[t] entropy[t]; `grad` is with respect to the entropy.
double add_entropy_bonus(double coef, std::span<const float> weight, std::span<const float> entropy,
                         std::span<float> grad);

// -coef * sum over t of weight[t] logp[t] (VAPO, Yu et al. 2025, section 4.3, with the weights of
// its positive samples). Adds the mean of -logp over tokens with a weight to `actor/nll_loss`.
double add_nll(double coef, std::span<const float> weight, std::span<const float> logp,
               std::span<float> grad, MetricSums& metrics);

}  // namespace qed
