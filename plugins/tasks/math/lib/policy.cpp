#include "policy.h"

#include <algorithm>
#include <array>

namespace math {

namespace {

constexpr Policy kQwen{.name = "qwen",
                       .place = Place::kLadder,
                       .percent = Percent::kEither,
                       .tolerance = Tolerance::kRelative,
                       .set_is_tuple = true,
                       .log_is_either = true};
constexpr Policy kMathVerify{.name = "math_verify",
                             .place = Place::kLadder,
                             .tolerance = Tolerance::kPlaces,
                             .relation_is_set = RelationIsSet::kGold,
                             .set_is_tuple = true};
constexpr Policy kPrm800k{.name = "prm800k",
                          .place = Place::kBoxed,
                          .percent = Percent::kDropped,
                          .ordered_lists = true,
                          .require_reduced = true,
                          .whole_is_whole = true,
                          .log_is_either = true};

constexpr Policy named(Policy policy, std::string_view name) {
  policy.name = name;
  return policy;
}
constexpr Policy anchored(Policy policy) {
  policy.needs_anchor = true;
  policy.reads_plain = false;
  return policy;
}
constexpr Policy without_thinking(Policy policy) {
  policy.skips_thinking = true;
  return policy;
}

constexpr std::array kPresets = {
    kMathVerify,
    kQwen,
    Policy{.name = "hendrycks", .place = Place::kBoxedTeX, .rule = Rule::kHendrycks},
    kPrm800k,
    without_thinking(named(kPrm800k, "deepscaler")),
    Policy{.name = "dapo", .place = Place::kAnswer, .rule = Rule::kDapo},
    named(kQwen, "simplerl_v0"),
    named(kMathVerify, "simplerl_v1"),
    anchored(named(kMathVerify, "open_r1")),
    Policy{.name = "strict",
           .place = Place::kBoxed,
           .skips_thinking = true,
           .tolerance = Tolerance::kRounded,
           .units_count = true,
           .ratio_is_quotient = false,
           .steps_count = true,
           .log_is_either = true},
};

}  // namespace

std::span<const Policy> presets() { return kPresets; }

std::optional<Policy> preset(std::string_view name) {
  const auto at = std::ranges::find(kPresets, name, &Policy::name);
  if (at == kPresets.end()) return std::nullopt;
  return *at;
}

}  // namespace math
