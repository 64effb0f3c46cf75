#include "core/host/plugin_call.h"

#include "core/host/call_plugin.h"

#include <algorithm>
#include <cstring>

namespace qed {
namespace {

// Length of the valid UTF-8 sequence at the start of `s`; 0 where there is none. Overlong forms,
// surrogates and code points above U+10FFFF are invalid.
std::size_t sequence_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first < 0xE0   ? 2
                             : first >= 0xE0 && first < 0xF0 ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  if (length == 0 || s.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  const bool is_bad = (first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ||
                      (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90);
  return is_bad ? 0 : length;
}

}  // namespace

std::string status_name(std::int32_t status) {
  switch (status) {
    case QED_OK:
      return "OK";
    case QED_PENDING:
      return "PENDING";
    case QED_INVALID:
      return "INVALID";
    case QED_UNSUPPORTED:
      return "UNSUPPORTED";
    case QED_DEADLINE:
      return "DEADLINE";
    case QED_CANCELLED:
      return "CANCELLED";
    case QED_RESOURCE:
      return "RESOURCE";
    case QED_DATA:
      return "DATA";
    case QED_INTERNAL:
      return "INTERNAL";
    case QED_DEAD:
      return "DEAD";
    default:
      return cat(status);
  }
}

bool is_utf8(std::string_view bytes) {
  for (std::uint64_t eight; bytes.size() >= sizeof eight; bytes.remove_prefix(sizeof eight)) {
    std::memcpy(&eight, bytes.data(), sizeof eight);
    if ((eight & 0x8080808080808080) != 0) break;  // not all ASCII
  }
  while (!bytes.empty()) {
    const bool is_ascii = static_cast<unsigned char>(bytes[0]) < 0x80;
    const std::size_t n = is_ascii ? 1 : sequence_length(bytes);
    if (n == 0) return false;
    bytes.remove_prefix(n);
  }
  return true;
}

std::string to_utf8(std::string_view bytes) {
  if (is_utf8(bytes)) return std::string(bytes);
  std::string out;
  while (!bytes.empty()) {
    const std::size_t n = sequence_length(bytes);
    out += n == 0 ? std::string_view("\uFFFD") : bytes.substr(0, n);
    bytes.remove_prefix(std::max<std::size_t>(n, 1));
  }
  return out;
}

PluginCall::PluginCall(std::uint64_t seed)
    : err_{sizeof(qed_err), QED_OK, text_.data(), text_.size(), 0},
      call_{sizeof(qed_call), 0, seed, 0, nullptr, &err_} {}

std::string PluginCall::message(std::int32_t status) const {
  const auto n = std::min<std::uint64_t>(err_.msg_len, text_.size());
  if (n == 0) return cat("status ", status_name(status), " without a message");
  return to_utf8({text_.data(), n});
}

TextSink::TextSink(std::uint64_t limit, bool truncates)
    : writer_{sizeof(qed_writer), 0, this, &append}, limit_(limit), truncates_(truncates) {}

std::int32_t TextSink::append(qed_writer* self, const std::uint8_t* data,
                              std::uint64_t n) noexcept {
  auto& sink = *static_cast<TextSink*>(self->host);
  const auto room = sink.limit_ - sink.text_.size();
  sink.is_full_ = sink.is_full_ || n > room;
  if (sink.is_full_ && !sink.truncates_) return 1;
  sink.text_.append(reinterpret_cast<const char*>(data), std::min(n, room));
  return 0;
}

std::string label(const Component& component) {
  return cat(component.spec.kind, " `", component.spec.name, "` (", component.path, ")");
}

void fail_plugin(const Component& component, const std::string& what) {
  throw Error(cat(label(component), ": ", what), "", kExitPlugin);
}

void fail_plugin_bug(const Component& component, const std::string& what) {
  throw Error(cat(label(component), ": ", what),
              "this is a mistake in the plugin, not in the run file: tell its author", kExitPlugin);
}

void fail_call(const Component& component, const std::string& what, const PluginCall& call,
               std::int32_t status) {
  if (status != QED_INVALID && status != QED_DATA) {
    fail_plugin(component, what + call.message(status));
  }
  const ComponentSpec& spec = component.spec;
  throw Error(cat(spec.kind, " `", spec.name, "`: ", what, call.message(status)), "", kExitUsage);
}

void* create_object(const Component& component, const qed_object& table, const std::string& options,
                    const qed_host* host) {
  PluginCall call;
  void* self = nullptr;
  const std::int32_t status = call_plugin(
      component, "create", [&] { return table.create(host, call.abi(), to_abi(options), &self); });
  if (status != QED_OK) fail_call(component, "", call, status);
  if (table.get_extension == nullptr) return self;
  const void* extension = table.get_extension(self, to_abi("qed.state/1"));
  const auto* state = static_cast<const qed_state*>(extension);
  if (state != nullptr &&
      (state->size < sizeof(qed_state) || state->save == nullptr || state->restore == nullptr)) {
    table.destroy(self);
    fail_plugin_bug(component, "its qed.state/1 lacks `save` or `restore`");
  }
  return self;
}

}  // namespace qed
