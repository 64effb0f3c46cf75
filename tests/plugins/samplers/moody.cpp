// A sampler that misbehaves on request: one mode for each check of the host.

#include "qed/sampler.h"

#include <cmath>

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
    if (!request.is_training) return plan.temperature(0);
    plan.temperature(static_cast<double>(request.step) / static_cast<double>(request.num_steps));
    plan.top_k(7);
    plan.top_p(0.5);
  }

 private:
  std::string mode_ = "good";
};

}  // namespace

QED_PLUGIN("dev.qed.test.moody", "Apache-2.0", qed::Sampler<Moody>);
