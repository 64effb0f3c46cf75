#include "core/host/component_check.h"

#include "core/host/option_check.h"
#include "core/host/plugin_call.h"

#include <cstddef>
#include <set>
#include <utility>
#include <vector>

namespace qed {
namespace {

constexpr std::uint64_t kMaxComponents = 1000;
constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
    {"task", "qed.task/1"}, {"algorithm", "qed.algorithm/1"}, {"sampler", "qed.sampler/1"}};

std::size_t mandatory_bytes(std::string_view kind) {
  if (kind == "task") return offsetof(qed_task, demonstrate);
  return kind == "algorithm" ? sizeof(qed_algorithm) : sizeof(qed_sampler);
}

std::string check_vtable(std::string_view kind, const void* vtable) {
  if (vtable == nullptr) return "its vtable is null";
  const auto& object = *static_cast<const qed_object*>(vtable);
  if (object.size < mandatory_bytes(kind)) {
    return cat("its vtable has ", object.size, " bytes, at least ", mandatory_bytes(kind),
               " are needed");
  }
  std::vector<std::pair<std::string_view, bool>> functions = {
      {"create", object.create != nullptr}, {"destroy", object.destroy != nullptr}};
  const auto must_have = [&](std::string_view name, bool is_there) {
    functions.emplace_back(name, is_there);
  };
  if (kind == "task") {
    const auto& task = *static_cast<const qed_task*>(vtable);
    must_have("count", task.count != nullptr);
    must_have("load", task.load != nullptr);
    must_have("render", task.render != nullptr);
    must_have("verify", task.verify != nullptr);
  } else if (kind == "algorithm") {
    const auto& algorithm = *static_cast<const qed_algorithm*>(vtable);
    must_have("needs", algorithm.needs != nullptr);
    must_have("advantage", algorithm.advantage != nullptr);
    must_have("loss", algorithm.loss != nullptr);
  } else {
    must_have("plan", static_cast<const qed_sampler*>(vtable)->plan != nullptr);
  }
  for (const auto& [name, is_there] : functions) {
    if (!is_there) return cat("its vtable lacks the mandatory function `", name, "`");
  }
  return "";
}

std::string check_component(const qed_component& component, std::string_view kind) {
  if (from_abi(component.id).empty()) return "its id is empty";
  for (const qed_str text : {component.id, component.name, component.version, component.summary}) {
    if (!is_utf8(from_abi(text))) return "its id, name, version or summary is not UTF-8";
  }
  std::vector<OptionSpec> options;
  if (std::string problem = read_options(component, options); !problem.empty()) return problem;
  return check_vtable(kind, component.vtable);
}

std::string check_header(const qed_plugin& plugin, const ElfPlugin& note) {
  if (plugin.size < sizeof(qed_plugin)) {
    return cat("its descriptor has ", plugin.size, " bytes, at least ", sizeof(qed_plugin),
               " are needed");
  }
  if (plugin.epoch != note.epoch || plugin.built_level != note.built_level ||
      plugin.need_level != note.need_level) {
    return cat("its descriptor says epoch ", plugin.epoch, ", built at level ", plugin.built_level,
               ", needs level ", plugin.need_level, "; its note says ", note.epoch, ", ",
               note.built_level, ", ", note.need_level);
  }
  if (plugin.num_components == 0 || plugin.components == nullptr) return "it holds no component";
  if (plugin.num_components > kMaxComponents) {
    return cat("it says that it holds ", plugin.num_components, " components");
  }
  return "";
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

std::string check_plugin(const qed_plugin& plugin, const ElfPlugin& note) {
  if (std::string problem = check_header(plugin, note); !problem.empty()) return problem;
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (std::uint64_t i = 0; i < plugin.num_components; ++i) {
    const qed_component* component = plugin.components[i];
    if (component == nullptr || component->size < sizeof(qed_component)) {
      return cat("component ", i + 1, " is null or too short");
    }
    const std::string_view kind = kind_of_id(from_abi(component->kind));
    if (kind.empty()) continue;  // of a later qed: of no use here, and no harm
    const std::string_view name = from_abi(component->name);
    if (!seen.emplace(kind, name).second) {
      return cat("it holds two of ", kind, " `", to_utf8(name), "`");
    }
    if (const std::string problem = check_component(*component, kind); !problem.empty()) {
      return cat(kind, " `", to_utf8(name), "`: ", problem);
    }
  }
  return "";
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
