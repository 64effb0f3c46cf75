// An algorithm that misbehaves on request: one mode for each check of the host.

#include "qed/algorithm.h"

#include <cmath>
#include <numeric>

namespace {

class Moody {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.moody.algorithm",
      .name = "moody",
      .version = "1.2.3",
      .summary = "misbehaves on request",
  };

  void options(qed::Options& o) {
    o("mode", mode_,
      {.choices = {"good", "needs_value", "create", "advantage", "nan_advantage", "loss",
                   "nan_loss", "inf_grad", "nan_metric", "nan_value"},
       .help = "what goes wrong"});
    o("scale", scale_, {.min = 0, .max = 10, .unit = "kg", .help = "of the loss"});
    o("count", count_, {.min = -3, .help = "a whole number"});
    o("loud", loud_, {.help = "a switch"});
  }

  void check() const {
    if (mode_ == "create") throw qed::Error("mode `create` cannot be made", QED_INVALID);
  }

  std::uint64_t needs() const { return mode_ == "needs_value" ? QED_NEEDS_VALUE : 0; }

  void advantage(const qed::Batch& batch, qed::Advantage& out) const {
    if (mode_ == "advantage") throw qed::Error("the batch is too small");
    for (std::size_t b = 0; b < batch.num_seqs(); ++b) out.adv[batch.offset[b]] = batch.reward[b];
    out.metric("moody/rewards", std::accumulate(batch.reward.begin(), batch.reward.end(), 0.0),
               static_cast<double>(batch.num_seqs()));
    if (mode_ == "nan_advantage") out.adv.back() = NAN;
    out.keep[0] = 0;
  }

  std::string prepare(const qed::Batch& batch, const qed::Update& update) const {
    update.metrics->add(update.metrics, qed::str("moody/updates"), 1, 1);
    return std::to_string(batch.num_tokens()) + " tokens";
  }

  double loss(const qed::Batch&, qed::LossArgs& args) const {
    if (mode_ == "loss") throw std::runtime_error("the loss is lost");
    args.metric("moody/calls", mode_ == "nan_metric" ? NAN : 1, 1);
    if (!args.prepared.empty()) {
      args.metric("moody/prepared", static_cast<double>(args.prepared.size()), 1);
    }
    if (!args.value.empty()) {
      args.value_loss = args.value[0];
      args.grad_value[0] = 1;
      if (mode_ == "nan_value") args.grad_value.back() = NAN;
    }
    args.grad_logp[0] = static_cast<float>(scale_);
    if (mode_ == "inf_grad") args.grad_logp.back() = INFINITY;
    return mode_ == "nan_loss" ? NAN : scale_;
  }

 private:
  std::string mode_ = "good";
  double scale_ = 2;
  std::int64_t count_ = -1;
  bool loud_ = true;
};

}  // namespace

QED_PLUGIN("dev.qed.test.moody", "Apache-2.0", qed::Algorithm<Moody>);
