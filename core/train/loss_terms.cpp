#include "core/train/loss_terms.h"

#include "core/util/error.h"

namespace qed {

namespace {

void add_to(MetricSums& metrics, const char* name, double sum, double count) {
  auto& [total, n] = metrics[name];
  total += sum;
  n += count;
}

}  // namespace

double add_kl_loss(KlEstimator estimator, double coef, std::span<const float> weight,
                   std::span<const float> logp, std::span<const float> ref_logp,
                   std::span<float> grad, MetricSums& metrics) {
  QED_CHECK(logp.size() == weight.size() && ref_logp.size() == weight.size());
  double loss = 0, sum = 0, count = 0;
  for (std::size_t t = 0; t < weight.size(); ++t) {
    if (weight[t] == 0) continue;
    const KlValue kl = kl_estimate(estimator, logp[t], ref_logp[t]);
    loss += coef * weight[t] * kl.value;
    grad[t] += static_cast<float>(coef * weight[t] * kl.slope);
    sum += kl.value;
    ++count;
  }
  add_to(metrics, "actor/kl_loss", sum, count);
  return loss;
}

double add_entropy_bonus(double coef, std::span<const float> weight, std::span<const float> entropy,
                         std::span<float> grad) {
  QED_CHECK(entropy.size() == weight.size());
  double loss = 0;
  for (std::size_t t = 0; t < weight.size(); ++t) {
    loss -= coef * weight[t] * entropy[t];
    grad[t] -= static_cast<float>(coef * weight[t]);
  }
  return loss;
}

double add_nll(double coef, std::span<const float> weight, std::span<const float> logp,
               std::span<float> grad, MetricSums& metrics) {
  QED_CHECK(logp.size() == weight.size());
  double loss = 0, sum = 0, count = 0;
  for (std::size_t t = 0; t < weight.size(); ++t) {
    if (weight[t] == 0) continue;
    loss -= coef * weight[t] * logp[t];
    grad[t] -= static_cast<float>(coef * weight[t]);
    sum -= logp[t];
    ++count;
  }
  add_to(metrics, "actor/nll_loss", sum, count);
  return loss;
}

}  // namespace qed
