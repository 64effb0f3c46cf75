#pragma once

// A sampler plugin, as the engine sees it: the C++ face of qed_sampler. A failure throws Error with
// exit code 3 and the plugin's own message. Used from one thread at a time.

#include "core/host/plugin_host.h"

#include <cstdint>
#include <string>
#include <vector>

namespace qed {

// One change to the distribution; see QED_OP_<op>.
struct SampleOp {
  std::uint32_t op;
  float value;
};

class Sampler {
 public:
  Sampler(const Component& component, const std::string& options, const qed_host* host);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  const std::string& name() const;
  // In the order given by the plugin. Refuses ops that this engine does not know.
  std::vector<SampleOp> plan(const qed_request& request) const;

 private:
  const Component& component_;
  const qed_sampler* table_;
  void* self_ = nullptr;
};

}  // namespace qed
