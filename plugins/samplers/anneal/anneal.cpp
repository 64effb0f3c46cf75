// The knobs of `standard`, each moved from a start to an end value over the steps of a stage.

#include "../standard/standard.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace {

class Anneal {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.anneal",
      .name = "anneal",
      .version = "1.0.0",
      .summary = "temperature, truncation and penalties scheduled over the steps",
  };

  void options(qed::Options& o) {
    o("shape", shape_, {.choices = {"linear", "cosine"}, .help = "of the way from start to end"});
    o("span", span_,
      {.min = 0, .unit = "steps", .help = "how long it takes; 0: all steps of the stage"});
    o("temperature_start", start_.temperature, {.min = 0, .max = 100, .help = "at step 1"});
    o("temperature_end", end_.temperature,
      {.min = 0, .max = 100, .help = "from the end of span on"});
    o("top_k_start", start_.top_k, {.min = 0, .help = "0: all tokens, then top_k_end is 0 too"});
    o("top_k_end", end_.top_k, {.min = 0, .help = "0: all tokens, then top_k_start is 0 too"});
    o("top_p_start", start_.top_p, {.min = 0, .max = 1, .help = "1: all tokens"});
    o("top_p_end", end_.top_p, {.min = 0, .max = 1, .help = "1: all tokens"});
    o("min_p_start", start_.min_p, {.min = 0, .max = 1, .help = "0: all tokens"});
    o("min_p_end", end_.min_p, {.min = 0, .max = 1, .help = "0: all tokens"});
    o("repetition_penalty_start", start_.repetition_penalty,
      {.min = 0.01, .max = 100, .help = "1: off"});
    o("repetition_penalty_end", end_.repetition_penalty,
      {.min = 0.01, .max = 100, .help = "1: off"});
    o("presence_penalty_start", start_.presence_penalty,
      {.min = -100, .max = 100, .help = "0: off"});
    o("presence_penalty_end", end_.presence_penalty, {.min = -100, .max = 100, .help = "0: off"});
    o("frequency_penalty_start", start_.frequency_penalty,
      {.min = -100, .max = 100, .help = "0: off"});
    o("frequency_penalty_end", end_.frequency_penalty, {.min = -100, .max = 100, .help = "0: off"});
  }

  void check() const {
    if ((start_.top_k == 0) != (end_.top_k == 0)) {
      throw qed::Error(
          "there is no way from `top_k` 0, which is all tokens, to another value: give "
          "both `top_k_start` and `top_k_end`, or neither",
          QED_INVALID);
    }
  }

  void plan(const qed::Request& request, qed::Plan& plan) const {
    at(progress(request)).plan(plan);
  }

 private:
  // 0 at step 1, 1 from the last step of the span on.
  double progress(const qed::Request& request) const {
    const double last =
        static_cast<double>(span_ > 0 ? static_cast<std::uint64_t>(span_) : request.num_steps) - 1;
    const double done = std::max(0.0, static_cast<double>(request.step) - 1);
    const double x = last > 0 ? std::min(1.0, done / last) : 1;
    return shape_ == "linear" ? x : (1 - std::cos(std::numbers::pi * x)) / 2;
  }

  Knobs at(double x) const {
    const auto mix = [x](double a, double b) { return x < 1 ? a + (b - a) * x : b; };
    const Knobs &a = start_, &b = end_;
    return {.temperature = mix(a.temperature, b.temperature),
            .top_k = std::llround(mix(static_cast<double>(a.top_k), static_cast<double>(b.top_k))),
            .top_p = mix(a.top_p, b.top_p),
            .min_p = mix(a.min_p, b.min_p),
            .repetition_penalty = mix(a.repetition_penalty, b.repetition_penalty),
            .presence_penalty = mix(a.presence_penalty, b.presence_penalty),
            .frequency_penalty = mix(a.frequency_penalty, b.frequency_penalty)};
  }

  std::string shape_ = "linear";
  std::int64_t span_ = 0;
  Knobs start_, end_;
};

}  // namespace

QED_PLUGIN("dev.qed.anneal", "Apache-2.0", qed::Sampler<Anneal>);
