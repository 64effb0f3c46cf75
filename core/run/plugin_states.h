#pragma once

// What the plugins of a stage remember between steps (qed.state/1), in checkpoints.

#include "core/host/plugin_state.h"
#include "core/run/checkpoint.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace qed {

// [main] only; the objects must outlive it.
class PluginStates {
 public:
  // `name` is that of the file, "algorithm". An object that remembers nothing is left out.
  void add(const std::string& name, const PluginState& state);

  // Hands every object its state of a checkpoint. Throws Error where one has none there.
  void restore(const std::filesystem::path& checkpoint) const;

  // Adds the folder `plugins`, with a file NAME.state for each object; none where none remembers.
  void add_to(std::vector<CheckpointPart>& parts) const;

 private:
  std::vector<std::pair<std::string, PluginState>> states_;
};

}  // namespace qed
