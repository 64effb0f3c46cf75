#include "core/host/component_check.h"

#include "core/host/option_check.h"
#include "core/host/plugin_call.h"
#include "core/host/vtable_check.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

namespace qed {
namespace {

constexpr std::uint64_t kMaxComponents = 1000;
constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
    {"task", "qed.task/1"},
    {"reward", "qed.reward/1"},
    {"algorithm", "qed.algorithm/1"},
    {"sampler", "qed.sampler/1"}};

constexpr std::uint32_t kKnownFlags = QED_CONCURRENT | QED_DETERMINISTIC | QED_BATCH_INVARIANT |
                                      QED_WHOLE_GROUPS | QED_IDEMPOTENT | QED_TOKEN_REWARDS;
// Bytes of the first release: shorter ones were never written by an SDK.
constexpr std::size_t kPluginBytes = offsetof(qed_plugin, num_components) + sizeof(std::uint64_t);
constexpr std::size_t kComponentBytes = offsetof(qed_component, vtable) + sizeof(void*);

LoadProblem bug(const char* code, const std::string& why) { return {code, why, kAuthorHint}; }

LoadProblem check_header(const qed_plugin& plugin, const ElfPlugin& note) {
  if (plugin.size < kPluginBytes) {
    return bug("P041", cat("its descriptor has ", plugin.size, " bytes, at least ", kPluginBytes,
                           " are needed"));
  }
  if (plugin.epoch != note.epoch || plugin.built_level != note.built_level ||
      plugin.need_level != note.need_level) {
    return bug("P041",
               cat("its descriptor says epoch ", plugin.epoch, ", built at level ",
                   plugin.built_level, ", needs level ", plugin.need_level, "; its note says ",
                   note.epoch, ", ", note.built_level, ", ", note.need_level));
  }
  for (const qed_str text : {plugin.id, plugin.version, plugin.licence}) {
    if (!is_utf8(from_abi(text))) return bug("P041", "its id, version or licence is not UTF-8");
  }
  if (plugin.num_components == 0 || plugin.components == nullptr) {
    return bug("P041", "it holds no component");
  }
  if (plugin.num_components > kMaxComponents) {
    return bug("P041", cat("it says that it holds ", plugin.num_components, " components"));
  }
  return {};
}

LoadProblem check_component(const qed_component& component, bool may_be_newer) {
  if (from_abi(component.id).empty()) return bug("P043", "its id is empty");
  for (const qed_str text : {component.id, component.name, component.version, component.summary}) {
    if (!is_utf8(from_abi(text))) {
      return bug("P043", "its id, name, version or summary is not UTF-8");
    }
  }
  if (!is_component_name(from_abi(component.name))) {
    return bug("P043", "a name has letters, digits, _ and - only");
  }
  if (const std::uint32_t unknown = component.flags & ~kKnownFlags; unknown && !may_be_newer) {
    return bug("P043", cat("its flags hold ", unknown, ", which this qed does not know"));
  }
  return {};
}

// "task `x`: " before the reason.
LoadProblem of_component(std::string_view kind, std::string_view name, LoadProblem problem) {
  problem.why = cat(kind, " `", to_utf8(name), "`: ", problem.why);
  return problem;
}

}  // namespace

std::string_view kind_id(std::string_view kind) {
  for (const auto& [word, id] : kKinds) {
    if (word == kind) return id;
  }
  return {};
}

std::string_view kind_of_id(std::string_view id) {
  for (const auto& [word, known] : kKinds) {
    if (known == id) return word;
  }
  return {};
}

bool is_component_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

LoadProblem check_plugin(const qed_plugin& plugin, const ElfPlugin& note, const void* entry) {
  if (LoadProblem problem = check_header(plugin, note)) return problem;
  const bool may_be_newer = plugin.built_level > QED_LEVEL;
  std::set<std::string_view> ids;
  std::set<std::pair<std::string_view, std::string_view>> names;
  for (std::uint64_t i = 0; i < plugin.num_components; ++i) {
    const qed_component* component = plugin.components[i];
    if (component == nullptr || component->size < kComponentBytes) {
      return bug("P041", cat("component ", i + 1, " is null or too short"));
    }
    const std::string_view kind = kind_of_id(from_abi(component->kind));
    if (kind.empty()) continue;  // of a later qed: of no use here, and no harm
    const std::string_view name = from_abi(component->name), id = from_abi(component->id);
    if (!names.emplace(kind, name).second) {
      return bug("P042", cat("it holds two of ", kind, " `", to_utf8(name), "`"));
    }
    if (!ids.insert(id).second) {
      return bug("P042", cat("it holds two components with the id `", to_utf8(id), "`"));
    }
    LoadProblem problem = check_component(*component, may_be_newer);
    if (!problem) problem = check_vtable(kind, component->vtable, entry);
    std::vector<OptionSpec> options;
    if (std::string why; !problem && !(why = read_options(*component, options)).empty()) {
      problem = bug("P046", why);
    }
    if (problem) return of_component(kind, name, problem);
  }
  if (names.empty()) return bug("P041", "it holds no component of a kind that this qed knows");
  return {};
}

const qed_component* find_component(const qed_plugin& plugin, std::string_view kind,
                                    std::string_view name) {
  for (std::uint64_t i = 0; i < plugin.num_components; ++i) {
    const qed_component* component = plugin.components[i];
    if (from_abi(component->kind) == kind_id(kind) && from_abi(component->name) == name) {
      return component;
    }
  }
  return nullptr;
}

std::string list_components(const qed_plugin& plugin) {
  std::string out;
  for (std::uint64_t i = 0; i < plugin.num_components; ++i) {
    const qed_component& component = *plugin.components[i];
    const std::string_view kind = kind_of_id(from_abi(component.kind));
    out += cat(out.empty() ? "" : ", ",
               kind.empty() ? to_utf8(from_abi(component.kind)) : std::string(kind), " `",
               to_utf8(from_abi(component.name)), "`");
  }
  return out;
}

ComponentSpec component_spec(const qed_component& component) {
  ComponentSpec spec;
  spec.kind = kind_of_id(from_abi(component.kind));
  spec.name = from_abi(component.name);
  spec.version = from_abi(component.version);
  spec.summary = from_abi(component.summary);
  const std::string problem = read_options(component, spec.options);
  QED_CHECK(problem.empty(), problem);
  return spec;
}

}  // namespace qed
