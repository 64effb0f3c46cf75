#include "core/cli/plugin_new.h"

#include "core/cli/shell.h"
#include "core/util/embedded.h"
#include "core/util/error.h"
#include "core/util/files.h"
#include "core/util/words.h"

#include <boost/dll/runtime_symbol_info.hpp>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

namespace qed {

extern const std::vector<EmbeddedFile> kPluginTemplates;  // KIND/path; generated

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kKinds = {"task", "reward", "algorithm", "sampler"};

// Names of targets that CMake keeps for itself.
const std::vector<std::string> kTaken = {"all",     "clean",         "edit_cache",     "help",
                                         "install", "package",       "package_source", "qed_sdk",
                                         "test",    "rebuild_cache", "preinstall"};

constexpr std::size_t kMaxName = 64;

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_name_part(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

void check_kind(const std::string& kind) {
  if (std::ranges::find(kKinds, kind) != kKinds.end()) return;
  const std::string hint = closest_hint("kind", nearest(kind, kKinds));
  throw Error(cat("there is no kind `", kind, "` of plugin"),
              cat(hint, hint.empty() ? "" : "; ", "write ", quoted_list(kKinds)), kExitUsage);
}

void check_name(const std::string& name) {
  if (name.empty() || name.size() > kMaxName || !is_letter(name.front()) ||
      !std::ranges::all_of(name, is_name_part)) {
    throw Error(cat("`", name, "` cannot be the name of a plugin"),
                cat("take a letter, then letters, digits, _ and -, at most ", kMaxName, " in all"),
                kExitUsage);
  }
  if (std::ranges::find(kTaken, name) != kTaken.end()) {
    throw Error(cat("`", name, "` cannot be the name of a plugin: CMake has a target of that name"),
                "take another name", kExitUsage);
  }
}

// The name as a class has it: `two_words` becomes `TwoWords`.
std::string class_name(const std::string& name) {
  std::string out;
  bool is_first = true;
  for (const char c : name) {
    const bool is_separator = c == '_' || c == '-';
    if (!is_separator) {
      out += is_first ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    }
    is_first = is_separator;
  }
  return out;
}

// Words of a template, and what stands in their place.
using Words = std::vector<std::pair<std::string, std::string>>;

// `text` with every word replaced, in one pass; of two that fit the first one is taken.
std::string filled_in(std::string_view text, const Words& words) {
  std::string out;
  while (!text.empty()) {
    const auto word = std::ranges::find_if(
        words, [&](const auto& candidate) { return text.starts_with(candidate.first); });
    if (word == words.end()) {
      out += text.front();
      text.remove_prefix(1);
    } else {
      out += word->second;
      text.remove_prefix(word->first.size());
    }
  }
  return out;
}

// <prefix>, where this program is <prefix>/bin/qed.
fs::path own_prefix() { return boost::dll::program_location().parent_path().parent_path(); }

// How the user calls this program from another folder.
std::string program_from_elsewhere() {
  const char* launcher = std::getenv("QED_LAUNCHER");
  const bool is_path = launcher != nullptr && std::string(launcher).find('/') != std::string::npos;
  return is_path ? quoted(fs::absolute(launcher).lexically_normal().string()) : program_name();
}

void print_next_steps(const std::string& kind, const std::string& name,
                      const std::vector<std::string>& files) {
  std::string list;
  for (const std::string& file : files) list += (list.empty() ? "" : ", ") + file;
  const std::string qed = program_from_elsewhere();
  const std::string use = kind == "task"
                              ? cat("verify ", name, " --plugin-dir build < golden/rows.jsonl")
                              : cat("plugins ", name, " --plugin-dir build");
  const std::string text = cat("wrote ", name, "/: ", list, "\n\n",               //
                               "  cd ", name, "\n",                               //
                               "  cmake -B build && cmake --build build\n",       //
                               "  ", qed, " plugin check build/", name, ".so\n",  //
                               "  ", qed, " ", use, "\n");
  std::fputs(text.c_str(), stdout);
}

}  // namespace

std::vector<std::string> write_new_plugin(const std::string& kind, const std::string& name,
                                          const fs::path& parent, const fs::path& prefix) {
  check_kind(kind);
  check_name(name);
  const fs::path folder = parent / name;
  if (fs::exists(fs::symlink_status(folder))) {
    throw Error(cat("`", folder.string(), "` exists already"),
                "take another name, or remove it first", kExitUsage);
  }
  const Words words = {{"placeholder_prefix", prefix.string()},
                       {"placeholder", name},
                       {"Placeholder", class_name(name)}};
  std::vector<std::string> files;
  for (const EmbeddedFile& file : kPluginTemplates) {
    if (!file.path.starts_with(kind + "/")) continue;
    const std::string path = filled_in(file.path.substr(kind.size() + 1), words);
    std::error_code failure;
    fs::create_directories((folder / path).parent_path(), failure);
    if (failure) {
      throw Error(cat("cannot make the folder ", folder.string(), ": ", failure.message()));
    }
    write_file(folder / path, filled_in(file.text, words));
    files.push_back(path);
  }
  QED_CHECK(!files.empty(), kind);
  std::ranges::sort(files);
  return files;
}

Run add_plugin_new(CLI::App& group) {
  struct Arguments {
    std::string kind, name;
  };
  auto arguments = std::make_shared<Arguments>();  // lives as long as the command line
  CLI::App* command =
      group.add_subcommand("new", "Write the folder of a new plugin, ready to build");
  command->add_option("KIND", arguments->kind, "task, reward, algorithm or sampler")
      ->required()
      ->type_name("");
  command->add_option("NAME", arguments->name, "of the plugin and of its folder")
      ->required()
      ->type_name("");
  command->footer("Examples:\n  qed plugin new task parity\n  qed plugin new algorithm my_grpo\n");
  return [arguments] {
    const auto& [kind, name] = *arguments;
    print_next_steps(kind, name, write_new_plugin(kind, name, "", own_prefix()));
    return kExitOk;
  };
}

}  // namespace qed
