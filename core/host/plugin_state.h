#pragma once

// What an object of a plugin remembers between calls: its "qed.state/1". A component without it is
// a pure function of its options and arguments.

#include "core/host/plugin_host.h"

#include <string>
#include <string_view>

namespace qed {

// The state of one object, which must outlive this.
class PluginState {
 public:
  PluginState(const Component& component, const qed_object& table, void* self);

  bool is_kept() const { return state_ != nullptr; }
  // Both only where it is kept, and while no other call of the object runs. They throw Error with
  // exit code 3 when the plugin fails, or gives more than 1 GiB.
  std::string save() const;
  void restore(std::string_view state) const;

 private:
  const Component& component_;
  void* self_;
  const qed_state* state_ = nullptr;
};

}  // namespace qed
