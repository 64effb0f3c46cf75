#pragma once

// The descriptor that a plugin hands over when it is loaded, checked against the ABI.

#include "core/config/option.h"
#include "core/host/elf_note.h"
#include "qed/abi.h"

#include <string>
#include <string_view>

namespace qed {

// "qed.task/1" for "task"; empty for what is no kind of this qed.
std::string_view kind_id(std::string_view kind);
// "task" for "qed.task/1"; empty for what is no kind of this qed.
std::string_view kind_of_id(std::string_view id);

// A name in a run file, and of a file: letters, digits, _ and -.
bool is_component_name(std::string_view name);

// Checks what the plugin says of itself against its note, and every component of a known kind:
// names, flags, options, and a vtable that is long enough, has all mandatory functions and points
// into the plugin, of which `entry` is an address. Returns P041 to P046, or nothing.
LoadProblem check_plugin(const qed_plugin& plugin, const ElfPlugin& note, const void* entry);

// The component of a checked plugin, or null.
const qed_component* find_component(const qed_plugin& plugin, std::string_view kind,
                                    std::string_view name);

// "task `x`, algorithm `y`": the components of a checked plugin.
std::string list_components(const qed_plugin& plugin);

// The config's view of a checked component.
ComponentSpec component_spec(const qed_component& component);

}  // namespace qed
