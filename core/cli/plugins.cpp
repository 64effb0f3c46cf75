#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "core/cli/open_host.h"
#include "core/cli/render.h"
#include "core/util/words.h"

namespace qed {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct PluginsOptions : CommonOptions {
  std::string name;
  bool is_json = false;
  bool is_fresh = false;
};

// A component where it lies, and the file that load() takes instead of this one.
struct Row {
  const ScannedFile* file;
  const ScannedComponent* component;
  fs::path hidden_by;  // empty: it is the one
};

std::vector<Row> rows_of(PluginHost& host) {
  std::vector<Row> rows;
  for (const char* kind : kPluginKinds) {
    const std::size_t begin = rows.size();
    for (const ScannedFile& file : host.scan()) {
      for (const ScannedComponent& c : file.components) {
        if (c.kind != kind) continue;
        const fs::path taken = host.where(kind, c.name);
        rows.push_back({&file, &c, taken == file.path ? fs::path() : taken});
      }
    }
    std::ranges::stable_sort(rows.begin() + static_cast<std::ptrdiff_t>(begin), rows.end(), {},
                             [](const Row& row) { return row.component->name; });
  }
  return rows;
}

std::vector<const ScannedFile*> failed_files(PluginHost& host) {
  std::vector<const ScannedFile*> out;
  for (const ScannedFile& file : host.scan()) {
    if (!file.error.empty()) out.push_back(&file);
  }
  return out;
}

ordered_json row_json(const Row& row) {
  const ScannedComponent& c = *row.component;
  ordered_json out = {{"kind", c.kind},
                      {"name", c.name},
                      {"id", c.id},
                      {"version", c.version},
                      {"summary", c.summary},
                      {"flags", flag_words(c.flags)},
                      {"licence", row.file->licence},
                      {"file", row.file->path.string()}};
  if (!row.hidden_by.empty()) out["hidden_by"] = row.hidden_by.string();
  return out;
}

int list_json(PluginHost& host) {
  ordered_json out = {{"components", ordered_json::array()}, {"failed", ordered_json::array()}};
  for (const Row& row : rows_of(host)) out["components"].push_back(row_json(row));
  for (const ScannedFile* file : failed_files(host)) {
    out["failed"].push_back(
        {{"file", file->path.string()}, {"error", file->error}, {"hint", file->hint}});
  }
  std::printf("%s\n", out.dump(2).c_str());
  return out["failed"].empty() ? kExitOk : kExitPlugin;
}

void print_kind(const std::string& kind, const std::vector<Row>& rows) {
  std::printf("%ss\n", kind.c_str());
  int name_width = 0, version_width = 0, summary_width = 0;
  const auto widen = [](int& width, const std::string& text) {
    width = std::max(width, static_cast<int>(text.size()));
  };
  bool is_empty = true;
  for (const auto& [file, c, hidden_by] : rows) {
    if (c->kind != kind) continue;
    widen(name_width, c->name);
    widen(version_width, c->version);
    widen(summary_width, c->summary);
    is_empty = false;
  }
  for (const auto& [file, c, hidden_by] : rows) {
    if (c->kind != kind) continue;
    std::printf("  %-*s  %-*s  %-*s  %s\n", name_width, c->name.c_str(), version_width,
                c->version.c_str(), summary_width, c->summary.c_str(), file->path.c_str());
    if (hidden_by.empty()) continue;
    std::printf("  %-*s  hidden: %s comes first\n", name_width, "", hidden_by.c_str());
  }
  if (is_empty) std::printf("  none found; --plugin-dir FOLDER says where to search\n");
}

int list(PluginHost& host) {
  const std::vector<Row> rows = rows_of(host);
  for (const char* kind : kPluginKinds) print_kind(kind, rows);
  const auto failed = failed_files(host);
  if (!failed.empty()) std::printf("\nfailed\n");
  for (const ScannedFile* file : failed) {
    std::printf("  %s\n", file->error.c_str());
    if (!file->hint.empty()) std::printf("    hint: %s\n", file->hint.c_str());
  }
  std::printf("\n`qed plugins NAME` shows the options of one.\n");
  return failed.empty() ? kExitOk : kExitPlugin;
}

ordered_json option_json(const OptionSpec& option) {
  static constexpr const char* kTypes[] = {"bool", "int", "float", "string", "floats"};
  ordered_json out = {{"name", option.name}, {"type", kTypes[static_cast<int>(option.type)]}};
  if (option.default_value.is_null()) {
    out["required"] = true;
  } else {
    out["default"] = option.default_value;
  }
  if (option.min) out["min"] = *option.min;
  if (option.max) out["max"] = *option.max;
  if (!option.choices.empty()) out["choices"] = option.choices;
  if (!option.unit.empty()) out["unit"] = option.unit;
  out["help"] = option.help;
  return out;
}

void show(const Row& row, const Component& component) {
  const ScannedComponent& c = *row.component;
  std::printf("%s %s %s: %s\n%s\n", c.kind.c_str(), c.name.c_str(), c.version.c_str(),
              c.summary.c_str(), component.path.c_str());
  std::string flags;
  for (const std::string& word : flag_words(c.flags)) {
    flags += cat(flags.empty() ? "; " : ", ", word);
  }
  std::printf("%s, %s, ABI level %u%s\n\n", c.id.c_str(), row.file->licence.c_str(),
              row.file->built_level, flags.c_str());
  if (component.spec.options.empty()) {
    std::printf("  no options\n");
  } else {
    std::fputs(option_table(component.spec.options).c_str(), stdout);
  }
}

[[noreturn]] void refuse_name(PluginHost& host, const std::string& name) {
  std::set<std::string> known;
  for (const ScannedFile& file : host.scan()) {
    if (!file.error.empty() && file.path.stem() == name) {
      throw Error(file.error, file.hint, kExitPlugin);
    }
    for (const ScannedComponent& c : file.components) known.insert(c.name);
  }
  const std::string hint = closest_hint("plugin", nearest(name, {known.begin(), known.end()}));
  throw Error(cat("no plugin is called `", name, "`"),
              cat(hint, hint.empty() ? "" : "; ", "`qed plugins` lists them"), kExitPlugin);
}

int show_named(PluginHost& host, const std::string& name, bool is_json) {
  ordered_json all = ordered_json::array();
  bool is_found = false;
  for (const Row& row : rows_of(host)) {
    if (row.component->name != name || !row.hidden_by.empty()) continue;
    const Component& component = host.load(row.component->kind, name);
    if (is_json) {
      ordered_json& out = all.emplace_back(row_json(row));
      out["options"] = ordered_json::array();
      for (const OptionSpec& option : component.spec.options) {
        out["options"].push_back(option_json(option));
      }
    } else {
      if (is_found) std::printf("\n");
      show(row, component);
    }
    is_found = true;
  }
  if (!is_found) refuse_name(host, name);
  if (is_json) std::printf("%s\n", all.dump(2).c_str());
  return kExitOk;
}

}  // namespace

Run add_plugins(CLI::App& app) {
  auto options = std::make_shared<PluginsOptions>();  // lives as long as the command line
  CLI::App* command = app.add_subcommand("plugins", "List plugins, or show the options of one");
  command->add_option("NAME", options->name, "a task, a reward, an algorithm or a sampler")
      ->type_name("");
  add_plugin_dir_option(*command, *options);
  command->add_flag("--json", options->is_json, "print JSON");
  command->add_flag("--rescan", options->is_fresh, "load each file again, also those known");
  command->footer("Examples:\n  qed plugins\n  qed plugins grpo\n");
  return [options] {
    ScanSettings scan = default_scan_settings();
    scan.is_fresh = options->is_fresh;
    const auto host = open_host(*options, scan);
    if (!options->name.empty()) return show_named(*host, options->name, options->is_json);
    return options->is_json ? list_json(*host) : list(*host);
  };
}

}  // namespace qed
