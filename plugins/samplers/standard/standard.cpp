// The standard sampler: temperature, then top-k, then top-p.

#include "qed/sampler.h"

namespace {

class Standard {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.standard",
      .name = "standard",
      .version = "1.0.0",
      .summary = "temperature, top-k and top-p",
  };

  void options(qed::Options& o) {
    o("temperature", temperature_,
      {.min = 0, .max = 100, .help = "divides the logits; 0 is greedy"});
    o("top_k", top_k_, {.min = 0, .help = "tokens that stay; 0: all"});
    o("top_p", top_p_, {.min = 0, .max = 1, .help = "probability mass that stays; 1: all"});
  }

  void plan(const qed::Request&, qed::Plan& plan) const {
    plan.temperature(temperature_);
    if (top_k_ > 0) plan.top_k(top_k_);
    if (top_p_ < 1) plan.top_p(top_p_);
  }

 private:
  double temperature_ = 1.0;
  std::int64_t top_k_ = 0;
  double top_p_ = 1.0;
};

}  // namespace

QED_PLUGIN("dev.qed.standard", "Apache-2.0", qed::Sampler<Standard>);
