// Two rewards that misbehave on request: the completion's text says how. One sees samples, and is
// not QED_CONCURRENT; the other, `moody_groups`, sees whole groups and rewards tokens.

#include "qed/reward.h"

#include <atomic>
#include <cmath>

namespace {

class Moody {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.moody.reward",
      .name = "moody",
      .version = "1.0.0",
      .summary = "misbehaves on request",
      .flags = 0,
  };

  qed::Term score(const qed::Scored& in) const {
    const std::string_view text = in.sample.text;
    if (text == "echo") return {.value = in.reward};
    if (text == "no value") throw qed::Error("no value for it");
    if (text == "throw") throw qed::Error("no value for `throw`");
    if (text == "nan") return {.value = NAN};
    if (text == "inf") return {.value = INFINITY};
    if (text == "none") return {.applies = false};
    if (text == "budget") return {.value = static_cast<double>(in.sample.max_new_tokens)};
    if (text == "long note") return {.value = 1, .note = std::string(10000, 'n')};
    // What the task said, so that a test can see it.
    return {.value = in.reward + 10 * in.term("format"),
            .note = in.verdict == qed::Verdict::kRight ? "right" : "not right"};
  }
};

class MoodyGroups {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.moody.reward_groups",
      .name = "moody_groups",
      .version = "1.0.0",
      .summary = "misbehaves on request, sees whole groups, rewards tokens",
      .flags = QED_CONCURRENT | QED_TOKEN_REWARDS,
  };

  void score(std::span<const qed::Scored> in, std::span<qed::Term> out) const {
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (in[i].sample.text == "spoil") throw qed::Error("the group is spoilt", QED_RESOURCE);
      out[i].value = static_cast<double>(in.size());
      for (float& token : in[i].token_rewards) token = static_cast<float>(i);
      if (in[i].sample.text == "nan token") in[i].token_rewards.back() = NAN;
    }
  }
};

// The SDK never answers PENDING and always sets a status; a C plugin may do otherwise.
struct Component {
  static std::int32_t score(const void* self, qed_call* call, const qed_scored* const* samples,
                            qed_term* const* terms, std::uint64_t n) {
    static std::atomic<int> times = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
      const std::string_view text = qed::view(samples[i]->sample->text);
      if (text == "untouched") continue;
      if (text == "pending" && ++times % 3 != 0) {
        terms[i]->status = QED_PENDING;
      } else {
        qed::Reward<Moody>::score(self, call, samples + i, terms + i, 1);
      }
    }
    return QED_OK;
  }

  static const qed_component* component() {
    static qed_component component = *qed::Reward<Moody>::component();
    static qed_reward table = *static_cast<const qed_reward*>(component.vtable);
    table.score = &score;
    component.vtable = &table;
    return &component;
  }
};

}  // namespace

QED_PLUGIN("dev.qed.test.moody", "Apache-2.0", Component, qed::Reward<MoodyGroups>);
