#include "core/train/kl.h"

#include "core/util/error.h"

#include <algorithm>
#include <cmath>

namespace qed {

KlEstimator kl_estimator(const std::string& name) {
  if (name == "k1") return KlEstimator::kK1;
  if (name == "k2") return KlEstimator::kK2;
  if (name == "k3") return KlEstimator::kK3;
  QED_CHECK(name == "k3+", name);
  return KlEstimator::kK3Plus;
}

KlValue kl_estimate(KlEstimator estimator, double logp, double ref_logp) {
  constexpr double kBound = 20;  // beyond, e^-d says nothing but that the policy has left
  const double d = std::clamp(logp - ref_logp, -kBound, kBound);
  const double k3 = std::expm1(-d) + d;
  const double inside = d == logp - ref_logp ? 1 : 0;
  switch (estimator) {
    case KlEstimator::kK1:
      return {d, inside};
    case KlEstimator::kK2:
      return {d * d / 2, inside * d};
    case KlEstimator::kK3:
      return {k3, inside * -std::expm1(-d)};
    case KlEstimator::kK3Plus:
      return {k3, inside * d};
  }
  QED_CHECK(false, "an estimator without a formula");
  return {};
}

KlPenalty kl_penalty(KlEstimator estimator, double coef, const Experience& e) {
  QED_CHECK(e.ref_logp.size() == e.num_tokens() && e.old_logp.size() == e.num_tokens());
  KlPenalty out;
  out.reward.resize(e.num_tokens());
  double total = 0;
  for (std::size_t b = 0; b < e.num_seqs(); ++b) {
    const double n = e.num_written(b);
    if (e.valid[b] == 0 || n == 0) continue;
    double sum = 0;
    for (auto t = e.offset[b]; t < e.offset[b + 1]; ++t) {
      if (e.mask[t] == 0) continue;
      const double kl = kl_estimate(estimator, e.old_logp[t], e.ref_logp[t]).value;
      out.reward[t] = static_cast<float>(-coef * kl);
      sum += kl;
    }
    total += sum / n;
    ++out.num_seqs;
  }
  out.mean_kl = out.num_seqs > 0 ? total / out.num_seqs : 0;
  return out;
}

double adapted_kl_coef(double coef, double kl, double target, double horizon, double num_seqs) {
  constexpr double kClip = 0.2;
  return coef * (1 + std::clamp(kl / target - 1, -kClip, kClip) * num_seqs / horizon);
}

}  // namespace qed
