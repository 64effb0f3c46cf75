#include "core/rollout/draw.h"

#include "core/ops/distribution.h"
#include "core/rollout/logit_ops.h"
#include "core/util/error.h"

#include "qed/philox.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace qed {

namespace {

constexpr std::int64_t kPickBlock = 1024;
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

// An op that leaves the distribution as it is.
bool is_idle(const SampleOp& op) {
  return (op.op == QED_OP_TOP_P && op.value >= 1) || (op.op == QED_OP_MIN_P && op.value <= 0);
}

std::size_t argmax(std::span<const float> logits) {
  return static_cast<std::size_t>(std::ranges::max_element(logits) - logits.begin());
}

// argmax of a row whose block maxima are known.
std::size_t argmax(const LogitRow& row) {
  const std::size_t begin = argmax(row.block_max) * ops::kMaxBlock;
  return begin + argmax(row.logits.subspan(
                     begin, std::min<std::size_t>(ops::kMaxBlock, row.logits.size() - begin)));
}

// The view of a row; sets scratch.block_max. The row may hold -infinity.
LogitRow scan(std::span<const float> row, std::size_t num_possible, DrawScratch& s) {
  const auto n = static_cast<std::int64_t>(row.size());
  s.block_max.resize(static_cast<std::size_t>(ops::num_max_blocks(n)));
  ops::cpu_kernels().row_block_max(row.data(), n, s.block_max.data());
  return {row, s.block_max, num_possible};
}

// The id whose share of the mass holds the point u of [0, 1): sums block by block, then within one.
std::size_t pick(std::span<const float> logits, float inv_temperature, ops::RowSoftmax stats,
                 double u, std::vector<double>& sums) {
  const auto& kernels = ops::cpu_kernels();
  const auto n = static_cast<std::int64_t>(logits.size());
  float probs[kPickBlock];
  const auto fill = [&](std::int64_t begin) {
    const std::int64_t count = std::min(kPickBlock, n - begin);
    kernels.row_probs(logits.data() + begin, count, inv_temperature, stats, probs);
    return count;
  };
  sums.clear();
  for (std::int64_t i = 0; i < n; i += kPickBlock) {
    const std::int64_t count = fill(i);  // not an argument of sum: it fills probs
    sums.push_back(ops::cpu_kernels().row_sum(probs, count));
  }
  const double point = u * std::accumulate(sums.begin(), sums.end(), 0.0);
  double mass = 0;
  std::size_t block = 0;
  while (block + 1 < sums.size() && point >= mass + sums[block]) mass += sums[block++];
  const std::int64_t begin = static_cast<std::int64_t>(block) * kPickBlock;
  const std::int64_t count = n > kPickBlock ? fill(begin) : n;
  for (std::int64_t i = 0; i < count; ++i) {
    mass += probs[i];
    if (point < mass && std::isfinite(logits[begin + i])) return begin + i;
  }
  return argmax(logits);  // rounding left the point above every sum, or only banned ids follow
}

}  // namespace

void logits_not_finite() {
  throw Error("the model's logits are not finite",
              "its weights have diverged: lower train.lr, and go back to an earlier checkpoint");
}

void nothing_to_draw() {
  throw Error("the sampler leaves no token to be drawn",
              "ban fewer tokens, or let its mask allow one that is not banned");
}

void ops_not_finite() {
  throw Error("the sampler's ops give logits that are not finite",
              "raise the temperature, or lower penalties and biases");
}

DrawPlan::DrawPlan(std::vector<SampleOp> ops, std::int64_t max_support)
    : max_support_(static_cast<std::size_t>(max_support)) {
  double temperature = 1;
  for (SampleOp& op : ops) {
    if (op.op == QED_OP_TEMPERATURE) {
      if (op.value == 0) is_greedy_ = true;
      if (op.value > 0) temperature *= op.value;
      inv_temperature_ = static_cast<float>(1 / temperature);
    } else if (!is_idle(op)) {
      steps_.push_back({std::move(op), inv_temperature_, kNoLimit});
      if (steps_.back().is_truncation()) continue;
      changes_logits_ = true;
      temperature = 1;  // the change is made to the scaled logits
      inv_temperature_ = 1;
    }
  }
  // What the last op keeps is cut to max_support anyway; ops before it need the whole.
  if (!steps_.empty() && steps_.back().is_truncation()) steps_.back().limit = max_support_;
  if (is_greedy_) inv_temperature_ = 1;
}

DrawPlan DrawPlan::at_temperature(double temperature) {
  return DrawPlan({{QED_OP_TEMPERATURE, static_cast<float>(temperature)}},
                  std::numeric_limits<std::int64_t>::max());
}

void DrawPlan::change(const Step& step, const DrawInput& in, DrawScratch& s, std::size_t& possible,
                      float* slope) const {
  if (step.inv_temperature != 1) {
    for (float& z : s.row) z *= step.inv_temperature;
    for (std::size_t i = 0; slope != nullptr && i < s.row.size(); ++i) {
      slope[i] *= step.inv_temperature;
    }
  }
  change_logits(step.op, in.prompt, in.completion, s.counts, s.row, slope);
  if (step.op.op != QED_OP_BAN) return;
  possible = s.row.size() - static_cast<std::size_t>(std::ranges::count(s.row, kBannedLogit));
}

std::span<const float> DrawPlan::changed_logits(const DrawInput& in, DrawScratch& s,
                                                float* slope) const {
  if (!changes_logits_ && in.banned.empty()) return in.logits;
  std::size_t possible = 0;
  s.row.assign(in.logits.begin(), in.logits.end());
  for (const std::int32_t id : in.banned) s.row[static_cast<std::size_t>(id)] = kBannedLogit;
  for (const Step& step : steps_) {
    if (!step.is_truncation()) change(step, in, s, possible, slope);
  }
  return s.row;
}

// All ops in their order. Returns the row that is drawn from; s.kept says from which ids.
std::span<const float> DrawPlan::run_steps(const DrawInput& in, DrawScratch& s) const {
  const auto check = [&](const LogitRow& row) {
    if (row.num_possible == 0 || s.kept.empty()) nothing_to_draw();
  };
  s.kept.reset();
  if (steps_.empty() && in.banned.empty() && in.allowed.empty()) return in.logits;
  LogitRow row{in.logits, s.block_max, in.logits.size()};
  if (changes_logits_ || !in.banned.empty()) {
    s.row.assign(in.logits.begin(), in.logits.end());
    for (const std::int32_t id : in.banned) s.row[static_cast<std::size_t>(id)] = kBannedLogit;
    const auto num_banned = std::ranges::count(s.row, kBannedLogit);
    row = scan(s.row, s.row.size() - static_cast<std::size_t>(num_banned), s);
    check(row);
  }
  if (!in.allowed.empty()) s.kept.keep_allowed(row, in.allowed);
  for (const auto& step : steps_) {
    check(row);
    if (step.op.op == QED_OP_TOP_K) {
      s.kept.keep_top(row, static_cast<std::size_t>(std::max(1.0f, step.op.value)));
    } else if (step.op.op == QED_OP_TOP_P) {
      s.kept.keep_mass(row, step.inv_temperature, step.op.value, step.limit);
    } else if (step.op.op == QED_OP_MIN_P) {
      s.kept.keep_likely(row, step.inv_temperature, step.op.value);
    } else {
      change(step, in, s, row.num_possible);
      row = scan(s.row, row.num_possible, s);
      s.kept.refresh(row);
    }
  }
  check(row);
  if (!s.kept.is_all() && !is_greedy_) s.kept.keep_top(row, max_support_);
  return row.logits;
}

DrawPlan::Draw DrawPlan::draw(const DrawInput& in, std::uint64_t key, std::uint64_t position,
                              DrawScratch& s) const {
  const auto n = static_cast<std::int64_t>(in.logits.size());
  s.block_max.resize(static_cast<std::size_t>(ops::num_max_blocks(n)));
  if (!ops::cpu_kernels().row_block_max(in.logits.data(), n, s.block_max.data())) {
    logits_not_finite();
  }
  const ops::RowSoftmax plain = ops::softmax(in.logits, 1);
  const std::span<const float> row = run_steps(in, s);
  std::vector<std::int32_t> ids = s.kept.ids();
  const auto kept = ops::supported(row, ids, s.gathered);
  const auto token_of = [&](std::size_t i) {
    return ids.empty() ? static_cast<std::int32_t>(i) : ids[i];
  };
  const auto plain_logp = [&](std::int32_t token) {
    return ops::logp_of(in.logits[static_cast<std::size_t>(token)], 1, plain);
  };
  if (is_greedy_) {
    const std::int32_t best = ids.empty()
                                  ? static_cast<std::int32_t>(argmax(LogitRow{row, s.block_max, 0}))
                                  : ids[argmax(kept)];
    return {best, 0, plain_logp(best), {best}};
  }
  const bool is_plain = row.data() == in.logits.data() && ids.empty() && inv_temperature_ == 1;
  const ops::RowSoftmax stats = is_plain ? plain : ops::softmax(kept, inv_temperature_);
  if (!std::isfinite(stats.max) || !std::isfinite(stats.sum)) {
    ops_not_finite();
  }
  const std::size_t chosen = pick(kept, inv_temperature_, stats, uniform(key, position), s.sums);
  const float logp = ops::logp_of(kept[chosen], inv_temperature_, stats);
  const std::int32_t token = token_of(chosen);
  return {token, logp, is_plain ? logp : plain_logp(token), std::move(ids)};
}

float DrawPlan::behavior_logp(const DrawInput& in, std::int32_t token,
                              std::span<const std::int32_t> support, DrawScratch& s) const {
  const std::span<const float> row = changed_logits(in, s);
  const auto kept = ops::supported(row, support, s.gathered);
  return ops::logp_of(row[static_cast<std::size_t>(token)], inv_temperature_,
                      ops::softmax(kept, inv_temperature_));
}

std::vector<DrawPlan> plan_group(const Sampler& sampler, qed_request request, KeyHash key,
                                 std::int64_t max_support) {
  std::vector<DrawPlan> plans;
  request.size = sizeof request;
  for (request.index = 0; request.index < request.group_size; ++request.index) {
    plans.emplace_back(sampler.plan(request, KeyHash(key).add(request.index).value()), max_support);
  }
  return plans;
}

}  // namespace qed
