#pragma once

// The knobs by which most models are sampled. A header, so that a sampler that moves them can be
// written on top of it.

#include "qed/sampler.h"

namespace {

struct Knobs {
  double temperature = 1;
  std::int64_t top_k = 0;
  double top_p = 1;
  double min_p = 0;
  double repetition_penalty = 1;
  double presence_penalty = 0;
  double frequency_penalty = 0;

  void options(qed::Options& o) {
    o("temperature", temperature,
      {.min = 0, .max = 100, .help = "divides the logits; 0 is greedy"});
    o("top_k", top_k, {.min = 0, .help = "tokens that stay; 0: all"});
    o("top_p", top_p, {.min = 0, .max = 1, .help = "probability mass that stays; 1: all"});
    o("min_p", min_p,
      {.min = 0, .max = 1, .help = "tokens this likely, relative to the likeliest, stay; 0: all"});
    o("repetition_penalty", repetition_penalty,
      {.min = 0.01,
       .max = 100,
       .help = "lowers logits of tokens that occurred, as a factor; 1: off"});
    o("presence_penalty", presence_penalty,
      {.min = -100, .max = 100, .help = "taken from logits of tokens in the completion; 0: off"});
    o("frequency_penalty", frequency_penalty,
      {.min = -100, .max = 100, .help = "the same, times how often they occurred; 0: off"});
  }

  // Only what does something: penalties on the logits, then the temperature, then truncation.
  void plan(qed::Plan& plan) const {
    if (repetition_penalty != 1) plan.repetition_penalty(repetition_penalty);
    if (presence_penalty != 0) plan.presence_penalty(presence_penalty);
    if (frequency_penalty != 0) plan.frequency_penalty(frequency_penalty);
    if (temperature != 1) plan.temperature(temperature);
    if (temperature == 0) return;  // greedy: the likeliest token survives any truncation
    if (top_k > 0) plan.top_k(top_k);
    if (top_p < 1) plan.top_p(top_p);
    if (min_p > 0) plan.min_p(min_p);
  }
};

}  // namespace
