#include "core/train/experience.h"

#include "core/host/plugin_call.h"
#include "core/util/error.h"

#include <algorithm>
#include <cmath>

namespace qed {

bool Experience::has_advantage(std::size_t b) const {
  return std::any_of(adv.begin() + static_cast<std::ptrdiff_t>(offset[b]),
                     adv.begin() + static_cast<std::ptrdiff_t>(offset[b + 1]),
                     [](float a) { return a != 0; });
}

double Experience::num_written(std::size_t b) const {
  return static_cast<double>(std::count(mask.begin() + static_cast<std::ptrdiff_t>(offset[b]),
                                        mask.begin() + static_cast<std::ptrdiff_t>(offset[b + 1]),
                                        std::uint8_t{1}));
}

Experience make_experience(std::span<const GenerateRequest> requests,
                           std::span<const std::vector<Completion>> completions,
                           std::span<const double> reward, std::span<const TokenStream> streams) {
  Experience e;
  e.offset.push_back(0);
  for (std::size_t g = 0; g < requests.size(); ++g) {
    for (const Completion& c : completions[g]) {
      const double r = reward[e.num_seqs()];
      e.sequences.push_back(
          {requests[g].prompt, c.tokens, c.support_size, c.support, c.inv_temperature});
      e.offset.push_back(e.offset.back() + c.tokens.size());
      e.group.push_back(g);
      e.finish.push_back(static_cast<std::uint8_t>(c.finish));
      e.valid.push_back(std::isfinite(r) ? 1 : 0);
      e.reward.push_back(std::isfinite(r) ? static_cast<float>(r) : 0.0f);
      e.behavior_logp.insert(e.behavior_logp.end(), c.behavior_logp.begin(), c.behavior_logp.end());
      e.entropy.insert(e.entropy.end(), c.entropy.begin(), c.entropy.end());
    }
  }
  QED_CHECK(reward.size() == e.num_seqs());
  e.old_logp = e.behavior_logp;  // the same forward code, so the same bits
  e.mask.assign(e.num_tokens(), 1);
  e.adv.assign(e.num_tokens(), 0);
  e.keep.assign(e.num_seqs(), 1);
  for (const TokenStream& s : streams) {
    QED_CHECK(s.rewards.size() == e.num_seqs());
    auto& all = e.streams.emplace_back(Experience::Stream{s.label, s.gamma, {}}).reward;
    for (const auto& r : s.rewards) all.insert(all.end(), r.begin(), r.end());
    QED_CHECK(all.size() == e.num_tokens());
  }
  return e;
}

BatchView::BatchView(const Experience& from, std::span<const std::size_t> rows,
                     std::uint64_t step) {
  offset_.push_back(0);
  stream_rewards_.resize(from.streams.size());
  for (const std::size_t b : rows) {
    const auto begin = static_cast<std::ptrdiff_t>(from.offset[b]);
    const auto end = static_cast<std::ptrdiff_t>(from.offset[b + 1]);
    const auto take = [&](auto& to, const auto& all) {
      if (!all.empty()) to.insert(to.end(), all.begin() + begin, all.begin() + end);
    };
    offset_.push_back(offset_.back() + static_cast<std::uint64_t>(end - begin));
    group_.push_back(from.group[b]);
    reward_.push_back(from.reward[b]);
    valid_.push_back(from.valid[b]);
    finish_.push_back(from.finish[b]);
    take(mask_, from.mask);
    take(behavior_logp_, from.behavior_logp);
    take(old_logp_, from.old_logp);
    take(ref_logp_, from.ref_logp);
    take(value_, from.value);
    take(adv_, from.adv);
    take(ret_, from.ret);
    take(correction_, from.correction);
    if (!from.baseline.empty()) baseline_.push_back(from.baseline[b]);
    for (std::size_t s = 0; s < from.streams.size(); ++s) {
      take(stream_rewards_[s], from.streams[s].reward);
    }
  }
  for (std::size_t s = 0; s < from.streams.size(); ++s) {
    const Experience::Stream& stream = from.streams[s];
    streams_.push_back({.size = sizeof(qed_stream),
                        .flags = stream.gamma ? QED_STREAM_HAS_GAMMA : 0u,
                        .name = to_abi(stream.label),
                        .gamma = stream.gamma.value_or(0),
                        .reward = {stream_rewards_[s].data(), stream_rewards_[s].size()}});
  }
  for (const qed_stream& stream : streams_) stream_pointers_.push_back(&stream);
  abi_.size = sizeof(qed_batch);
  abi_.step = step;
  abi_.offset = {offset_.data(), offset_.size()};
  abi_.group = {group_.data(), group_.size()};
  abi_.reward = {reward_.data(), reward_.size()};
  abi_.valid = {valid_.data(), valid_.size()};
  abi_.mask = {mask_.data(), mask_.size()};
  abi_.behavior_logp = {behavior_logp_.data(), behavior_logp_.size()};
  abi_.old_logp = {old_logp_.data(), old_logp_.size()};
  abi_.ref_logp = {ref_logp_.data(), ref_logp_.size()};
  abi_.value = {value_.data(), value_.size()};
  abi_.baseline = {baseline_.data(), baseline_.size()};
  abi_.finish = {finish_.data(), finish_.size()};
  abi_.streams = stream_pointers_.data();
  abi_.num_streams = stream_pointers_.size();
}

std::vector<float> BatchView::weights(std::span<const double> of_sequence, bool corrected) const {
  QED_CHECK(of_sequence.size() == group_.size());
  std::vector<float> out(mask_.size());
  for (std::size_t i = 0; i < of_sequence.size(); ++i) {
    for (auto t = offset_[i]; t < offset_[i + 1]; ++t) {
      const double correction = corrected && !correction_.empty() ? correction_[t] : 1;
      out[t] = static_cast<float>(mask_[t] * of_sequence[i] * correction);
    }
  }
  return out;
}

}  // namespace qed
