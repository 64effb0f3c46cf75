#include "core/host/plugin_state.h"

#include "core/host/plugin_call.h"

namespace qed {

namespace {

constexpr std::uint64_t kMaxState = 1 << 30;

}  // namespace

PluginState::PluginState(const Component& component, const qed_object& table, void* self)
    : component_(component), self_(self) {
  if (table.get_extension == nullptr) return;
  state_ = static_cast<const qed_state*>(table.get_extension(self, to_abi("qed.state/1")));
}

std::string PluginState::save() const {
  PluginCall call;
  TextSink out(kMaxState);
  const std::int32_t status = state_->save(self_, call.abi(), out.abi());
  if (out.is_full()) {
    fail_plugin(component_, cat("its state has more than ", kMaxState, " bytes"));
  }
  if (status != QED_OK) {
    fail_plugin(component_, "its state cannot be saved: " + call.message(status));
  }
  return std::move(out.text());
}

void PluginState::restore(std::string_view state) const {
  PluginCall call;
  const qed_bytes bytes = {reinterpret_cast<const std::uint8_t*>(state.data()), state.size()};
  const std::int32_t status = state_->restore(self_, call.abi(), bytes);
  if (status == QED_OK) return;
  fail_plugin(component_, "its state cannot be restored: " + call.message(status));
}

}  // namespace qed
