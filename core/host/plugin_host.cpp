#include "core/host/plugin_host.h"

#include "core/host/component_check.h"
#include "core/host/elf_note.h"
#include "core/host/plugin_call.h"
#include "core/util/error.h"
#include "core/util/words.h"
#include "qed/version.h"

#include <boost/dll/shared_library.hpp>

#include <dlfcn.h>
#include <xmmintrin.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <sstream>

namespace qed {
namespace {

namespace fs = std::filesystem;

constexpr char kEntry[] = "qed_entry_1";
constexpr char kRebuild[] = "rebuild it with the SDK of this qed";
constexpr char kAuthor[] = "this is a mistake in the plugin, not in the run file: tell its author";
constexpr char kLinkFlags[] = "build it with qed_add_plugin, which sets the linker's flags";

[[noreturn]] void refuse(const fs::path& path, const std::string& why, const std::string& hint) {
  throw Error(cat("cannot load plugin ", path.string(), ": ", why), hint, kExitPlugin);
}

std::vector<std::uint8_t> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open() || in.bad()) refuse(path, "the file cannot be read", "check its permissions");
  return bytes;
}

// All that can be known without running the plugin's code.
ElfPlugin check_file(const fs::path& path) {
  ElfPlugin file;
  const std::vector<std::uint8_t> bytes = read_file(path);
  if (const std::string why = read_elf_plugin(bytes, file); !why.empty()) refuse(path, why, "");
  if (file.epoch != QED_EPOCH) {
    refuse(path, cat("built for ABI epoch ", file.epoch, ", this qed speaks epoch ", QED_EPOCH),
           kRebuild);
  }
  if (file.need_level < 1 || file.need_level > file.built_level) {
    refuse(path,
           cat("its note makes no sense: built at level ", file.built_level, ", needs level ",
               file.need_level),
           kRebuild);
  }
  if (file.need_level > QED_LEVEL) {
    refuse(path, cat("needs ABI level ", file.need_level, ", this qed provides ", QED_LEVEL),
           cat("use a newer qed, or ", kRebuild));
  }
  for (const std::string& name : file.exports) {
    if (name == kEntry) continue;
    refuse(path, cat("exports `", to_utf8(name), "`; a plugin exports ", kEntry, " only"),
           kLinkFlags);
  }
  if (file.exports.size() != 1) refuse(path, cat("does not export ", kEntry), kLinkFlags);
  if (file.wants_executable_stack) refuse(path, "asks for an executable stack", kLinkFlags);
  return file;
}

// Runs `body`, which executes code of the plugin for the first time. A library linked with
// -ffast-math makes denormal numbers 0 in the whole thread that loads it: the trainer's numbers
// would change.
template <class Body>
void guard_fpu(const fs::path& path, Body&& body) {
  constexpr unsigned kControl = ~0x3Fu;  // all but the sticky exception flags
  const unsigned before = _mm_getcsr();
  body();
  const unsigned after = _mm_getcsr();
  if ((before & kControl) == (after & kControl)) return;
  _mm_setcsr(before);
  refuse(path, "changes the floating-point mode of the process while it loads",
         "build it without -ffast-math and -Ofast");
}

// Maps the file and calls its entry. It stays mapped for ever: RTLD_NODELETE.
const qed_plugin* open_plugin(const fs::path& path, const qed_host* host) {
  using boost::dll::load_mode::type;
  boost::dll::shared_library library;
  guard_fpu(path, [&] {
    boost::dll::fs::error_code failure;
    library.load(path, static_cast<type>(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE), failure);
    if (!failure) return;
    const char* reason = ::dlerror();  // the error code does not have it
    refuse(path,
           cat("the dynamic linker refuses it: ", reason == nullptr ? "no reason given" : reason),
           kRebuild);
  });
  const qed_plugin* plugin = nullptr;
  PluginCall call;
  guard_fpu(path, [&] {
    plugin = library.get<const qed_plugin*(const qed_host*, qed_err*)>(kEntry)(host, call.err());
  });
  if (plugin == nullptr) {
    refuse(path, cat("it refuses this qed: ", call.message(call.err()->code)), "");
  }
  return plugin;
}

void log_line(const qed_host*, std::int32_t severity, qed_str message) {
  static constexpr const char* kNames[] = {"debug", "info", "warning", "error"};
  if (severity < 1) return;
  const std::string line =
      cat("[plugin] ", kNames[std::min(severity, 3)], ": ", to_utf8(from_abi(message)), "\n");
  std::fputs(line.c_str(), stderr);
}

const void* no_extension(const qed_host*, qed_str) { return nullptr; }

bool is_plugin_name(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// The stems of the .so files of a folder; none where it cannot be read.
void add_names(const fs::path& folder, std::set<std::string>& out) {
  std::error_code ec;
  for (fs::directory_iterator i(folder, ec), end; !ec && i != end; i.increment(ec)) {
    const fs::path& path = i->path();
    if (path.extension() == ".so" && is_file(path)) out.insert(path.stem().string());
  }
}

}  // namespace

struct PluginHost::Services {
  qed_host host = {.size = sizeof(qed_host),
                   .epoch = QED_EPOCH,
                   .level = QED_LEVEL,
                   .min_level = 1,
                   .name = to_abi("qed"),
                   .version = to_abi(QED_VERSION),
                   .host = nullptr,
                   .log = &log_line,
                   .get_extension = &no_extension};
};

PluginHost::PluginHost(std::vector<fs::path> folders)
    : folders_(std::move(folders)), services_(std::make_unique<Services>()) {}

PluginHost::~PluginHost() = default;

const qed_host* PluginHost::abi() const { return &services_->host; }

fs::path PluginHost::find_file(const std::string& kind, const std::string& name) const {
  for (const fs::path& folder : folders_) {
    for (const fs::path& path : {folder / (kind + "s") / (name + ".so"), folder / (name + ".so")}) {
      if (is_file(path)) return path;
    }
  }
  std::string searched;
  for (const fs::path& folder : folders_) {
    std::error_code ignored;
    searched += cat(searched.empty() ? "" : ", ", folder.string(),
                    fs::is_directory(folder, ignored) ? "" : " (no such folder)");
  }
  const std::string closest = closest_hint(kind, nearest(name, names(kind)));
  throw Error(
      cat("no ", kind, " is called `", name, "`; searched ",
          searched.empty() ? "no folder at all" : searched),
      closest.empty() ? "`qed plugins` lists them; `--plugin-dir FOLDER` adds a folder" : closest,
      kExitPlugin);
}

const Component& PluginHost::load(const std::string& kind, const std::string& name) {
  QED_CHECK(!kind_id(kind).empty(), "kind is ", kind);
  if (const auto found = loaded_.find({kind, name}); found != loaded_.end()) return *found->second;
  if (!is_plugin_name(name)) {
    throw Error(
        cat("`", name, "` is not the name of a plugin"),
        "a name has letters, digits, _ and - only; `--plugin-dir FOLDER` says where to search",
        kExitPlugin);
  }
  const fs::path path = find_file(kind, name);
  const ElfPlugin file = check_file(path);
  const qed_plugin* plugin = open_plugin(path, abi());
  if (const std::string why = check_plugin(*plugin, file); !why.empty()) refuse(path, why, kAuthor);
  const qed_component* component = find_component(*plugin, kind, name);
  if (component == nullptr) {
    refuse(path, cat("it holds no ", kind, " `", name, "`; it holds ", list_components(*plugin)),
           "the file's name must be the component's name");
  }
  auto loaded = std::make_unique<Component>(
      Component{path.string(), plugin, component, component_spec(*component)});
  return *(loaded_[{kind, name}] = std::move(loaded));
}

std::vector<std::string> PluginHost::names(const std::string& kind) const {
  std::set<std::string> names;
  for (const fs::path& folder : folders_) add_names(folder / (kind + "s"), names);
  return {names.begin(), names.end()};
}

std::vector<fs::path> default_folders(const std::vector<std::string>& given) {
  std::vector<fs::path> folders(given.begin(), given.end());
  if (const char* variable = std::getenv("QED_PLUGIN_PATH"); variable != nullptr) {
    std::istringstream in(variable);
    for (std::string folder; std::getline(in, folder, ':');) {
      if (!folder.empty()) folders.emplace_back(folder);
    }
  }
  std::error_code ec;
  const fs::path program = fs::read_symlink("/proc/self/exe", ec);
  if (!ec) folders.push_back(program.parent_path().parent_path() / "plugins");
  return folders;
}

}  // namespace qed
