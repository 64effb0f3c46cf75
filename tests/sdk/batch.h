#pragma once

// What the tests of building blocks and algorithms share: a batch that owns what a qed_batch views.

#include "qed/abi.h"
#include "qed/philox.h"

#include <cmath>
#include <deque>
#include <vector>

// One token per sequence unless said otherwise.
struct Owned {
  std::vector<std::uint64_t> offset = {0}, group;
  std::vector<float> reward, baseline, value, old_logp;
  std::vector<std::uint8_t> valid, mask;
  std::deque<std::vector<float>> stream_rewards;
  std::deque<qed_stream> streams;
  std::vector<const qed_stream*> stream_pointers;

  void add(std::uint64_t g, float r, std::size_t length = 1, bool is_valid = true) {
    group.push_back(g);
    reward.push_back(r);
    baseline.push_back(0.25f);
    valid.push_back(is_valid ? 1 : 0);
    offset.push_back(offset.back() + length);
    mask.resize(offset.back(), 1);
    value.resize(offset.back(), 0);
    old_logp.resize(offset.back(), -1);
  }

  // gamma < 0: the algorithm's own.
  void add_stream(std::vector<float> rewards, double gamma = -1) {
    const auto& owned = stream_rewards.emplace_back(std::move(rewards));
    const std::uint32_t flags = gamma < 0 ? 0 : QED_STREAM_HAS_GAMMA;
    streams.push_back({sizeof(qed_stream), flags, {"s", 1}, gamma, {owned.data(), owned.size()}});
    stream_pointers.push_back(&streams.back());
  }

  // The same with a token of the environment before every token, and one at the end of each
  // sequence. What stands there is to change nothing.
  Owned with_observations() const {
    Owned out;
    std::vector<std::vector<float>> rewards(streams.size());
    for (std::size_t b = 0; b < group.size(); ++b) {
      out.add(group[b], reward[b], 2 * (offset[b + 1] - offset[b]) + 1, valid[b] != 0);
      for (auto t = offset[b]; t < offset[b + 1]; ++t) {
        const std::size_t at = out.offset[b] + 2 * (t - offset[b]);
        out.mask[at] = 0, out.value[at] = 77, out.old_logp[at] = -33;
        out.mask[at + 1] = mask[t], out.value[at + 1] = value[t];
        out.old_logp[at + 1] = old_logp[t];
      }
      out.mask.back() = 0, out.value.back() = 55;
    }
    for (std::size_t s = 0; s < streams.size(); ++s) {
      const bool has_gamma = (streams[s].flags & QED_STREAM_HAS_GAMMA) != 0;
      out.add_stream(spread(stream_rewards[s]), has_gamma ? streams[s].gamma : -1);
    }
    return out;
  }
  // A row of the batch in the places that with_observations gives its tokens; 0 between them.
  std::vector<float> spread(const std::vector<float>& row) const {
    std::vector<float> out;
    for (std::size_t b = 0; b < group.size(); ++b) {
      for (auto t = offset[b]; t < offset[b + 1]; ++t) out.push_back(0), out.push_back(row[t]);
      out.push_back(0);
    }
    return out;
  }

  qed_batch abi() const {
    qed_batch out{};
    out.size = sizeof(qed_batch);
    out.step = 1;
    out.offset = {offset.data(), offset.size()};
    out.group = {group.data(), group.size()};
    out.reward = {reward.data(), reward.size()};
    out.valid = {valid.data(), valid.size()};
    out.mask = {mask.data(), mask.size()};
    out.behavior_logp = out.old_logp = {old_logp.data(), old_logp.size()};
    out.value = {value.data(), value.size()};
    out.baseline = {baseline.data(), baseline.size()};
    out.streams = stream_pointers.data();
    out.num_streams = stream_pointers.size();
    return out;
  }

  Owned() = default;
  Owned(Owned&&) = default;
  Owned& operator=(Owned&&) = default;
  Owned(const Owned&) = delete;  // streams point into it
};

// Numbers on a grid of 1/4096, so that float32 holds them and small steps from them exactly.
inline float grid(qed::Rng& rng, double low, double high) {
  return static_cast<float>(std::round((low + (high - low) * rng.real()) * 4096) / 4096);
}
