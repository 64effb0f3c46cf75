#pragma once

// A task whose verifier does nothing, so that what is left of a call is the call.

#include "qed/task.h"

class Blank {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.blank", .name = "blank", .version = "1.0.0", .summary = "no work at all"};
  static constexpr std::string_view kSplits[] = {"train"};
  static constexpr std::string_view kTerms[] = {"correct"};

  std::uint64_t count(std::string_view) const { return qed::kGenerative; }
  qed::Item load(std::string_view, std::uint64_t i) const { return {std::to_string(i), "{}"}; }
  qed::Prompt render(const qed::ItemView&) const { return {.text = "?"}; }
  qed::Score verify(const qed::Sample& sample) const {
    qed::Score score{.reward = sample.text.empty() ? 0.0 : 1.0};
    score.verdict = qed::Verdict::kRight;
    score.terms[0] = 1;
    return score;
  }
};
