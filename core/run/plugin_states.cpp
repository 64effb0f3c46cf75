#include "core/run/plugin_states.h"

#include "core/util/error.h"
#include "core/util/files.h"

namespace qed {

namespace {

namespace fs = std::filesystem;

constexpr char kFolder[] = "plugins";

fs::path file_in(const fs::path& folder, const std::string& name) {
  return folder / (name + ".state");
}

}  // namespace

void PluginStates::add(const std::string& name, const PluginState& state) {
  if (state.is_kept()) states_.emplace_back(name, state);
}

void PluginStates::restore(const fs::path& checkpoint) const {
  for (const auto& [name, state] : states_) {
    const fs::path file = file_in(checkpoint / kFolder, name);
    if (!fs::exists(file)) {
      throw Error(cat(checkpoint.string(), " lacks plugins/", name, ".state"),
                  "start again with --fresh");
    }
    state.restore(read_file(file));
  }
}

void PluginStates::add_to(std::vector<CheckpointPart>& parts) const {
  if (states_.empty()) return;
  parts.push_back({kFolder, [this](const fs::path& folder) {
                     for (const auto& [name, state] : states_) {
                       write_file(file_in(folder, name), state.save());
                     }
                   }});
}

}  // namespace qed
