#pragma once

// An algorithm plugin, as the engine sees it: the C++ face of qed_algorithm. A failure throws Error
// with exit code 3 and the plugin's own message. Used from one thread at a time.

#include "core/host/plugin_host.h"

#include <cstdint>
#include <map>
#include <string>

namespace qed {

// Named metrics that a loss adds to: name -> (sum, count).
using MetricSums = std::map<std::string, std::pair<double, double>>;

class Algorithm {
 public:
  // Throws Error with exit code 3, also when the algorithm needs what this engine does not provide.
  Algorithm(const Component& component, const std::string& options, const qed_host* host);
  ~Algorithm();
  Algorithm(const Algorithm&) = delete;
  Algorithm& operator=(const Algorithm&) = delete;

  const std::string& name() const;
  // `out` is pre-filled by the caller as abi.h says. Refuses advantages that are not finite.
  void advantage(const qed_batch& batch, qed_advantage& out) const;
  // Sets args.loss and args.grad_logp; sets args.metrics itself. Refuses what is not finite.
  void loss(qed_loss& args, MetricSums& metrics) const;

 private:
  const Component& component_;
  const qed_algorithm* table_;
  void* self_ = nullptr;
};

}  // namespace qed
