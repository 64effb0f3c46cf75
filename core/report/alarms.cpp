#include "core/report/alarms.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/util/error.h"

namespace qed {
namespace {

constexpr std::size_t kEntropySteps = 10;  // of a mean
constexpr int kFineRows = 5;               // in a row end an alarm
constexpr std::size_t kNormSteps = 50;     // of the running median
constexpr std::size_t kFewestNorms = 10;   // no median before

// An alarm on one metric: raised when it is above (or, below) the limit.
struct Limit {
  const char* metric;
  double limit;
  bool is_below;
  const char* sentence;  // follows the value
};

constexpr Limit kLimits[] = {
    {"training/rollout_probs_diff_mean", 0.01, false,
     "mean difference between the probabilities of rollout and training: the updates are "
     "off-policy; "
     "set a correction in [mismatch]"},
    {"rollout_corr/eff_sample_size", 0.5, true,
     "effective sample size of the importance weights: few tokens carry the update; lower "
     "train.epochs or train.mini_batches"},
    {"actor/pg_clipfrac", 0.3, false,
     "of the tokens are clipped: the updates of a step go far; lower train.lr, train.epochs or "
     "train.mini_batches"},
    {"response_length/clip_ratio", 0.25, false,
     "of the completions are cut by the budget: raise rollout.max_new_tokens, or reward shorter "
     "answers"},
    {"reward/error_rate", 0.01, false,
     "of the completions could not be scored: look for the reason in the notes of samples.jsonl"},
};

// Numbers of a row that must be some.
constexpr const char* kNumbers[] = {"critic/rewards/mean", "actor/pg_loss", "actor/entropy",
                                    "actor/grad_norm",     "sft/loss",      "sft/grad_norm"};

constexpr char kOtherItems[] =
    "choose items that are neither too easy nor too hard, or a larger rollout.group_size";

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::vector<std::string> Alarms::add(const std::string& stage, const Numbers& row) {
  const std::map<std::string, double> values(row.begin(), row.end());
  const auto at_step = values.find("step");
  const double step = at_step == values.end() ? step_ : at_step->second;
  if (stage != stage_ || step < step_) *this = {};
  stage_ = stage;
  step_ = step;
  said_.clear();
  check_limits(values);
  check_numbers(values);
  check_signal(values);
  if (const auto at = values.find("actor/entropy"); at != values.end()) check_entropy(at->second);
  if (const auto at = values.find("actor/grad_norm"); at != values.end()) {
    check_gradient(at->second);
  }
  return said_;
}

std::vector<Alarms::Raised> Alarms::replay(const std::filesystem::path& metrics_file) {
  std::vector<Raised> raised;
  std::ifstream in(metrics_file, std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    const auto row = nlohmann::json::parse(line, nullptr, false);
    if (!row.is_object()) continue;
    Numbers numbers;
    for (const auto& [name, value] : row.items()) {
      if (value.is_number()) numbers.emplace_back(name, value.get<double>());
      if (value.is_null()) numbers.emplace_back(name, std::numeric_limits<double>::quiet_NaN());
    }
    for (std::string& sentence : add(row.value("stage", ""), numbers)) {
      raised.push_back({row.value("training/global_step", std::int64_t{0}), std::move(sentence)});
    }
  }
  return raised;
}

void Alarms::check(const std::string& alarm, bool is_raised, const std::string& sentence) {
  const auto [at, is_new] = rows_until_fine_.try_emplace(alarm, 0);
  if (is_raised && at->second == 0) said_.push_back(sentence);
  at->second = is_raised ? kFineRows : std::max(0, at->second - 1);
}

void Alarms::check_limits(const std::map<std::string, double>& row) {
  for (const Limit& limit : kLimits) {
    const auto at = row.find(limit.metric);
    if (at == row.end()) continue;
    const double value = at->second;
    check(limit.metric, limit.is_below ? value < limit.limit : value > limit.limit,
          cat(limit.metric, " is ", number(value), ": ", limit.sentence));
  }
}

void Alarms::check_numbers(const std::map<std::string, double>& row) {
  for (const char* name : kNumbers) {
    const auto at = row.find(name);
    if (at == row.end()) continue;
    check(cat(name, " is a number"), !std::isfinite(at->second),
          cat(name, " is not a number: look at this step's samples"));
  }
}

// Groups of equal rewards, up to a step that has nothing else.
void Alarms::check_signal(const std::map<std::string, double>& row) {
  const auto value = [&](const char* name) {
    const auto at = row.find(name);
    return at == row.end() ? std::numeric_limits<double>::quiet_NaN() : at->second;
  };
  const double share = value("group/frac_zero_std"), rounds = value("train/num_gen_batches");
  if (std::isnan(share)) return;
  const bool is_idle = value("critic/advantages/max") == 0 && value("critic/advantages/min") == 0 &&
                       value("actor/num_updates") == 0;
  std::string what = kOtherItems;
  if (value("group/frac_all_0") == 1) {
    what = "no completion is right; choose easier items, or warm up with demonstrations";
  } else if (value("group/frac_all_1") == 1) {
    what = "every completion is right; choose harder items";
  }
  check("no signal", is_idle,
        cat("every advantage is 0", rounds > 1 ? cat(" in ", rounds, " rounds of prompts") : "",
            ", so no weight was changed: ", what));
  if (is_idle) return;
  check("group/frac_zero_std", share > 0.8,
        cat("group/frac_zero_std is ", number(share),
            ": of the groups have equal rewards and teach nothing: ", kOtherItems));
}

void Alarms::check_entropy(double entropy) {
  if (!std::isfinite(entropy)) return;
  last_entropies_.push_back(entropy);
  if (last_entropies_.size() < kEntropySteps) return;
  const double now = std::accumulate(last_entropies_.begin(), last_entropies_.end(), 0.0) /
                     static_cast<double>(last_entropies_.size());
  last_entropies_.erase(last_entropies_.begin());
  if (!first_entropy_) first_entropy_ = now;
  const std::string facts = cat("actor/entropy is ", number(now), " nats, at first it was ",
                                number(*first_entropy_), " (means of 10 steps): ");
  check("entropy low", now < 0.2 * *first_entropy_,
        facts + "the policy stops exploring; raise train.entropy_coef, or lower train.lr");
  check("entropy high", now > 2 * *first_entropy_,
        facts + "the policy comes apart; lower train.lr or train.entropy_coef");
}

void Alarms::check_gradient(double norm) {
  if (!(norm > 0)) return;  // no update
  if (norms_.size() >= kFewestNorms) {
    const double usual = median(norms_);
    check("gradient", norm > 10 * usual,
          cat("actor/grad_norm is ", number(norm), ", usually ", number(usual),
              ": look at this step's samples; train.clip_norm bounds the update"));
  }
  norms_.push_back(norm);
  if (norms_.size() > kNormSteps) norms_.erase(norms_.begin());
}

}  // namespace qed
