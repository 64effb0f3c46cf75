#include "tests/conformance/algorithm_case.h"

#include "core/util/error.h"

#include <algorithm>
#include <numeric>

namespace qed::conformance {
namespace {

// The mask of the file; one token per sequence where it has none.
Json mask_of(const Json& input) {
  if (input.contains("mask")) return input["mask"];
  return Json(input["group"].size(), Json::array({1}));
}

// One reward per sequence: given, clipped and summed over its components where there are some.
double given_reward(const Json& row, std::size_t b) {
  const Json& input = row["input"];
  const Json& params = row["params"];
  if (input.contains("rewards")) {
    double reward = input["rewards"][b];
    if (params.contains("reward_clip_range") && !params["reward_clip_range"].is_null()) {
      const Json& range = params["reward_clip_range"];
      reward = std::clamp(reward, range[0].get<double>(), range[1].get<double>());
    }
    return reward;
  }
  double sum = 0;
  if (!input.contains("reward_components")) return sum;
  std::size_t k = 0;
  for (const auto& [name, values] : input["reward_components"].items()) {
    sum += params["reward_weights"][k++].get<double>() * values[b].get<double>();
  }
  return sum;
}

}  // namespace

AlgorithmCase::AlgorithmCase(const Json& row, const Mapping& mapping)
    : row_(row), input_(row["input"]) {
  const Json mask = mask_of(input_);
  order_.resize(mask.size());
  std::iota(order_.begin(), order_.end(), 0);
  if (input_.contains("group")) {
    std::ranges::stable_sort(
        order_, {}, [&](std::size_t b) { return input_["group"][b].get<std::uint64_t>(); });
  }
  for (const std::size_t b : order_) {
    group_.push_back(input_.contains("group") ? input_["group"][b].get<std::uint64_t>() : b);
    for (const Json& m : mask[b]) mask_.push_back(m == 1 ? 1 : 0);
    offset_.push_back(mask_.size());
    reward_.push_back(static_cast<float>(given_reward(row, b)));
    const bool has_baseline = input_.contains("reward_baselines");
    baseline_.push_back(has_baseline ? input_["reward_baselines"][b].get<float>() : 0.0f);
  }
  valid_.assign(num_seqs(), 1);
  finish_.assign(num_seqs(), QED_FINISH_STOP);
  stream_rewards_.reserve(2), streams_.reserve(2);  // batch_ points into them
  if (input_.contains("token_rewards")) add_rewards(mapping.part);
  const double beta = row["params"].value("beta", 0.0);
  if (mapping.part == Part::kScore && beta != 0) add_kl(beta);

  const auto logp = [&](const char* name, const char* other) {
    const Json& at = input_.contains(name) ? input_[name] : input_.value(other, Json());
    return at.is_array() ? floats(at) : std::vector<float>(num_tokens(), -1);
  };
  old_logp_ = logp("old_logp", input_.contains("rollout_logp") ? "rollout_logp" : "logp");
  behavior_logp_ = logp("rollout_logp", "old_logp");
  if (input_.contains("values")) value_ = floats(input_["values"]);
  for (const qed_stream& stream : streams_) stream_pointers_.push_back(&stream);
  batch_ = {.size = sizeof(qed_batch),
            .reserved = 0,
            .step = 1,
            .offset = {offset_.data(), offset_.size()},
            .group = {group_.data(), group_.size()},
            .reward = {reward_.data(), reward_.size()},
            .valid = {valid_.data(), valid_.size()},
            .mask = {mask_.data(), mask_.size()},
            .behavior_logp = {behavior_logp_.data(), behavior_logp_.size()},
            .old_logp = {old_logp_.data(), old_logp_.size()},
            .ref_logp = {},
            .value = {value_.empty() ? nullptr : value_.data(), value_.size()},
            .finish = {finish_.data(), finish_.size()},
            .turn = {},
            .staleness = {},
            .baseline = {baseline_.data(), baseline_.size()},
            .streams = stream_pointers_.data(),
            .num_streams = stream_pointers_.size()};
}

// The reward of the last token that the model wrote becomes the sequence's; the others a stream.
// One on a token of the environment counts in a score, as in the origin, and not in returns.
void AlgorithmCase::add_rewards(Part part) {
  const auto rewards = tokens(input_["token_rewards"]);
  std::vector<float> stream(num_tokens());
  bool is_used = false;
  for (std::size_t b = 0; b < num_seqs(); ++b) {
    auto last = offset_[b + 1];
    while (last > offset_[b] && !is_written(last - 1)) --last;
    double outcome = 0;
    for (auto t = offset_[b]; t < offset_[b + 1]; ++t) {
      if (t + 1 == last || (!is_written(t) && part == Part::kScore)) {
        outcome += rewards[t];
      } else if (is_written(t)) {
        stream[t] = static_cast<float>(rewards[t]);
        is_used = is_used || rewards[t] != 0;
      }
    }
    reward_[b] = static_cast<float>(outcome);
  }
  if (is_used) add_stream(std::move(stream), {"tokens", 6});
}

// The KL penalty in the reward, as the engine hands it over: -beta (old_logp - ref_logp) per token.
void AlgorithmCase::add_kl(double beta) {
  const auto old = tokens(input_["old_logp"]), ref = tokens(input_["ref_logp"]);
  std::vector<float> stream(num_tokens());
  for (std::size_t t = 0; t < stream.size(); ++t) {
    if (is_written(t)) stream[t] = static_cast<float>(-beta * (old[t] - ref[t]));
  }
  add_stream(std::move(stream), {"kl", 2});
}

void AlgorithmCase::add_stream(std::vector<float> rewards, qed_str name) {
  const auto& owned = stream_rewards_.emplace_back(std::move(rewards));
  streams_.push_back(qed_stream{sizeof(qed_stream), 0, name, 0, {owned.data(), owned.size()}});
}

std::vector<double> AlgorithmCase::tokens(const Json& rows) const {
  std::vector<double> out;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const Json& row = rows[order_[i]];
    const std::size_t length = offset_[i + 1] - offset_[i];
    const bool is_one = !row.is_array() || (row.size() == 1 && length != 1);
    if (!is_one && row.size() != length) throw Error("a row's length is not its mask's");
    for (std::size_t t = 0; t < length; ++t) {
      out.push_back((!row.is_array() ? row : is_one ? row[0] : row[t]).get<double>());
    }
  }
  return out;
}

std::vector<float> AlgorithmCase::floats(const Json& rows) const {
  std::vector<float> out;
  for (const double x : tokens(rows)) out.push_back(static_cast<float>(x));
  return out;
}

std::string AlgorithmCase::place(std::size_t t) const {
  const auto b =
      static_cast<std::size_t>(std::ranges::upper_bound(offset_, t) - offset_.begin()) - 1;
  return cat("token ", t - offset_[b], " of sequence ", order_[b]);
}

std::vector<double> AlgorithmCase::weights(const Aggregation& aggregation) const {
  std::vector<double> length(num_seqs());
  for (std::size_t b = 0; b < num_seqs(); ++b) {
    for (auto t = offset_[b]; t < offset_[b + 1]; ++t) length[b] += mask_[t];
  }
  using Divisor = Aggregation::Divisor;
  double divisor = aggregation.given;
  if (aggregation.divisor == Divisor::kTokens) {
    divisor = std::accumulate(length.begin(), length.end(), 0.0);
  } else if (aggregation.divisor == Divisor::kSequences) {
    divisor = static_cast<double>(std::ranges::count_if(length, [](double n) { return n > 0; }));
  } else if (aggregation.divisor == Divisor::kAllSequences) {
    divisor = static_cast<double>(num_seqs());
  }
  std::vector<double> out(num_tokens());
  for (std::size_t b = 0; b < num_seqs(); ++b) {
    double weight = aggregation.factor / divisor;
    if (input_.contains("loss_mask")) weight *= input_["loss_mask"][order_[b]].get<double>();
    if (aggregation.per_length) weight /= length[b];
    for (auto t = offset_[b]; t < offset_[b + 1]; ++t) out[t] = is_written(t) ? weight : 0;
  }
  return out;
}

std::vector<float> AlgorithmCase::corrected(const std::vector<double>& weights) const {
  std::vector<double> factor(num_tokens(), 1);
  if (input_.contains("is_weights")) factor = tokens(input_["is_weights"]);
  std::vector<float> out(num_tokens());
  for (std::size_t t = 0; t < out.size(); ++t) {
    if (is_written(t)) out[t] = static_cast<float>(weights[t] * factor[t]);
  }
  return out;
}

}  // namespace qed::conformance
