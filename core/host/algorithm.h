#pragma once

// An algorithm plugin, as the engine sees it: the C++ face of qed_algorithm. A failure throws Error
// with exit code 3 and the plugin's own message. Thread-safe; calls are
// serialised when the component is not QED_CONCURRENT. `seed` is the only source of entropy of a
// call.

#include "core/host/plugin_call.h"
#include "core/host/plugin_state.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace qed {

// Named metrics that a plugin adds to: name -> (sum, count).
using MetricSums = std::map<std::string, std::pair<double, double>>;

class Algorithm {
 public:
  // `options` is canonical JSON. The component must outlive the object. Throws Error with exit
  // code 3.
  Algorithm(const Component& component, const std::string& options, const qed_host* host);
  ~Algorithm();
  Algorithm(const Algorithm&) = delete;
  Algorithm& operator=(const Algorithm&) = delete;

  const std::string& name() const;
  PluginState state() const { return {component_, table_->object, self_}; }
  std::uint64_t needs() const { return needs_; }  // QED_NEEDS_<what>
  // Throws Error with exit code 3 when the algorithm needs what is not in `provided`.
  void check_needs(std::uint64_t provided) const;

  // `out` is pre-filled by the caller as abi.h says, without its metrics. Refuses advantages and
  // value targets that are not finite.
  void advantage(const qed_batch& batch, qed_advantage& out, MetricSums& metrics,
                 std::uint64_t seed) const;
  bool has_prepare() const;
  // What the plugin prepared for this update, as qed_loss.prepared; not without has_prepare.
  std::string prepare(qed_update& update, MetricSums& metrics, std::uint64_t seed) const;
  // Sets the losses, the gradients and args.metrics itself. Refuses what is not finite.
  void loss(qed_loss& args, MetricSums& metrics, std::uint64_t seed) const;

 private:
  // Runs one call of the table with a sink for metrics in `slot`; throws when it fails.
  template <class Body>
  void call(const char* function, qed_metrics*& slot, MetricSums& metrics, std::uint64_t seed,
            Body&& body) const;
  void refuse_non_finite(qed_f32s_out values, const qed_batch& batch, const char* what) const;

  const Component& component_;
  const qed_algorithm* table_;
  void* self_ = nullptr;
  std::uint64_t needs_ = 0;
  CallLock lock_;
};

}  // namespace qed
