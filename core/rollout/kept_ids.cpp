#include "core/rollout/kept_ids.h"

#include "core/ops/cpu_kernels.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace qed {

namespace {

constexpr float kBanned = -std::numeric_limits<float>::infinity();
constexpr std::int64_t kMassBlock = 1024;

// How many of the most likely ids keep_mass looks at before it looks at all of them.
constexpr std::size_t kFirstLook = 512;

// The weight of the least likely possible id.
double least_weight(const LogitRow& row, float inv_temperature, float max) {
  float least = max;
  for (const float z : row.logits) least = z < least && z != kBanned ? z : least;
  return std::exp(static_cast<double>(least - max) * inv_temperature);
}

}  // namespace

double row_mass(std::span<const float> logits, float inv_temperature, float max) {
  float weights[kMassBlock];
  double mass = 0;
  const auto n = static_cast<std::int64_t>(logits.size());
  for (std::int64_t i = 0; i < n; i += kMassBlock) {
    const std::int64_t count = std::min(kMassBlock, n - i);
    ops::cpu_kernels().row_probs(logits.data() + i, count, inv_temperature, {max, 1}, weights);
    mass += ops::cpu_kernels().row_sum(weights, count);
  }
  return mass;
}

// All possible ids of which the predicate, monotone in the logit, is true.
template <class Predicate>
void KeptIds::collect_if(const LogitRow& row, Predicate&& stays) {
  kept_.clear();
  for (std::size_t b = 0; b < row.block_max.size(); ++b) {
    if (!stays(row.block_max[b])) continue;
    const std::size_t end = std::min<std::size_t>((b + 1) * ops::kMaxBlock, row.logits.size());
    for (std::size_t i = b * ops::kMaxBlock; i < end; ++i) {
      const float z = row.logits[i];
      if (z != kBanned && stays(z)) kept_.push_back({z, static_cast<std::int32_t>(i), 0});
    }
  }
  is_all_ = false;
}

// A prefix of the ranking that holds the `count` most likely ids, or all. Of `count` blocks, each
// has an id as large as the least of their maxima.
void KeptIds::collect(const LogitRow& row, std::size_t count) {
  float least = kBanned;
  if (count <= row.block_max.size()) {
    scratch_.assign(row.block_max.begin(), row.block_max.end());
    const auto at = scratch_.begin() + static_cast<std::ptrdiff_t>(count) - 1;
    std::nth_element(scratch_.begin(), at, scratch_.end(), std::greater<>());
    least = *at;
  }
  collect_if(row, [least](float z) { return z >= least; });
}

void KeptIds::select(std::size_t k) {
  if (k >= kept_.size()) return;
  const auto end = kept_.begin() + static_cast<std::ptrdiff_t>(k);
  std::nth_element(kept_.begin(), end, kept_.end(), more_likely);
  kept_.erase(end, kept_.end());
}

float KeptIds::max() const {
  float max = kBanned;
  for (const Candidate& c : kept_) max = std::max(max, c.logit);
  return max;
}

// Sets the weights of the kept ids; returns their sum.
double KeptIds::weigh(float inv_temperature, float max) {
  scratch_.resize(kept_.size());
  std::ranges::transform(kept_, scratch_.begin(), &Candidate::logit);
  ops::cpu_kernels().row_probs(scratch_.data(), static_cast<std::int64_t>(scratch_.size()),
                               inv_temperature, {max * inv_temperature, 1}, scratch_.data());
  double sum = 0;
  for (std::size_t i = 0; i < kept_.size(); ++i) sum += kept_[i].weight = scratch_[i];
  return sum;
}

void KeptIds::keep_allowed(const LogitRow& row, std::span<const std::uint8_t> allowed) {
  const auto is_allowed = [&](std::size_t i) { return ((allowed[i >> 3] >> (i & 7)) & 1) != 0; };
  kept_.clear();
  for (std::size_t i = 0; i < row.logits.size(); ++i) {
    if (!is_allowed(i) || row.logits[i] == kBanned) continue;
    kept_.push_back({row.logits[i], static_cast<std::int32_t>(i), 0});
  }
  settle(row);
}

void KeptIds::keep_top(const LogitRow& row, std::size_t k) {
  if (k >= (is_all_ ? row.num_possible : kept_.size())) return;
  if (is_all_) collect(row, k);
  select(k);
  settle(row);
}

void KeptIds::keep_mass(const LogitRow& row, float inv_temperature, float p, std::size_t limit) {
  const float max = is_all_ ? *std::ranges::max_element(row.block_max) : this->max();
  const double total = is_all_ ? row_mass(row.logits, inv_temperature, max * inv_temperature)
                               : weigh(inv_temperature, max);
  const double target = p * total;
  const bool was_all = is_all_;
  if (was_all) {
    const std::size_t enough = std::min(limit, row.num_possible);
    collect(row, std::min(enough, kFirstLook));
    const bool is_enough = kept_.size() >= enough || weigh(inv_temperature, max) >= target;
    if (!is_enough) collect(row, row.logits.size());
  }
  if (limit < kept_.size()) select(limit);
  const double mass = weigh(inv_temperature, max);
  if (was_all && mass < target && total - least_weight(row, inv_temperature, max) < target) {
    is_all_ = true;  // nothing is truncated, so there is no limit either
    return;
  }

  // The last id that stays is one of [begin, end); [0, begin) stay, with a mass of `before`.
  std::size_t begin = 0, end = kept_.size();
  double before = 0;
  const auto at = [&](std::size_t i) { return kept_.begin() + static_cast<std::ptrdiff_t>(i); };
  while (end - begin > 1) {
    const std::size_t middle = begin + (end - begin) / 2;
    std::nth_element(at(begin), at(middle), at(end), more_likely);
    double part = 0;
    for (std::size_t i = begin; i < middle; ++i) part += kept_[i].weight;
    if (before + part >= target) {
      end = middle;
    } else {
      before += part;
      begin = middle;
    }
  }
  kept_.erase(at(begin + 1), kept_.end());
  settle(row);
}

void KeptIds::keep_likely(const LogitRow& row, float inv_temperature, float min_p) {
  // Odds need no normaliser: exp((z - z_max) * inv_temperature).
  const double max = is_all_ ? *std::ranges::max_element(row.block_max) : this->max();
  const double least = std::log(static_cast<double>(min_p));
  const auto is_likely = [&](float z) { return (z - max) * inv_temperature >= least; };
  if (is_all_) {
    collect_if(row, is_likely);
  } else {
    std::erase_if(kept_, [&](const Candidate& c) { return !is_likely(c.logit); });
  }
  settle(row);
}

void KeptIds::refresh(const LogitRow& row) {
  if (is_all_) return;
  for (Candidate& c : kept_) c.logit = row.logits[static_cast<std::size_t>(c.id)];
  std::erase_if(kept_, [](const Candidate& c) { return c.logit == kBanned; });
  settle(row);
}

std::vector<std::int32_t> KeptIds::ids() const {
  std::vector<std::int32_t> ids;
  if (is_all_) return ids;
  ids.reserve(kept_.size());
  for (const Candidate& c : kept_) ids.push_back(c.id);
  std::ranges::sort(ids);
  return ids;
}

}  // namespace qed
