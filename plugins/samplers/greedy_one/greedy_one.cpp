// One greedy completion per group, at index 0; the others are drawn as by `standard`.

#include "../standard/standard.h"

namespace {

class GreedyOne {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.greedy_one",
      .name = "greedy_one",
      .version = "1.0.0",
      .summary = "the first completion of a group is greedy, the others as by standard",
  };

  void options(qed::Options& o) { knobs_.options(o); }

  void plan(const qed::Request& request, qed::Plan& plan) const {
    Knobs knobs = knobs_;
    if (request.index == 0) knobs.temperature = 0;
    knobs.plan(plan);
  }

 private:
  Knobs knobs_;
};

}  // namespace

QED_PLUGIN("dev.qed.greedy_one", "Apache-2.0", qed::Sampler<GreedyOne>);
