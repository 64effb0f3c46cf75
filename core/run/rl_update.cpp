#include "core/run/rl_update.h"

#include "core/data/items.h"
#include "core/train/advantages.h"
#include "core/train/mismatch.h"
#include "core/train/update.h"
#include "core/util/clock.h"
#include "core/util/error.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qed {

namespace {

// Of QED_NEEDS_<what>.
constexpr std::uint64_t kProvided = QED_NEEDS_REF | QED_NEEDS_VALUE | QED_NEEDS_ENTROPY |
                                    QED_NEEDS_BASELINE | QED_NEEDS_UPDATE_LOGP;
constexpr char kReference[] = "reference", kCritic[] = "critic";  // folders in a checkpoint
constexpr char kOptimizer[] = "optimizer.safetensors";

}  // namespace

Learner::Learner(RunContext& run)
    : run_(run),
      stage_(run.stage()),
      algorithm_(run.component("algorithm", stage_.algorithm.name), stage_.algorithm.options.dump(),
                 run.plugins.abi()),
      optimizer_(run.model.weights()) {
  algorithm_.check_needs(kProvided);
  check_mismatch(stage_.mismatch);
  open_reference();
  open_critic();
  if (run.state().stage_step > 0) read_optimizer(*run.folder.resumed_from(), optimizer_);
}

void Learner::open_reference() {
  const bool resumes = run_.state().stage_step > 0;
  if (!resumes) run_.state().kl_coef = stage_.kl.coef;
  if (stage_.kl.coef == 0 && (algorithm_.needs() & QED_NEEDS_REF) == 0) {
    if (stage_.kl.sync_every == 0) return;
    throw Error("`sync_every` in [kl] has no effect: nothing is measured against the reference",
                "remove it, or set kl.coef", kExitUsage);
  }
  reference_ = std::make_unique<Reference>(run_.model);
  if (resumes) read_weights(*run_.folder.resumed_from() / kReference, reference_->model());
}

void Learner::open_critic() {
  if ((algorithm_.needs() & QED_NEEDS_VALUE) == 0) return;
  const Dtype dtype = run_.model.weights().options().dtype;
  if (run_.state().stage_step > 0) {
    const std::filesystem::path folder = *run_.folder.resumed_from() / kCritic;
    critic_ = std::make_unique<Critic>(folder, dtype);
    read_weights(folder, critic_->model());
    critic_->optimizer().read(folder / kOptimizer);
    critic_->optimizer().set_num_steps(run_.state().critic_steps);
    return;
  }
  const std::string& path = stage_.critic.path;
  critic_ =
      path.empty() ? std::make_unique<Critic>(run_.model) : std::make_unique<Critic>(path, dtype);
  const std::int64_t vocab = critic_->model().config().vocab_size;
  if (vocab != run_.model.config().vocab_size) {
    throw Error(cat("the critic in ", path, " has a vocabulary of ", vocab,
                    ", but the policy's is ", run_.model.config().vocab_size),
                "use models of one family: both read the same tokens");
  }
  run_.state().critic_steps = 0;
}

std::vector<CheckpointPart> Learner::checkpoint_parts() {
  std::vector<CheckpointPart> out;
  if (reference_ != nullptr) {
    out.push_back({kReference, [this](const std::filesystem::path& folder) {
                     write_weights(folder, run_.model_config, reference_->model());
                   }});
  }
  if (critic_ != nullptr) {
    out.push_back({kCritic, [this](const std::filesystem::path& folder) {
                     const std::filesystem::path from = stage_.critic.path;
                     write_weights(folder, from.empty() ? run_.model_config : from / "config.json",
                                   critic_->model());
                     critic_->optimizer().write(folder / kOptimizer);
                   }});
  }
  return out;
}

UpdateSummary Learner::learn(std::int64_t step, double lr, Experience& experience) {
  Stopwatch watch;
  UpdateSummary out;
  compute_log_probs(experience, out);
  watch.lap();
  if (critic_ != nullptr) {
    experience.value = critic_->values(experience, stage_.train.micro_tokens);
    experience.ret.assign(experience.num_tokens(), 0);
  }
  out.values_s = watch.lap();
  const double next_kl_coef = measure_kl(experience, out.metrics);
  const auto number = static_cast<std::uint64_t>(step);
  compute_advantages(algorithm_, experience, number, run_.key("advantage").add(number).value(),
                     out.metrics);
  out.adv_s = watch.lap();
  update(step, lr, experience, out);
  out.update_actor_s = watch.lap();
  run_.state().kl_coef = next_kl_coef;
  if (stage_.kl.sync_every > 0 && step % stage_.kl.sync_every == 0) reference_->sync(run_.model);
  return out;
}

// old_logp is behavior_logp already: the training forward is run only where the two may differ, and
// that is to be corrected.
void Learner::compute_log_probs(Experience& e, UpdateSummary& out) {
  Stopwatch watch;
  if (corrects_mismatch(stage_.mismatch)) {
    score(run_.model, e, stage_.train.micro_tokens);
    e.correction = mismatch_weights(stage_.mismatch, e, out.metrics);
  }
  out.old_log_prob_s = watch.lap();
  if (reference_ != nullptr) e.ref_logp = reference_->logp(e, stage_.train.micro_tokens);
  out.ref_s = watch.lap();
}

// Puts the KL into the reward, where it belongs there.
double Learner::measure_kl(Experience& e, MetricSums& metrics) const {
  const KlTable& table = stage_.kl;
  const double coef = run_.state().kl_coef;
  if (table.coef == 0) return coef;
  metrics["actor/kl_coef"] = {coef, 1};
  const bool is_in_reward = table.place == "reward";
  if (!is_in_reward && table.target == 0) return coef;
  const KlPenalty penalty = kl_penalty(kl_estimator(table.estimator), coef, e);
  if (is_in_reward) {
    e.streams.push_back({"kl", std::nullopt, penalty.reward});
    metrics["actor/reward_kl_penalty"] = {penalty.mean_kl, 1};
  }
  if (table.target == 0) return coef;
  return adapted_kl_coef(coef, penalty.mean_kl, table.target, table.horizon, penalty.num_seqs);
}

UpdateOptions Learner::update_options(std::int64_t step) const {
  const TrainTable& train = stage_.train;
  const std::int64_t length =
      train.aggregation_length > 0 ? train.aggregation_length : stage_.rollout.max_new_tokens;
  return {.micro_tokens = train.micro_tokens,
          .recompute = train.checkpointing,
          .critic = critic_.get(),
          .critic_alone = critic_ != nullptr && step <= stage_.critic.warmup,
          .aggregation = train.aggregation,
          .aggregation_length = static_cast<double>(length),
          .kl_coef = stage_.kl.place == "loss" ? run_.state().kl_coef : 0,
          .kl_estimator = kl_estimator(stage_.kl.estimator),
          .entropy_coef = train.entropy_coef,
          .nll_coef = train.nll_coef,
          .step = static_cast<std::uint64_t>(step)};
}

void Learner::step_optimizers(std::int64_t step, double lr, UpdateSummary& out) {
  const TrainTable& options = stage_.train;
  if (critic_ != nullptr) {
    TrainTable of_critic = options;
    of_critic.lr = stage_.critic.lr;
    out.critic_grad_norm +=
        critic_->optimizer().step(of_critic, learning_rate(of_critic, step, stage_.steps));
    ++out.num_critic;
    run_.state().critic_steps = critic_->optimizer().num_steps();
    if (step <= stage_.critic.warmup) return;
  }
  const double norm = optimizer_.step(options, lr);
  out.grad_norm += norm;
  out.num_clipped += options.clip_norm > 0 && norm > options.clip_norm ? 1 : 0;
  ++out.num_done;
}

// Updates without any signal are skipped whole.
void Learner::update(std::int64_t step, double lr, const Experience& e, UpdateSummary& out) {
  const TrainTable& options = stage_.train;
  UpdateOptions how = update_options(step);
  constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();
  double max_ratio = kNotMeasured, max_mismatch = kNotMeasured;
  for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    KeyHash key = run_.key("order");
    key.add(how.step).add(static_cast<std::uint64_t>(epoch));
    const auto order = shuffled(e.num_seqs(), key.value());
    for (std::int64_t m = 0; m < options.mini_batches; ++m) {
      const auto n = static_cast<std::int64_t>(order.size());
      std::vector<std::size_t> rows(order.begin() + n * m / options.mini_batches,
                                    order.begin() + n * (m + 1) / options.mini_batches);
      std::sort(rows.begin(), rows.end());
      how.seed = KeyHash(key).add(static_cast<std::uint64_t>(m)).value();
      how.policy_is_old = out.num_done == 0;
      const PolicyGradient g = policy_gradient(run_.model, algorithm_, e, rows, how, out.metrics);
      out.loss += g.loss;
      ++out.num_planned;
      if (g.has_logp) {
        max_ratio = std::fmax(max_ratio, g.max_ratio);
        if (how.policy_is_old) max_mismatch = std::fmax(max_mismatch, g.max_abs_mismatch);
      }
      out.value_loss += g.value_loss;
      if (!g.has_signal) continue;
      step_optimizers(step, lr, out);
      run_.report_first_update();
    }
  }
  out.metrics["ratio/max"] = {max_ratio, 1};
  out.metrics["mismatch/max_abs_logp"] = {max_mismatch, 1};
}

}  // namespace qed
