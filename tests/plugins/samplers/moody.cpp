// A sampler that misbehaves on request: one mode for each check of the host.

#include "qed/sampler.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

class Moody {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.moody.sampler",
      .name = "moody",
      .version = "1.0.0",
      .summary = "misbehaves on request",
  };

  void options(qed::Options& o) { o("mode", mode_, {.help = "what goes wrong"}); }

  void plan(const qed::Request& request, qed::Plan& plan) const {
    if (mode_ == "throw") throw qed::Error("no plan for sample " + std::to_string(request.index));
    if (mode_ == "hot") plan.temperature(NAN);
    if (mode_ == "many") {
      for (int i = 0; i < 17; ++i) plan.top_k(5);
    }
    if (mode_ == "top_k") plan.top_k(0);
    if (mode_ == "top_p") plan.top_p(1.5);
    if (mode_ == "min_p") plan.min_p(-1);
    if (mode_ == "repetition") plan.repetition_penalty(0);
    if (mode_ == "presence") plan.presence_penalty(NAN);
    if (mode_ == "frequency") plan.frequency_penalty(INFINITY);
    if (mode_ == "bias") plan.logit_bias(kIds, std::span(kValues).first(1));
    if (mode_ == "nan_bias") plan.logit_bias(std::span(kIds).first(1), std::vector<float>{NAN});
    if (mode_ == "ban") plan.ban(std::vector<std::int32_t>{50});
    if (mode_ == "all") return all(plan);
    if (!request.is_training) return plan.temperature(0);
    plan.temperature(static_cast<double>(request.step) / static_cast<double>(request.num_steps));
    plan.top_k(7);
    plan.top_p(0.5);
  }

  // Only token 0 is allowed.
  void mask(std::span<qed_mask_row* const> rows) const {
    for (qed_mask_row* row : rows) {
      std::fill_n(row->allowed.p, row->allowed.n, std::uint8_t{0});
      if (mode_ != "no_token") row->allowed.p[0] = 1;
    }
  }

 private:
  static constexpr std::int32_t kIds[] = {0, 49};
  static constexpr float kValues[] = {1.5f, -2.5f};

  static void all(qed::Plan& plan) {
    plan.min_p(0.5);
    plan.repetition_penalty(1.25);
    plan.presence_penalty(0.5);
    plan.frequency_penalty(-0.5);
    plan.logit_bias(kIds, kValues);
    plan.ban(std::vector<std::int32_t>{3});
  }

  std::string mode_ = "good";
};

}  // namespace

QED_PLUGIN("dev.qed.test.moody", "Apache-2.0", qed::Sampler<Moody>);
