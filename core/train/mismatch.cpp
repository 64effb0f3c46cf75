#include "core/train/mismatch.h"

#include "core/util/error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace qed {

namespace {

using Range = std::array<double, 2>;

bool is_set(const Range& range) { return range[1] > 0; }
bool contains(const Range& range, double x) { return x >= range[0] && x <= range[1]; }

double token_weight(const MismatchTable& table, double rho) {
  if (is_set(table.icepop) && !contains(table.icepop, rho)) return 0;
  if (table.token_tis > 0) return std::min(rho, table.token_tis);
  return is_set(table.icepop) ? rho : 1;
}

// Sums over the tokens that are in the loss.
struct Gap {
  double n = 0, rho = 0, max_rho = 0, min_rho = INFINITY, log_rho = 0, k3 = 0, chi2 = 0;
  double abs_logp = 0, abs_prob = 0, max_abs_prob = 0, weight = 0, weight2 = 0, out = 0;

  void add(double old_logp, double behavior_logp, double w) {
    const double d = old_logp - behavior_logp, r = std::exp(d);
    const double prob = std::abs(std::exp(old_logp) - std::exp(behavior_logp));
    ++n;
    rho += r;
    max_rho = std::max(max_rho, r);
    min_rho = std::min(min_rho, r);
    log_rho += d;
    k3 += std::expm1(d) - d;
    chi2 += r * r - 1;
    abs_logp += std::abs(d);
    abs_prob += prob;
    max_abs_prob = std::max(max_abs_prob, prob);
    weight += w;
    weight2 += w * w;
    out += w == 0 ? 1 : 0;
  }

  void write(MetricSums& m) const {
    if (n == 0) return;
    m["mismatch/mean_abs_logp"] = {abs_logp, n};
    m["mismatch/masked_frac"] = {out, n};
    m["training/rollout_probs_diff_mean"] = {abs_prob, n};
    m["training/rollout_probs_diff_max"] = {max_abs_prob, 1};
    m["rollout_corr/rollout_is_mean"] = {rho, n};
    m["rollout_corr/rollout_is_max"] = {max_rho, 1};
    m["rollout_corr/rollout_is_min"] = {min_rho, 1};
    m["rollout_corr/eff_sample_size"] = {weight2 > 0 ? weight * weight / weight2 : 0, n};
    m["rollout_corr/kl"] = {-log_rho, n};
    m["rollout_corr/k3_kl"] = {k3, n};
    m["rollout_corr/chi2_token"] = {chi2, n};
  }
};

}  // namespace

bool corrects_mismatch(const MismatchTable& table) {
  return table.token_tis > 0 || table.sequence_tis > 0 || is_set(table.icepop) ||
         is_set(table.sequence_mask);
}

void check_mismatch(const MismatchTable& table) {
  for (const auto& [name, range] :
       {std::pair("icepop", table.icepop), std::pair("sequence_mask", table.sequence_mask)}) {
    if (range[0] <= range[1]) continue;
    throw Error(cat("`", name, "` in [mismatch] is [", range[0], ", ", range[1],
                    "], but the first must not be the larger one"),
                "write [smallest, largest]", kExitUsage);
  }
}

std::vector<float> mismatch_weights(const MismatchTable& table, const Experience& e,
                                    MetricSums& metrics) {
  QED_CHECK(e.old_logp.size() == e.num_tokens());
  std::vector<float> out(e.num_tokens(), 1);
  Gap gap;
  for (std::size_t b = 0; b < e.num_seqs(); ++b) {
    double total = 0, n = 0;
    for (auto t = e.offset[b]; t < e.offset[b + 1]; ++t) {
      if (e.mask[t] == 0) continue;
      total += double{e.old_logp[t]} - e.behavior_logp[t];
      ++n;
    }
    const bool weighs = table.sequence_tis > 0 && table.token_tis == 0;
    double whole = weighs ? std::min(std::exp(total), table.sequence_tis) : 1;
    if (is_set(table.sequence_mask) && n > 0 && !contains(table.sequence_mask, std::exp(total / n)))
      whole = 0;
    for (auto t = e.offset[b]; t < e.offset[b + 1]; ++t) {
      if (e.mask[t] == 0) continue;
      const double rho = std::exp(double{e.old_logp[t]} - e.behavior_logp[t]);
      const double w = whole * token_weight(table, rho);
      out[t] = static_cast<float>(w);
      if (e.valid[b] != 0) gap.add(e.old_logp[t], e.behavior_logp[t], w);
    }
  }
  gap.write(metrics);
  return out;
}

}  // namespace qed
