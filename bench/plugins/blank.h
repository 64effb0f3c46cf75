#pragma once

// A task whose verifier does next to nothing, so that what is left of a call is the call.

#include "qed/task.h"

class Blank {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.blank", .name = "blank", .version = "1.0.0", .summary = "no work at all"};
  static constexpr std::string_view kSplits[] = {"train"};
  static constexpr std::string_view kTerms[] = {"correct", "format", "answer"};

  std::uint64_t count(std::string_view) const { return qed::kGenerative; }
  qed::Item load(std::string_view, std::uint64_t i) const { return {std::to_string(i), "{}"}; }
  qed::Prompt render(const qed::ItemView&) const { return {.text = "?"}; }
  qed::Score verify(const qed::Sample& sample) const {
    const bool is_right = sample.text.size() % 2 == 0;
    qed::Score score{.reward = is_right ? 1.0 : 0.0, .note = is_right ? "right" : "wrong"};
    score.verdict = is_right ? qed::Verdict::kRight : qed::Verdict::kWrong;
    score.terms = {is_right ? 1.0f : 0.0f, 1, 1};
    return score;
  }
};
