#include "core/run/rl_update.h"

#include "core/data/items.h"
#include "core/train/update.h"
#include "core/util/clock.h"

#include <algorithm>
#include <numeric>

namespace qed {

namespace {

constexpr std::uint64_t kProvided = 0;  // of QED_NEEDS_<what>

}  // namespace

Learner::Learner(RunContext& run)
    : run_(run),
      algorithm_(run.component("algorithm", run.stage().algorithm.name),
                 run.stage().algorithm.options.dump(), run.plugins.abi()),
      optimizer_(run.model.weights()) {
  algorithm_.check_needs(kProvided);
  if (run.state().stage_step > 0) read_optimizer(*run.folder.resumed_from(), optimizer_);
}

UpdateSummary Learner::learn(std::int64_t step, double lr, Experience& experience) {
  Stopwatch watch;
  UpdateSummary out;
  score(run_.model, experience, run_.stage().train.micro_tokens);
  out.old_log_prob_s = watch.lap();
  compute_advantages(step, experience, out.metrics);
  out.adv_s = watch.lap();
  update(step, lr, experience, out);
  out.update_actor_s = watch.lap();
  return out;
}

void Learner::compute_advantages(std::int64_t step, Experience& e, MetricSums& metrics) const {
  std::vector<std::size_t> all(e.num_seqs());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const BatchView batch(e, all, static_cast<std::uint64_t>(step));
  qed_advantage out{};
  out.size = sizeof out;
  out.adv = {e.adv.data(), e.adv.size()};
  out.keep = {e.keep.data(), e.keep.size()};
  const std::uint64_t seed = run_.key("advantage").add(static_cast<std::uint64_t>(step)).value();
  algorithm_.advantage(batch.abi(), out, metrics, seed);
}

// Updates without any advantage are skipped whole.
void Learner::update(std::int64_t step, double lr, const Experience& e, UpdateSummary& out) {
  const TrainTable& options = run_.stage().train;
  for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    KeyHash key = run_.key("order");
    key.add(static_cast<std::uint64_t>(step)).add(static_cast<std::uint64_t>(epoch));
    const auto order = shuffled(e.num_seqs(), key.value());
    for (std::int64_t m = 0; m < options.mini_batches; ++m) {
      const auto n = static_cast<std::int64_t>(order.size());
      std::vector<std::size_t> rows(order.begin() + n * m / options.mini_batches,
                                    order.begin() + n * (m + 1) / options.mini_batches);
      std::sort(rows.begin(), rows.end());
      const PolicyGradient g = policy_gradient(
          run_.model, algorithm_, e, rows, static_cast<std::uint64_t>(step), options.micro_tokens,
          KeyHash(key).add(static_cast<std::uint64_t>(m)).value(), out.metrics);
      out.loss += g.loss;
      ++out.num_planned;
      if (!g.has_signal) continue;
      out.grad_norm += optimizer_.step(options, lr);
      ++out.num_done;
      run_.report_first_update();
    }
  }
}

}  // namespace qed
