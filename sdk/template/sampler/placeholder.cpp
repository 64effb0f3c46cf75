// placeholder: every completion of a group has a temperature of its own, from low to high. The cold
// ones use what the model knows, the hot ones explore. Evaluation is greedy.

#include "qed/sampler.h"

namespace {

class Placeholder {
 public:
  static constexpr qed::Info kInfo{
      .id = "com.example.placeholder",
      .name = "placeholder",
      .version = "1.0.0",
      .summary = "temperatures spread over the completions of a group",
  };

  void options(qed::Options& o) {
    o("low", low_, {.min = 0, .max = 10, .help = "temperature of the first completion"});
    o("high", high_, {.min = 0, .max = 10, .help = "temperature of the last completion"});
  }
  void check() const {
    if (low_ > high_) throw qed::Error("option `low` is above option `high`", QED_INVALID);
  }

  void plan(const qed::Request& request, qed::Plan& plan) const {
    if (!request.is_training) return plan.temperature(0);
    const double last = static_cast<double>(request.group_size) - 1;
    const double place = last > 0 ? static_cast<double>(request.index) / last : 0.5;
    plan.temperature(low_ + (high_ - low_) * place);
  }

 private:
  double low_ = 0.7;
  double high_ = 1.3;
};

}  // namespace

QED_PLUGIN("com.example.placeholder", "Apache-2.0", qed::Sampler<Placeholder>);
