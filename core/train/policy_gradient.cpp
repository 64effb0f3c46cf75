#include "core/train/policy_gradient.h"

#include "core/train/aggregation.h"
#include "core/train/forward.h"
#include "core/train/loss_terms.h"
#include "core/train/tracks.h"

#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

namespace qed {

namespace {

bool has_nonzero(std::span<const float> x) {
  return std::ranges::any_of(x, [](float v) { return v != 0; });
}

// One policy gradient.
class PolicyUpdate {
 public:
  PolicyUpdate(Transformer& model, const Algorithm& algorithm, const Experience& e,
               const UpdateOptions& options, MetricSums& metrics)
      : model_(model),
        algorithm_(algorithm),
        e_(e),
        options_(options),
        metrics_(metrics),
        tracks_(open_tracks(model)) {
    if (options.critic != nullptr) critic_tracks_ = open_tracks(options.critic->model());
  }

  PolicyGradient run(std::span<const std::size_t> rows) {
    select(rows);
    if (active_.empty()) return result_;
    prepare();
    const auto cut = track_batches(model_, sequences_, options_.micro_tokens);
    micro_batches_.resize(cut.size() - 1);
    run_tracks(model_, micro_batches_.size(),
               {.forward = [&](std::size_t i) { forward(i, cut[i], cut[i + 1]); },
                .between = [&](std::size_t i) { take_loss(*micro_batches_[i]); },
                .backward = [&](std::size_t i) { backward(i); }});
    add_up_tracks(model_);
    if (options_.critic != nullptr) add_up_tracks(options_.critic->model());
    return result_;
  }

 private:
  // Which sequences are in the loss, what their tokens weigh, and which have to be run.
  void select(std::span<const std::size_t> rows) {
    std::vector<double> num_tokens;
    double num_positive = 0;
    for (const std::size_t b : rows) {
      if (!e_.is_in_loss(b)) continue;
      kept_.push_back(b);
      num_tokens.push_back(e_.num_written(b));
      if (e_.reward[b] > 0) num_positive += num_tokens.back();
    }
    kept_weight_ = sequence_weights(options_.aggregation, options_.aggregation_length, num_tokens);
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const std::size_t b = kept_[i];
      const bool has_nll = options_.nll_coef != 0 && e_.reward[b] > 0;
      if (options_.critic == nullptr && !e_.has_advantage(b) && options_.kl_coef == 0 &&
          options_.entropy_coef == 0 && !has_nll)
        continue;
      active_.push_back(b);
      weight_.push_back(kept_weight_[i]);
      nll_weight_.push_back(has_nll && num_positive > 0 ? 1 / num_positive : 0);
      sequences_.push_back(e_.sequences[b]);
    }
  }

  // Asks the algorithm what it wants to compute from the whole update.
  void prepare() {
    if (!algorithm_.has_prepare()) return;
    const BatchView batch(e_, kept_, options_.step);
    const std::vector<float> weight = batch.weights(kept_weight_, true);
    const std::vector<float> logp = update_logp();
    qed_update update{};
    update.size = sizeof(qed_update);
    update.batch = &batch.abi();
    update.adv = {batch.adv().data(), batch.adv().size()};
    update.ret = {batch.ret().data(), batch.ret().size()};
    update.weight = {weight.data(), weight.size()};
    update.logp = {logp.data(), logp.size()};
    prepared_ = algorithm_.prepare(update, metrics_, options_.seed);
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      first_token_[kept_[i]] = batch.abi().offset.p[i];
    }
  }

  // Of the sequences in the loss, under the policy now; empty where the algorithm does not ask.
  std::vector<float> update_logp() {
    std::vector<float> out;
    if ((algorithm_.needs() & QED_NEEDS_UPDATE_LOGP) == 0) return out;
    if (options_.policy_is_old) {
      for (const std::size_t b : kept_) {
        out.insert(out.end(), e_.old_logp.begin() + static_cast<std::ptrdiff_t>(e_.offset[b]),
                   e_.old_logp.begin() + static_cast<std::ptrdiff_t>(e_.offset[b + 1]));
      }
      return out;
    }
    std::vector<Sequence> sequences;
    for (const std::size_t b : kept_) sequences.push_back(e_.sequences[b]);
    append_scores(model_, sequences, options_.micro_tokens, out, nullptr);
    return out;
  }

  // [N] What the critic says now, and the gradient of its loss; undefined without one.
  struct Values {
    at::Tensor now, grad;
  };
  // Active sequences begin .. : the forward, and the gradient of the loss in what it gave.
  struct MicroBatch {
    std::size_t begin;
    BatchView batch;
    ops::TokenLogp now;
    at::Tensor grad = {}, grad_entropy = {};
    Values critic = {};
    bool moves = false, entropy_moves = false, critic_moves = false;
  };

  void forward(std::size_t i, std::size_t begin, std::size_t end) {
    const std::size_t n = end - begin;
    const Packed packed = pack(std::span(sequences_).subspan(begin, n), Prompts::kShared);
    auto m = std::make_unique<MicroBatch>(
        MicroBatch{.begin = begin,
                   .batch = BatchView(e_, std::span(active_).subspan(begin, n), options_.step),
                   .now = token_logp(*tracks_[i % tracks_.size()], packed, options_.recompute)});
    m->grad = at::zeros_like(m->now.logp);
    if (has_entropy()) m->grad_entropy = at::zeros_like(m->now.entropy);
    if (options_.critic != nullptr) {
      m->critic.now =
          Critic::forward(*critic_tracks_[i % critic_tracks_.size()], packed, options_.recompute);
      m->critic.grad = at::zeros_like(m->critic.now);
    }
    micro_batches_[i] = std::move(m);
  }

  void take_loss(MicroBatch& m) {
    ask_algorithm(m);
    measure(m.batch.abi(), values(m.now.logp));
    const auto to = [](const at::Tensor& t) {
      return std::span(t.data_ptr<float>(), static_cast<std::size_t>(t.numel()));
    };
    add_terms(m, to(m.grad), has_entropy() ? to(m.grad_entropy) : std::span<float>());
    m.critic_moves = m.critic.now.defined() && has_nonzero(values(m.critic.grad));
    if (!options_.critic_alone) {
      m.moves = has_nonzero(values(m.grad));
      m.entropy_moves = has_entropy() && has_nonzero(values(m.grad_entropy));
      for (std::size_t b = m.begin; b < m.begin + m.batch.abi().group.n; ++b) {
        result_.has_signal |= e_.has_advantage(active_[b]);
      }
    }
    result_.has_signal |= options_.critic_alone || m.critic_moves || m.moves || m.entropy_moves;
  }

  void backward(std::size_t i) {
    const std::unique_ptr<MicroBatch> m = std::move(micro_batches_[i]);
    if (m->critic_moves) m->critic.now.backward(m->critic.grad);
    if (m->entropy_moves) {
      torch::autograd::backward({m->now.logp, m->now.entropy}, {m->grad, m->grad_entropy});
    } else if (m->moves) {
      m->now.logp.backward(m->grad);
    }
  }

  bool has_entropy() const {
    return options_.entropy_coef != 0 || (algorithm_.needs() & QED_NEEDS_ENTROPY) != 0;
  }

  void ask_algorithm(MicroBatch& m) {
    const BatchView& batch = m.batch;
    const std::size_t num_seqs = batch.abi().group.n, num_tokens = batch.num_tokens();
    const std::vector<float> weight =
        batch.weights(std::span(weight_).subspan(m.begin, num_seqs), true);
    std::vector<std::uint64_t> token;
    for (std::size_t i = m.begin; i < m.begin + num_seqs; ++i) {
      token.push_back(algorithm_.has_prepare() ? first_token_.at(active_[i]) : 0);
    }
    qed_loss args{};
    args.size = sizeof(qed_loss);
    args.batch = &batch.abi();
    args.adv = {batch.adv().data(), num_tokens};
    args.ret = {batch.ret().data(), batch.ret().size()};
    args.logp = {m.now.logp.const_data_ptr<float>(), num_tokens};
    args.weight = {weight.data(), num_tokens};
    args.grad_logp = {m.grad.data_ptr<float>(), num_tokens};
    args.prepared = {reinterpret_cast<const std::uint8_t*>(prepared_.data()), prepared_.size()};
    args.token = {token.data(), token.size()};
    if ((algorithm_.needs() & QED_NEEDS_ENTROPY) != 0) {
      args.entropy = {m.now.entropy.const_data_ptr<float>(), num_tokens};
      args.grad_entropy = {m.grad_entropy.data_ptr<float>(), num_tokens};
    }
    if (m.critic.now.defined()) {
      args.value = {m.critic.now.const_data_ptr<float>(), num_tokens};
      args.grad_value = {m.critic.grad.data_ptr<float>(), num_tokens};
    }
    algorithm_.loss(args, metrics_, options_.seed);
    result_.loss += args.loss;
    result_.value_loss += args.value_loss;
  }

  // The engine's own terms; see loss_terms.h.
  void add_terms(const MicroBatch& m, std::span<float> grad, std::span<float> grad_entropy) {
    const std::span<const float> logp = values(m.now.logp);
    const auto part = [&](const std::vector<double>& of_sequence) {
      return m.batch.weights(std::span(of_sequence).subspan(m.begin, m.batch.abi().group.n), false);
    };
    const std::vector<float> weight = part(weight_);
    const qed_f32s ref = m.batch.abi().ref_logp;
    if (options_.kl_coef != 0) {
      add_kl_loss(options_.kl_estimator, options_.kl_coef, weight, logp, {ref.p, ref.n}, grad,
                  metrics_);
    }
    if (options_.entropy_coef != 0) {
      add_entropy_bonus(options_.entropy_coef, weight, values(m.now.entropy), grad_entropy);
    }
    if (options_.nll_coef != 0) {
      add_nll(options_.nll_coef, part(nll_weight_), logp, grad, metrics_);
    }
  }

  void measure(const qed_batch& batch, std::span<const float> logp) {
    auto& [sum, count] = metrics_["ratio/mean"];
    result_.has_logp = true;
    for (std::size_t t = 0; t < logp.size(); ++t) {
      if (batch.mask.p[t] == 0) continue;
      const double ratio = std::exp(double{logp[t]} - batch.old_logp.p[t]);
      sum += ratio;
      ++count;
      result_.max_ratio = std::max(result_.max_ratio, ratio);
      result_.max_abs_mismatch =
          std::max(result_.max_abs_mismatch, std::abs(double{logp[t]} - batch.behavior_logp.p[t]));
    }
  }

  Transformer& model_;
  const Algorithm& algorithm_;
  const Experience& e_;
  const UpdateOptions& options_;
  MetricSums& metrics_;
  std::vector<std::size_t> kept_, active_;   // in the loss; and run through the model
  std::vector<double> kept_weight_;          // [kept] of each token
  std::vector<double> weight_, nll_weight_;  // [active] likewise
  std::vector<Sequence> sequences_;          // [active]
  std::vector<Transformer*> tracks_, critic_tracks_;
  std::vector<std::unique_ptr<MicroBatch>> micro_batches_;  // those that are at work
  std::string prepared_;
  std::map<std::size_t, std::uint64_t> first_token_;  // of each kept sequence in the update
  PolicyGradient result_;
};

}  // namespace

PolicyGradient policy_gradient(Transformer& model, const Algorithm& algorithm, const Experience& e,
                               std::span<const std::size_t> rows, const UpdateOptions& options,
                               MetricSums& metrics) {
  return PolicyUpdate(model, algorithm, e, options, metrics).run(rows);
}

}  // namespace qed
