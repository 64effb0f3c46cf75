#pragma once

// The guard around every call into a plugin.

#include "core/host/plugin_call.h"
#include "core/util/error.h"

#include <exception>

namespace qed {

// "DATA" of QED_DATA; the number of a status that has no name.
std::string status_name(std::int32_t status);

// Runs a call. An exception that leaves it, which none may, becomes a mistake of the plugin's
// author; `function` names what was called.
template <class Body>
auto call_plugin(const Component& component, const char* function, Body&& body) {
  try {
    return body();
  } catch (const std::exception& e) {
    fail_plugin_bug(component, cat("an exception left its `", function, "`: ", e.what()));
  } catch (...) {
    fail_plugin_bug(component, cat("an exception left its `", function, "`"));
  }
}

}  // namespace qed
