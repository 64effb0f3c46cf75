#pragma once

// The second half of an RL step: advantages, and the updates of the model.

#include "core/host/algorithm.h"
#include "core/run/context.h"
#include "core/train/critic.h"
#include "core/train/experience.h"
#include "core/train/optimizer.h"
#include "core/train/policy_gradient.h"
#include "core/train/reference.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace qed {

// What the updates of a step did.
struct UpdateSummary {
  std::int64_t num_planned = 0, num_done = 0;   // done: those with a signal
  double loss = 0, grad_norm = 0;               // sums
  double value_loss = 0, critic_grad_norm = 0;  // likewise, of the critic
  std::int64_t num_critic = 0;                  // its updates; 0: no critic
  std::int64_t num_clipped = 0;                 // of num_done: whose gradient was clipped
  MetricSums metrics;                           // of the algorithm, and of the engine's own terms
  double old_log_prob_s = 0, ref_s = 0, values_s = 0, adv_s = 0, update_actor_s = 0;
};

// Learns from the rollouts of the current stage. [main] only; the run must outlive it.
class Learner {
 public:
  // Goes on where run.state() stands. Throws Error for an algorithm that needs what the engine
  // does not have, and for keys that can have no effect or leave nothing to learn from.
  explicit Learner(RunContext& run);

  // Fills in the log-probs and the advantages of an experience, and updates the model with it:
  // train.epochs x train.mini_batches times.
  UpdateSummary learn(std::int64_t step, double lr, Experience& experience);

  const AdamW& optimizer() const { return optimizer_; }
  std::uint64_t needs() const { return algorithm_.needs(); }  // QED_NEEDS_<what>
  std::vector<CheckpointPart> checkpoint_parts();             // borrows from the object
  PluginState algorithm_state() const { return algorithm_.state(); }

 private:
  void open_reference();
  void open_critic();
  // The updates of one mini-batch that has a signal.
  void step_optimizers(std::int64_t step, double lr, UpdateSummary& out);
  void compute_log_probs(Experience& e, UpdateSummary& out);
  // Returns the coefficient of the KL for the next step.
  double measure_kl(Experience& e, MetricSums& metrics) const;
  UpdateOptions update_options(std::int64_t step) const;
  void update(std::int64_t step, double lr, const Experience& e, UpdateSummary& out);

  RunContext& run_;
  const Stage& stage_;
  Algorithm algorithm_;
  AdamW optimizer_;
  std::unique_ptr<Critic> critic_;        // null where no algorithm asks for values
  std::unique_ptr<Reference> reference_;  // null where nothing is measured against it
};

}  // namespace qed
