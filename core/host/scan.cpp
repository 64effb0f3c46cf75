#include "core/host/scan.h"

#include "core/host/component_check.h"
#include "core/host/plugin_call.h"
#include "core/host/plugin_file.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace qed {

using nlohmann::json;

const ScannedComponent* ScannedFile::find(const std::string& kind, const std::string& name) const {
  for (const ScannedComponent& component : components) {
    if (component.kind == kind && component.name == name) return &component;
  }
  return nullptr;
}

ScannedFile scan_file(const std::filesystem::path& path, const qed_host* host) {
  ScannedFile out;
  out.path = path;
  try {
    const qed_plugin& plugin = *load_plugin_file(path, host);
    out.licence = from_abi(plugin.licence);
    out.built_level = plugin.built_level;
    out.need_level = plugin.need_level;
    for (std::uint64_t i = 0; i < plugin.num_components; ++i) {
      const qed_component& c = *plugin.components[i];
      const std::string_view kind = kind_of_id(from_abi(c.kind));
      if (kind.empty()) continue;
      out.components.push_back({std::string(kind), std::string(from_abi(c.id)),
                                std::string(from_abi(c.name)), std::string(from_abi(c.version)),
                                std::string(from_abi(c.summary)), c.flags});
    }
  } catch (const Error& error) {
    out.error = error.what();
    out.hint = error.hint();
  }
  return out;
}

json scan_to_json(const ScannedFile& file) {
  json components = json::array();
  for (const ScannedComponent& c : file.components) {
    components.push_back({{"kind", c.kind},
                          {"id", c.id},
                          {"name", c.name},
                          {"version", c.version},
                          {"summary", c.summary},
                          {"flags", c.flags}});
  }
  return {{"path", to_utf8(file.path.string())},
          {"error", to_utf8(file.error)},
          {"hint", to_utf8(file.hint)},
          {"licence", file.licence},
          {"built_level", file.built_level},
          {"need_level", file.need_level},
          {"components", components}};
}

ScannedFile scan_from_json(const json& from) {
  ScannedFile out;
  out.path = from.at("path").get<std::string>();
  from.at("error").get_to(out.error);
  from.at("hint").get_to(out.hint);
  from.at("licence").get_to(out.licence);
  from.at("built_level").get_to(out.built_level);
  from.at("need_level").get_to(out.need_level);
  for (const json& c : from.at("components")) {
    out.components.push_back(
        {c.at("kind"), c.at("id"), c.at("name"), c.at("version"), c.at("summary"), c.at("flags")});
  }
  return out;
}

std::vector<std::string> flag_words(std::uint32_t flags) {
  static constexpr std::pair<std::uint32_t, const char*> kWords[] = {
      {QED_CONCURRENT, "concurrent"},           {QED_DETERMINISTIC, "deterministic"},
      {QED_BATCH_INVARIANT, "batch_invariant"}, {QED_WHOLE_GROUPS, "whole_groups"},
      {QED_IDEMPOTENT, "idempotent"},           {QED_TOKEN_REWARDS, "token_rewards"}};
  std::vector<std::string> out;
  for (const auto& [flag, word] : kWords) {
    if ((flags & flag) != 0) out.emplace_back(word);
  }
  return out;
}

}  // namespace qed
