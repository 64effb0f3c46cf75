#include "core/rollout/draw.h"

#include "core/ops/distribution.h"
#include "core/util/error.h"

#include "qed/philox.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace qed {

namespace {

std::int32_t argmax(std::span<const float> logits) {
  return static_cast<std::int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// Cuts ids, most likely first, after the fewest whose mass among them reaches p.
void keep_mass(std::vector<std::int32_t>& ids, std::span<const float> logits, float inv_temperature,
               float p) {
  std::vector<float> kept(ids.size()), probs(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) kept[i] = logits[ids[i]];
  const auto n = static_cast<std::int64_t>(kept.size());
  ops::cpu_kernels().row_probs(kept.data(), n, inv_temperature, ops::softmax(kept, inv_temperature),
                               probs.data());
  double mass = 0;
  std::size_t count = 0;
  while (count < ids.size() && (count == 0 || mass < p)) mass += probs[count++];
  ids.resize(count);
}

// Cuts ids, most likely first, before the first one that is less than min_p times as likely as the
// first. Odds need no normaliser: exp((z - z_max) / temperature).
void keep_likely(std::vector<std::int32_t>& ids, std::span<const float> logits,
                 float inv_temperature, float min_p) {
  const double least = std::log(static_cast<double>(min_p));
  const auto is_likely = [&](std::int32_t id) {
    return (double{logits[id]} - logits[ids.front()]) * inv_temperature >= least;
  };
  ids.erase(std::ranges::partition_point(ids, is_likely), ids.end());
}

// An op that leaves the distribution as it is.
bool is_idle(const SampleOp& op) {
  return (op.op == QED_OP_TOP_P && op.value >= 1) || (op.op == QED_OP_MIN_P && op.value <= 0);
}

}  // namespace

DrawPlan::DrawPlan(std::vector<SampleOp> ops, std::int64_t max_support)
    : max_support_(max_support) {
  double temperature = 1;
  for (const SampleOp& op : ops) {
    if (op.op > QED_OP_MIN_P) {
      throw Error("this qed cannot run penalties, logit bias and bans yet",
                  "use a sampler, or options of it, without them", kExitUsage);
    }
    if (op.op == QED_OP_TEMPERATURE) {
      temperature *= op.value;
      inv_temperature_ = temperature > 0 ? static_cast<float>(1 / temperature) : 0;
    } else if (!is_idle(op)) {
      truncations_.push_back({op, inv_temperature_});
    }
  }
}

DrawPlan DrawPlan::at_temperature(double temperature) {
  return DrawPlan({{QED_OP_TEMPERATURE, static_cast<float>(temperature)}}, 0);
}

std::vector<std::int32_t> DrawPlan::support(std::span<const float> logits) const {
  if (truncations_.empty()) return {};
  std::vector<std::int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  std::stable_sort(ids.begin(), ids.end(), [&](auto a, auto b) { return logits[a] > logits[b]; });
  for (const auto& [op, inv_temperature] : truncations_) {
    if (op.op == QED_OP_TOP_K) {
      ids.resize(std::min(ids.size(), static_cast<std::size_t>(std::max(1.0f, op.value))));
    } else if (op.op == QED_OP_TOP_P) {
      keep_mass(ids, logits, inv_temperature, op.value);
    } else {
      keep_likely(ids, logits, inv_temperature, op.value);
    }
  }
  if (ids.size() == logits.size()) return {};
  ids.resize(std::min(ids.size(), static_cast<std::size_t>(max_support_)));
  std::sort(ids.begin(), ids.end());
  return ids;
}

DrawPlan::Draw DrawPlan::draw(std::span<const float> logits, std::uint64_t key,
                              std::uint64_t position) const {
  if (!std::all_of(logits.begin(), logits.end(), [](float z) { return std::isfinite(z); })) {
    throw Error("the model's logits are not finite",
                "its weights have diverged: lower train.lr, and go back to an earlier checkpoint");
  }
  if (is_greedy()) {
    const std::int32_t best = argmax(logits);
    return {best, 0, {best}};
  }
  std::vector<std::int32_t> ids = support(logits);
  std::vector<float> scratch;
  const auto kept = ops::supported(logits, ids, scratch);
  const auto n = static_cast<std::int64_t>(kept.size());
  const ops::RowSoftmax s = ops::softmax(kept, inv_temperature_);
  std::vector<float> probs(kept.size());
  ops::cpu_kernels().row_probs(kept.data(), n, inv_temperature_, s, probs.data());

  const double total = std::accumulate(probs.begin(), probs.end(), 0.0);
  const double point = uniform(key, position) * total;
  double mass = 0;
  std::int64_t chosen = argmax(probs);  // should rounding leave the point above every sum
  for (std::int64_t i = 0; i < n; ++i) {
    mass += probs[i];
    if (point < mass) {
      chosen = i;
      break;
    }
  }
  const float logp = ops::logp_of(kept[chosen], inv_temperature_, s);
  const std::int32_t token = ids.empty() ? static_cast<std::int32_t>(chosen) : ids[chosen];
  return {token, logp, std::move(ids)};
}

}  // namespace qed
