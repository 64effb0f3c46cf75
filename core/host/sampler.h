#pragma once

// A sampler plugin, as the engine sees it: the C++ face of qed_sampler. A failure throws Error with
// exit code 3 and the plugin's own message. Thread-safe; calls are serialised when the component is
// not QED_CONCURRENT.

#include "core/host/plugin_call.h"
#include "core/host/plugin_state.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qed {

// One change to the distribution; see QED_OP_<op>.
struct SampleOp {
  std::uint32_t op;
  float value;                         // of an op that has one
  std::vector<std::int32_t> ids = {};  // QED_OP_LOGIT_BIAS, QED_OP_BAN; each below the vocab_size
  std::vector<float> values = {};      // QED_OP_LOGIT_BIAS, one per id
};

class Sampler {
 public:
  Sampler(const Component& component, const std::string& options, const qed_host* host);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  const std::string& name() const;
  PluginState state() const { return {component_, table_->object, self_}; }
  // In the order given by the plugin. Refuses ops that abi.h does not have, and values that make no
  // sense. `seed` is the only source of entropy of the call.
  std::vector<SampleOp> plan(const qed_request& request, std::uint64_t seed) const;

  // The sampler wants to constrain tokens by `mask`.
  bool has_mask() const;
  // `rows` are pre-filled as abi.h says. Refuses a row that leaves no token. Not without has_mask.
  void mask(std::span<qed_mask_row* const> rows, std::uint64_t seed) const;

 private:
  const Component& component_;
  const qed_sampler* table_;
  void* self_ = nullptr;
  CallLock lock_;
};

}  // namespace qed
