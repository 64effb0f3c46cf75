#include "tests/conformance/algorithms_map.h"

#include <algorithm>
#include <map>

namespace qed::conformance {
namespace {

// ---- How params become options

Json none(const Json&) { return Json::object(); }

double number(const Json& params, const char* name, double otherwise) {
  return params.contains(name) && params[name].is_number() ? params[name].get<double>() : otherwise;
}

Json verl_grpo(const Json& p) {
  return {{"normalize", p["norm_by_std"].get<bool>() ? "std" : "mean"}, {"eps", p["epsilon"]}};
}

Json trl_grpo(const Json& p) {
  const std::string scale = p["scale_rewards"];
  return {{"normalize", scale == "group"   ? "std"
                        : scale == "batch" ? "batch_std"
                                           : "mean"},
          {"eps", 1e-4}};
}

Json oat_group(const Json& p) {
  return {{"normalize", p["critic_type"] == "drgrpo" ? "mean" : "std"}, {"eps", 1e-8}};
}

Json gae(const Json& p) {
  return {{"gamma", p["gamma"]}, {"lambda", p["lam"]}, {"whiten", p.value("whiten_adv", true)}};
}

Json verl_clip(const Json& p) {
  return {{"clip_low", number(p, "clip_ratio_low", p["clip_ratio"])},
          {"clip_high", number(p, "clip_ratio_high", p["clip_ratio"])},
          {"dual_clip", number(p, "clip_ratio_c", 0)}};
}

Json verl_gspo(const Json& p) {
  Json options = verl_clip(p);
  options["gradient"] = "token";
  return options;
}

Json verl_cispo(const Json& p) {
  return {{"min_ratio", 1 - number(p, "clip_ratio_low", p["clip_ratio"])},
          {"max_ratio", 1 + number(p, "clip_ratio_high", p["clip_ratio"])}};
}

// TRL's two-sided `delta` bounds the ratio from above, which differs from the dual clip where
// A > 0 only, and only when it is below 1 + epsilon_high.
Json trl_clip(const Json& p) {
  return {{"clip_low", p["epsilon"]},
          {"clip_high", number(p, "epsilon_high", p["epsilon"])},
          {"dual_clip", number(p, "delta", 0)},
          {"max_log_ratio", 0}};
}

Json trl_gspo(const Json& p) {
  Json options = trl_clip(p);
  options["gradient"] = p["importance_sampling_level"] == "sequence" ? "sequence" : "token";
  return options;
}

Json trl_rloo(const Json& p) {
  Json options = trl_clip(p);
  options["ratio"] = "sequence";
  return options;
}

Json openrlhf_clip(const Json& p) {
  return {{"clip_low", p["clip_eps_low"]},
          {"clip_high", p["clip_eps_high"]},
          {"dual_clip", number(p, "dual_clip", 0)},
          {"max_log_ratio", p["policy_loss_type"] == "ppo" ? 20 : 0}};
}

Json oat_clip(const Json& p) {
  return {{"clip_low", p["cliprange"]}, {"clip_high", p["cliprange"]}, {"max_log_ratio", 0}};
}

// ---- How params become weights

using Divisor = Aggregation::Divisor;

Aggregation verl_mean(const Json& params) {
  const Json& p = params.contains("global_batch_info") ? params["global_batch_info"] : params;
  const std::string mode = params.value("loss_agg_mode", "token-mean");
  Aggregation a = {.factor = number(p, "dp_size", 1)};
  const char* count = mode == "token-mean" ? "batch_num_tokens" : "global_batch_size";
  a.divisor = mode == "token-mean" ? Divisor::kTokens : Divisor::kSequences;
  if (p.contains(count)) a.divisor = Divisor::kGiven, a.given = p[count];
  if (mode == "token-sum") a.divisor = Divisor::kGiven, a.given = 1;
  a.per_length = mode == "seq-mean-token-mean";
  if (mode == "seq-mean-token-sum-norm") {
    a.factor /= number(p, "loss_scale_factor", number(params, "padded_width", 1));
  }
  return a;
}

Aggregation trl_mean(const Json& p) {
  const std::string type = p.value("loss_type", "grpo");
  Aggregation a = {.factor = 1 / number(p, "gradient_accumulation_steps", 1)};
  if (type == "grpo") a.divisor = Divisor::kAllSequences, a.per_length = true;
  if (type == "dr_grpo") {
    a.divisor = Divisor::kAllSequences;
    a.factor /= p["max_completion_length"].get<double>();
  }
  if (type == "dapo" || type == "cispo") {
    a.factor = 1;
    if (p.contains("num_items_in_batch") && p["num_items_in_batch"].is_number()) {
      a.divisor = Divisor::kGiven, a.given = p["num_items_in_batch"];
    }
  }
  return a;
}

Aggregation openrlhf_mean(const Json& p) {
  if (p.value("policy_loss_type", "ppo") != "gspo" && p.value("token_level_loss", true)) return {};
  return {.divisor = Divisor::kSequences, .per_length = true};
}

Aggregation oat_mean(const Json& p) {
  Aggregation a = {.factor = number(p, "vf_coef", 1), .divisor = Divisor::kAllSequences};
  a.per_length = p.value("critic_type", "ppo") != "drgrpo";
  if (!a.per_length) a.factor /= p["generate_max_length"].get<double>();
  return a;
}

// ---- Why a case is not run

constexpr auto kMismatch = "the correction of train/rollout mismatch is the engine's";
constexpr auto kKl = "the KL penalty is the engine's";
constexpr auto kPopulation = "whitens with the population variance; qed with the unbiased one";

// qed gives 0 to a completion that is alone, veRL its reward.
std::string alone(const Json& row) {
  std::map<std::int64_t, int> size;
  for (const Json& group : row["input"]["group"]) ++size[group];
  const bool is_alone = std::ranges::any_of(size, [](const auto& g) { return g.second == 1; });
  return is_alone ? "a group of one has advantage R there, 0 in qed" : "";
}

std::string has_kl(const Json& row) {
  return number(row["params"], "kl_coef", 0) == 0
             ? ""
             : "adds the KL to the normalised score; in qed it is part of the score";
}

std::string openrlhf_corrects(const Json& row) {
  const Json& p = row["params"];
  return p.contains("vllm_is_correction_type") && !p["vllm_is_correction_type"].is_null()
             ? kMismatch
             : "";
}

std::string oat_corrects(const Json& row) {
  if (!row["params"]["tis_c"].is_null()) return kMismatch;
  return row["params"]["reinforce_update"].get<bool>()
             ? "REINFORCE without a ratio is gpg, not grpo"
             : "";
}

std::string observes(const Json& row) {
  for (const Json& mask : row["input"]["mask"]) {
    for (const Json& m : mask) {
      if (m != 1) return "bootstraps from the value of an observation token; qed carries through";
    }
  }
  return "";
}

std::string has_empty(const Json& row) {
  for (const Json& mask : row["input"]["mask"]) {
    if (std::find(mask.begin(), mask.end(), 1) == mask.end()) {
      return "a completion without tokens has the constant loss -A there, none in qed";
    }
  }
  return "";
}

std::string trl_multi(const Json& row) {
  return row["params"]["multi_objective_aggregation"] == "sum_then_normalize"
             ? ""
             : "normalises each reward by itself (GDPO): no such algorithm";
}

std::string trl_options(const Json& row) {
  const Json& p = row["params"];
  if (p.contains("use_bias_correction_kl")) return kKl;
  if (p.contains("top_entropy_quantile")) return "drops tokens by entropy: no such algorithm";
  if (p.contains("off_policy_mask_threshold")) return kMismatch;
  return "";
}

// ---- The table

constexpr Part kScore = Part::kScore, kReturns = Part::kReturns, kLoss = Part::kLoss,
               kValueLoss = Part::kValueLoss;
constexpr auto kNoSuch = "no such algorithm";

Json verl_gpg(const Json&) { return {{"alpha", "verl"}}; }
Json mean_only(const Json&) { return {{"normalize", "mean"}}; }
Json with_baseline(const Json&) { return {{"baseline", true}}; }
Json gamma(const Json& p) { return {{"gamma", p["gamma"]}}; }
Json eps_1e9(const Json&) { return {{"eps", 1e-9}}; }
Json normalized(const Json& p) { return {{"normalize", p["normalize_advantages"]}}; }
Json verl_value(const Json& p) { return {{"value_clip", p["cliprange_value"]}}; }
Json openrlhf_value(const Json& p) { return {{"value_clip", number(p, "clip_eps", 0)}}; }
Json trl_cispo(const Json& p) { return {{"min_ratio", 0}, {"max_ratio", p["epsilon_high"]}}; }

constexpr Mapping kMappings[] = {
    // function                 component, part, options, aggregation, refuses
    {"verl/grpo", "grpo", kScore, verl_grpo, nullptr, alone},
    {"verl/grpo_vectorized", "grpo", kScore, verl_grpo, nullptr, alone},
    {"verl/rloo", "rloo", kScore, none, nullptr, alone},
    {"verl/rloo_vectorized", "rloo", kScore, none},
    {"verl/opo", "opo", kScore, none, nullptr, alone},
    {"verl/gpg", "gpg", kScore, verl_gpg, nullptr, alone},
    {"verl/reinforce_plus_plus_baseline", "reinforce_pp", kScore, with_baseline, nullptr, alone},
    {"verl/reinforce_plus_plus", "reinforce_pp", kReturns, gamma},
    {"verl/remax", "remax", kReturns, none},
    {"verl/gae", "ppo", kReturns, gae},
    {"verl/loss/vanilla", "grpo", kLoss, verl_clip, verl_mean},
    {"verl/loss/gspo", "gspo", kLoss, verl_gspo, verl_mean},
    {"verl/loss/cispo", "cispo", kLoss, verl_cispo, verl_mean},
    {"verl/loss/gpg", "gpg", kLoss, none, verl_mean},
    {"verl/loss/reinforce", "gpg", kLoss, none, verl_mean},
    {"verl/value_loss", "ppo", kValueLoss, verl_value, verl_mean},

    {"trl/grpo_advantages", "grpo", kScore, trl_grpo},
    {"trl/grpo_advantages_multi", "grpo", kScore, trl_grpo, nullptr, trl_multi},
    {"trl/rloo_advantages", "rloo", kScore, normalized},
    {"trl/loss/grpo", "grpo", kLoss, trl_clip, trl_mean},
    {"trl/loss/bnpo", "grpo", kLoss, trl_clip, trl_mean},
    {"trl/loss/dapo", "grpo", kLoss, trl_clip, trl_mean},
    {"trl/loss/dr_grpo", "grpo", kLoss, trl_clip, trl_mean},
    {"trl/loss/options", "grpo", kLoss, trl_clip, trl_mean, trl_options},
    {"trl/loss/gspo", "gspo", kLoss, trl_gspo, trl_mean},
    {"trl/loss/gspo_token", "gspo", kLoss, trl_gspo, trl_mean},
    {"trl/loss/cispo", "cispo", kLoss, trl_cispo, trl_mean},
    {"trl/rloo_loss", "rloo", kLoss, trl_rloo, trl_mean, has_empty},

    {"openrlhf/group_norm", "grpo", kScore, eps_1e9, nullptr, has_kl},
    {"openrlhf/dr_grpo", "grpo", kScore, mean_only, nullptr, has_kl},
    {"openrlhf/rloo", "rloo", kScore, none, nullptr, has_kl},
    {"openrlhf/loss/ppo", "grpo", kLoss, openrlhf_clip, openrlhf_mean, openrlhf_corrects},
    {"openrlhf/loss/gspo", "gspo", kLoss, openrlhf_clip, openrlhf_mean},
    {"openrlhf/value_loss", "ppo", kValueLoss, openrlhf_value, openrlhf_mean},

    {"oat/monte_carlo_advantages", "grpo", kScore, oat_group},
    {"oat/gae", "ppo", kReturns, gae, nullptr, observes},
    {"oat/loss/grpo", "grpo", kLoss, oat_clip, oat_mean, oat_corrects},
    {"oat/loss/drgrpo", "grpo", kLoss, oat_clip, oat_mean, oat_corrects},
    {"oat/loss/ppo", "grpo", kLoss, oat_clip, oat_mean, oat_corrects},
    {"oat/value_loss", "ppo", kValueLoss, verl_value, oat_mean},

    // Not run.
    {.function = "openrlhf/gae", .reason = kPopulation},
    {.function = "openrlhf/reinforce", .reason = kPopulation},
    {.function = "openrlhf/reinforce_baseline", .reason = kPopulation},
    {.function = "verl/kl_in_reward", .reason = kKl},
    {.function = "verl/kl_penalty", .reason = kKl},
    {.function = "openrlhf/approx_kl", .reason = kKl},
    {.function = "verl/adaptive_kl_controller", .reason = kKl},
    {.function = "openrlhf/adaptive_kl_controller", .reason = kKl},
    {.function = "verl/loss/bypass_mode", .reason = kMismatch},
    {.function = "verl/rollout_is_weights", .reason = kMismatch},
    {.function = "verl/rollout_rejection", .reason = kMismatch},
    {.function = "trl/sampler_is_weights", .reason = kMismatch},
    {.function = "verl/agg_loss", .reason = "the aggregation is the engine's"},
    {.function = "verl/pf_ppo_weights", .reason = "resamples the batch: no algorithm's business"},
    {.function = "verl/gdpo", .reason = kNoSuch},
    {.function = "verl/grpo_passk", .reason = kNoSuch},
    {.function = "verl/optimal_token_baseline", .reason = kNoSuch},
    {.function = "verl/tir_optimal_token_baseline", .reason = kNoSuch},
    {.function = "verl/loss/clip_cov", .reason = kNoSuch},
    {.function = "verl/loss/kl_cov", .reason = kNoSuch},
    {.function = "verl/loss/dppo_kl", .reason = kNoSuch},
    {.function = "verl/loss/dppo_tv", .reason = kNoSuch},
    {.function = "verl/loss/dro", .reason = kNoSuch},
    {.function = "verl/loss/geo_mean", .reason = kNoSuch},
    {.function = "verl/loss/sapo", .reason = kNoSuch},
    {.function = "trl/loss/luspo", .reason = kNoSuch},
    {.function = "trl/loss/sapo", .reason = kNoSuch},
    {.function = "trl/loss/vespo", .reason = kNoSuch},
    {.function = "ragen/bi_level_gae", .reason = kNoSuch},
};

}  // namespace

std::span<const Mapping> algorithm_mappings() { return kMappings; }

}  // namespace qed::conformance
