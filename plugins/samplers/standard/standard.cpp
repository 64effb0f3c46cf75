// The standard sampler: penalties, temperature, then top-k, top-p and min-p.

#include "standard.h"

namespace {

class Standard {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.standard",
      .name = "standard",
      .version = "1.1.0",
      .summary = "penalties, temperature, top-k, top-p and min-p",
  };

  void options(qed::Options& o) { knobs_.options(o); }
  void plan(const qed::Request&, qed::Plan& plan) const { knobs_.plan(plan); }

 private:
  Knobs knobs_;
};

}  // namespace

QED_PLUGIN("dev.qed.standard", "Apache-2.0", qed::Sampler<Standard>);
