#pragma once

// What the tests of the plugin host share: where the plugins lie, and batches to feed them.

#include "core/host/plugin_host.h"
#include "core/util/error.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace qed {

inline std::filesystem::path product_plugins() { return QED_BINARY_DIR "/lib/qed/plugins"; }
inline std::filesystem::path test_plugins() { return QED_BINARY_DIR "/test_plugins"; }

// What the user sees of a failure: message, hint, exit code.
struct Failure {
  std::string message, hint;
  int exit_code = kExitOk;
};

// Runs `body`, which must throw Error.
template <class Body>
Failure failure_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return {error.what(), error.hint(), error.exit_code()};
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

// Sequences of given lengths, each a group of its own unless said otherwise. Owns what `abi` views.
struct TestBatch {
  std::vector<std::uint64_t> offset = {0}, group;
  std::vector<float> reward, behavior_logp, old_logp;
  std::vector<std::uint8_t> valid, mask, finish;
  std::uint64_t step = 1;

  void add(std::uint64_t group_id, float r, std::size_t length, bool is_valid = true) {
    group.push_back(group_id);
    reward.push_back(r);
    valid.push_back(is_valid ? 1 : 0);
    finish.push_back(QED_FINISH_STOP);
    offset.push_back(offset.back() + length);
    mask.resize(offset.back(), 1);
    behavior_logp.resize(offset.back(), -1);
    old_logp.resize(offset.back(), -1);
  }

  qed_batch abi() const {
    return {.size = sizeof(qed_batch),
            .reserved = 0,
            .step = step,
            .offset = {offset.data(), offset.size()},
            .group = {group.data(), group.size()},
            .reward = {reward.data(), reward.size()},
            .valid = {valid.data(), valid.size()},
            .mask = {mask.data(), mask.size()},
            .behavior_logp = {behavior_logp.data(), behavior_logp.size()},
            .old_logp = {old_logp.data(), old_logp.size()},
            .ref_logp = {},
            .value = {},
            .finish = {finish.data(), finish.size()},
            .turn = {},
            .staleness = {},
            .baseline = {},
            .streams = nullptr,
            .num_streams = 0};
  }
};

// The outputs of Algorithm::advantage, pre-filled as abi.h says.
struct TestAdvantage {
  explicit TestAdvantage(const TestBatch& batch)
      : adv(batch.mask.size(), 0.0f), keep(batch.group.size(), 1) {}
  qed_advantage abi() {
    return {.size = sizeof(qed_advantage),
            .reserved = 0,
            .adv = {adv.data(), adv.size()},
            .ret = {},
            .keep = {keep.data(), keep.size()},
            .metrics = nullptr};
  }
  std::vector<float> adv;
  std::vector<std::uint8_t> keep;
};

// The inputs and outputs of Algorithm::loss: every log-prob -1, every weight 1/T.
struct TestLoss {
  explicit TestLoss(TestBatch b)
      : source(std::move(b)),
        logp(source.old_logp),
        weight(logp.size(), 1.0f / static_cast<float>(logp.size())),
        adv(logp.size(), 0.0f),
        grad(logp.size(), 9.0f),
        batch(source.abi()) {}
  TestLoss(const TestLoss&) = delete;  // batch points into source

  qed_loss abi() {
    return {.size = sizeof(qed_loss),
            .reserved = 0,
            .batch = &batch,
            .adv = {adv.data(), adv.size()},
            .ret = {},
            .logp = {logp.data(), logp.size()},
            .weight = {weight.data(), weight.size()},
            .grad_logp = {grad.data(), grad.size()},
            .loss = 0,
            .metrics = nullptr,
            .prepared = {},
            .token = {},
            .entropy = {},
            .value = {},
            .grad_entropy = {},
            .grad_value = {},
            .value_loss = 0};
  }
  TestBatch source;
  std::vector<float> logp, weight, adv, grad;
  qed_batch batch;
};

}  // namespace qed
