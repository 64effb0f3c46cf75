#pragma once

// The second half of an RL step: advantages, and the updates of the model.

#include "core/host/algorithm.h"
#include "core/run/context.h"
#include "core/train/experience.h"
#include "core/train/optimizer.h"

#include <cstdint>

namespace qed {

// What the updates of a step did.
struct UpdateSummary {
  std::int64_t num_planned = 0, num_done = 0;  // done: those with an advantage
  double loss = 0, grad_norm = 0;              // sums
  MetricSums metrics;                          // of the algorithm
  double old_log_prob_s = 0, adv_s = 0, update_actor_s = 0;
};

// Learns from the rollouts of the current stage. [main] only; the run must outlive it.
class Learner {
 public:
  // Goes on where run.state() stands. Throws Error for an algorithm that needs what the engine
  // does not have.
  explicit Learner(RunContext& run);

  // Fills in the log-probs and the advantages of an experience, and updates the model with it:
  // train.epochs x train.mini_batches times.
  UpdateSummary learn(std::int64_t step, double lr, Experience& experience);

  std::uint64_t needs() const { return algorithm_.needs(); }  // QED_NEEDS_<what>
  const AdamW& optimizer() const { return optimizer_; }

 private:
  void compute_advantages(std::int64_t step, Experience& e, MetricSums& metrics) const;
  void update(std::int64_t step, double lr, const Experience& e, UpdateSummary& out);

  RunContext& run_;
  Algorithm algorithm_;
  AdamW optimizer_;
};

}  // namespace qed
