#include "core/host/file_check.h"

#include "core/host/plugin_call.h"
#include "core/host/provided_versions.h"
#include "core/host/services.h"
#include "core/util/files.h"

#include "qed/abi.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace qed {
namespace {

namespace fs = std::filesystem;

constexpr char kEntry[] = "qed_entry_1";

// Parts of the C and C++ runtimes. Anything else would be one more library in the process, of a
// version that the plugin's author cannot know.
constexpr std::string_view kAllowedLibraries[] = {
    "libc.so.6",       "libm.so.6",  "libstdc++.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2",
    "libpthread.so.0", "libdl.so.2", "librt.so.1"};
constexpr std::string_view kSanitizers[] = {"libasan.so.", "libubsan.so.", "libtsan.so.",
                                            "liblsan.so."};

LoadProblem check_note(const ElfPlugin& file) {
  if (file.epoch != QED_EPOCH) {
    return {"P011", cat("built for ABI epoch ", file.epoch, ", this qed speaks epoch ", QED_EPOCH),
            kRebuildHint};
  }
  if (file.need_level > file.built_level || (file.need_level == 0 && file.built_level > 0)) {
    return {"P014",
            cat("its note makes no sense: built at level ", file.built_level, ", needs level ",
                file.need_level),
            kRebuildHint};
  }
  if (file.need_level > QED_LEVEL) {
    return {"P012", cat("needs ABI level ", file.need_level, ", this qed provides ", QED_LEVEL),
            cat("use a newer qed, or build it with -DQED_TARGET_LEVEL=", QED_LEVEL)};
  }
  if (file.built_level < kMinLevel) {
    return {"P013",
            cat("built at ABI level ", file.built_level, ", the oldest that this qed loads is ",
                kMinLevel),
            kRebuildHint};
  }
  return {};
}

bool is_allowed(std::string_view library) {
  if (std::ranges::find(kAllowedLibraries, library) != std::end(kAllowedLibraries)) return true;
  // A sanitizer watches the whole process: its runtime is there when the host was built with it.
  return std::ranges::any_of(kSanitizers,
                             [&](std::string_view name) { return library.starts_with(name); }) &&
         is_loaded(std::string(library));
}

LoadProblem check_libraries(const ElfDynamic& dynamic) {
  for (const std::string& library : dynamic.needed) {
    if (is_allowed(library)) continue;
    return {"P020",
            cat("needs ", to_utf8(library),
                "; a plugin needs the C and C++ runtimes only (libc, libm, libstdc++, libgcc_s)"),
            "link that library statically; its symbols stay hidden"};
  }
  return {};
}

LoadProblem check_exports(const std::vector<std::string>& exports) {
  for (const std::string& name : exports) {
    if (name == kEntry) continue;
    return {"P021", cat("exports `", to_utf8(name), "`; a plugin exports ", kEntry, " only"),
            kLinkHint};
  }
  if (exports.size() == 1) return {};
  return {"P021", cat("does not export ", kEntry), kLinkHint};
}

// A search path that depends on the folder in which qed is started.
bool is_relative(std::string_view path) {
  return !path.starts_with('/') && !path.starts_with("$ORIGIN") && !path.starts_with("${ORIGIN}");
}

LoadProblem check_linking(const ElfDynamic& dynamic) {
  if (dynamic.wants_executable_stack) return {"P022", "asks for an executable stack", kLinkHint};
  if (dynamic.has_text_relocations) {
    return {"P023", "its code must be changed while it is loaded (text relocations)",
            "compile all of its sources with -fPIC"};
  }
  if (dynamic.has_static_tls) {
    return {
        "P024",
        "its thread-local data must lie in the static block (DF_STATIC_TLS), of which a running "
        "process has little",
        "build it without -ftls-model=initial-exec"};
  }
  for (const std::string& path : dynamic.run_paths) {
    if (!is_relative(path)) continue;
    return {"P025",
            cat("searches libraries in `", to_utf8(path),
                "`, which depends on the folder where qed is started (RUNPATH)"),
            "link it without -rpath"};
  }
  return {};
}

LoadProblem check_versions(const ElfDynamic& dynamic) {
  for (const NeededVersion& need : dynamic.needs) {
    const ProvidedVersion found = provided_version(need.library, need.version);
    if (found.is_there) continue;
    const bool is_cpp = need.library.starts_with("libstdc++");
    return {"P026",
            cat("needs ", to_utf8(need.version), " of ", to_utf8(need.library),
                "; this system has up to ", found.newest),
            cat("build it on a system as old as this one",
                is_cpp ? ", or link it with -static-libstdc++" : "")};
  }
  return {};
}

std::string read_plugin(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    refuse(path, {"P001", cat("the file cannot be found: ", std::strerror(errno)), ""});
  }
  if (!S_ISREG(info.st_mode)) refuse(path, {"P001", "not a file", ""});
  std::string bytes;
  try {
    bytes = read_file(path);
  } catch (const Error&) {
    refuse(path, {"P001", "the file cannot be read", "check its permissions"});
  }
  return bytes;
}

void check_mode(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || (info.st_mode & S_IWOTH) == 0) return;
  refuse(path,
         {"P004", "every user of this computer may write to it", cat("chmod o-w ", path.string())});
}

}  // namespace

LoadProblem check_elf_plugin(const ElfPlugin& file) {
  if (auto problem = check_note(file)) return problem;
  if (auto problem = check_libraries(file.dynamic)) return problem;
  if (auto problem = check_exports(file.exports)) return problem;
  if (auto problem = check_linking(file.dynamic)) return problem;
  return check_versions(file.dynamic);
}

ElfPlugin check_file(const fs::path& path) {
  const std::string bytes = read_plugin(path);
  ElfPlugin file;
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  // What is no plugin at all is told first, whoever may write to it.
  const LoadProblem problem = read_elf_plugin({data, bytes.size()}, file);
  if (problem && problem.code != "P010") refuse(path, problem);
  check_mode(path);
  if (problem) refuse(path, problem);
  if (const LoadProblem found = check_elf_plugin(file)) refuse(path, found);
  return file;
}

}  // namespace qed
