#include <algorithm>
#include <cstdio>
#include <memory>

#include "core/cli/commands.h"
#include "core/cli/render.h"
#include "core/host/plugin_host.h"
#include "core/util/words.h"

namespace qed {
namespace {

struct PluginsOptions : CommonOptions {
  std::string name;
};

constexpr const char* kKinds[] = {"task", "algorithm", "sampler"};

int list(PluginHost& host) {
  int exit_code = kExitOk;
  for (const char* kind : kKinds) {
    std::printf("%ss\n", kind);
    const std::vector<std::string> names = host.names(kind);
    std::size_t width = 0;
    for (const std::string& name : names) width = std::max(width, name.size());
    for (const std::string& name : names) {
      const int padding = static_cast<int>(width);
      try {
        const ComponentSpec& spec = host.load(kind, name).spec;
        std::printf("  %-*s  %-6s  %s\n", padding, name.c_str(), spec.version.c_str(),
                    spec.summary.c_str());
      } catch (const Error& error) {
        std::printf("  %-*s  %s\n", padding, name.c_str(), error.what());
        exit_code = error.exit_code();
      }
    }
    if (names.empty()) std::printf("  none found; --plugin-dir FOLDER says where to search\n");
  }
  std::printf("\n`qed plugins NAME` shows the options of one.\n");
  return exit_code;
}

void show(const Component& component) {
  const ComponentSpec& spec = component.spec;
  std::printf("%s %s %s: %s\n%s\n\n", spec.kind.c_str(), spec.name.c_str(), spec.version.c_str(),
              spec.summary.c_str(), component.path.c_str());
  if (spec.options.empty()) {
    std::printf("  no options\n");
  } else {
    std::fputs(option_table(spec.options).c_str(), stdout);
  }
}

int show_named(PluginHost& host, const std::string& name) {
  std::vector<std::string> all;
  bool is_found = false;
  for (const char* kind : kKinds) {
    for (const std::string& known : host.names(kind)) {
      all.push_back(known);
      if (known != name) continue;
      if (is_found) std::printf("\n");
      show(host.load(kind, name));
      is_found = true;
    }
  }
  if (is_found) return kExitOk;
  // A plugin that lies flat in a folder does not tell its kind by its place.
  for (const char* kind : kKinds) {
    try {
      show(host.load(kind, name));
      return kExitOk;
    } catch (const Error&) {
    }
  }
  const std::string hint = closest_hint("plugin", nearest(name, all));
  throw Error(cat("no plugin is called `", name, "`"),
              cat(hint, hint.empty() ? "" : "; ", "`qed plugins` lists them"), kExitPlugin);
}

}  // namespace

Run add_plugins(CLI::App& app) {
  auto options = std::make_shared<PluginsOptions>();  // lives as long as the command line
  CLI::App* command = app.add_subcommand("plugins", "List plugins, or show the options of one");
  command->add_option("NAME", options->name, "a task, an algorithm or a sampler")->type_name("");
  add_plugin_dir_option(*command, *options);
  command->footer("Examples:\n  qed plugins\n  qed plugins grpo\n");
  return [options] {
    PluginHost host(default_folders(options->plugin_dirs));
    return options->name.empty() ? list(host) : show_named(host, options->name);
  };
}

}  // namespace qed
