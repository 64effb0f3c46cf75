#pragma once

// The plain version of a draw: the distribution that abi.h describes, in double, op by op, with a
// stable sort of the whole vocabulary.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "core/rollout/draw.h"
#include "qed/abi.h"
#include "tests/host/host_fixture.h"

namespace qed {

constexpr std::int64_t kAll = 1'000'000;  // a max_support that cuts nothing

inline SampleOp temperature(float t) { return {QED_OP_TEMPERATURE, t}; }
inline SampleOp top_k(float k) { return {QED_OP_TOP_K, k}; }
inline SampleOp top_p(float p) { return {QED_OP_TOP_P, p}; }
inline SampleOp min_p(float p) { return {QED_OP_MIN_P, p}; }

// Draws with memory of its own.
inline DrawPlan::Draw draw(const DrawPlan& plan, const DrawInput& in, std::uint64_t key,
                           std::uint64_t position) {
  DrawScratch scratch;
  return plan.draw(in, key, position, scratch);
}
inline DrawPlan::Draw draw(const DrawPlan& plan, const std::vector<float>& logits,
                           std::uint64_t key, std::uint64_t position) {
  return draw(plan, DrawInput{.logits = logits}, key, position);
}

class Oracle {
 public:
  explicit Oracle(const DrawInput& in)
      : in_(in), z_(in.logits.begin(), in.logits.end()), kept_(z_.size()) {
    std::iota(kept_.begin(), kept_.end(), 0);
    for (const auto id : in.banned) ban(id);
    std::erase_if(kept_, [&](auto id) {
      return !in.allowed.empty() && ((in.allowed[id / 8] >> (id % 8)) & 1) == 0;
    });
  }

  void apply(const SampleOp& op) {
    const std::set<std::int32_t> completion(in_.completion.begin(), in_.completion.end());
    std::set<std::int32_t> seen = completion;
    seen.insert(in_.prompt.begin(), in_.prompt.end());
    switch (op.op) {
      case QED_OP_TEMPERATURE:
        for (double& z : z_) z /= op.value;
        return;
      case QED_OP_REPETITION:
        for (const auto id : seen) z_[id] = z_[id] > 0 ? z_[id] / op.value : z_[id] * op.value;
        return;
      case QED_OP_PRESENCE:
        for (const auto id : completion) z_[id] -= op.value;
        return;
      case QED_OP_FREQUENCY:
        for (const auto id : in_.completion) z_[id] -= op.value;
        return;
      case QED_OP_LOGIT_BIAS:
        for (std::size_t i = 0; i < op.ids.size(); ++i) z_[op.ids[i]] += op.values[i];
        return;
      case QED_OP_BAN:
        for (const auto id : op.ids) ban(id);
        return;
      default:
        truncate(op);
    }
  }

  // Of every id; 0 for those that were cut or banned.
  std::vector<double> probs() const {
    std::vector<double> p(z_.size(), 0);
    double sum = 0;
    for (const auto id : kept_) sum += p[id] = std::exp(z_[id] - z_[kept_.front()]);
    for (double& x : p) x /= sum;
    return p;
  }

  // The kept ids, ascending; most likely first ones only, where there are more than max_support.
  std::vector<std::int32_t> support(std::size_t max_support) {
    sort();
    std::vector<std::int32_t> ids = kept_;
    ids.resize(std::min(ids.size(), max_support));
    std::sort(ids.begin(), ids.end());
    return ids;
  }

 private:
  void sort() {
    std::sort(kept_.begin(), kept_.end());
    std::stable_sort(kept_.begin(), kept_.end(), [&](auto a, auto b) { return z_[a] > z_[b]; });
  }
  void ban(std::int32_t id) {
    z_[id] = -std::numeric_limits<double>::infinity();
    std::erase(kept_, id);
  }
  void truncate(const SampleOp& op) {
    sort();
    std::size_t count = 0;
    if (op.op == QED_OP_TOP_K) count = static_cast<std::size_t>(op.value);
    if (op.op == QED_OP_TOP_P) {
      const auto p = probs();
      double mass = 0;
      while (count < kept_.size() && (count == 0 || mass < op.value)) mass += p[kept_[count++]];
    }
    if (op.op == QED_OP_MIN_P) {
      const double least = z_[kept_.front()] + std::log(static_cast<double>(op.value));
      while (count < kept_.size() && z_[kept_[count]] >= least) ++count;
    }
    kept_.resize(std::min(kept_.size(), count));
  }

  DrawInput in_;
  std::vector<double> z_;
  std::vector<std::int32_t> kept_;
};

inline std::vector<double> exact(const DrawInput& in, const std::vector<SampleOp>& ops) {
  Oracle oracle(in);
  for (const SampleOp& op : ops) oracle.apply(op);
  return oracle.probs();
}

}  // namespace qed
