#include "core/host/plugin_file.h"

#include "core/host/component_check.h"
#include "core/host/file_check.h"
#include "core/host/load_guard.h"
#include "core/host/plugin_call.h"

#include <boost/dll/shared_library.hpp>

#include <dlfcn.h>
#include <sys/stat.h>

#include <exception>
#include <map>

namespace qed {
namespace {

namespace fs = std::filesystem;

using Entry = const qed_plugin*(const qed_host*, qed_err*);

// Runs `body`, which executes code of the plugin.
template <class Body>
void guarded(const fs::path& path, const std::string& when, Body&& body) {
  LoadGuard guard;
  body();
  if (const LoadProblem problem = guard.check(when)) refuse(path, problem);
}

// What the plugins of this process did wrong while they were loaded, by file: a library's
// constructors run once, so this is seen once.
std::map<std::string, std::exception_ptr>& load_failures() {
  static std::map<std::string, std::exception_ptr> failures;
  return failures;
}

// Never global: two plugins may hold the same names. Never unloaded: its threads' data, statics and
// callbacks would dangle.
boost::dll::shared_library open_library(const fs::path& path) {
  using boost::dll::load_mode::type;
  boost::dll::shared_library library;
  boost::dll::fs::error_code failure;
  library.load(path, static_cast<type>(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE), failure);
  if (!failure) return library;
  const char* reason = ::dlerror();  // the error code does not have it
  refuse(path, {"P030",
                cat("the dynamic linker refuses it: ",
                    reason == nullptr ? "no reason given" : to_utf8(reason)),
                kRebuildHint});
}

Entry* open_entry(const fs::path& path) {
  const std::string id = file_id(path);
  if (const auto known = load_failures().find(id); known != load_failures().end()) {
    std::rethrow_exception(known->second);
  }
  boost::dll::shared_library library;
  try {
    guarded(path, "while it loads", [&] { library = open_library(path); });
  } catch (const Error&) {
    load_failures()[id] = std::current_exception();
    throw;
  }
  return &library.get<Entry>("qed_entry_1");
}

}  // namespace

std::string file_id(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return path.string();
  return cat(info.st_dev, ":", info.st_ino);
}

const qed_plugin* load_plugin_file(const fs::path& path, const qed_host* host) {
  const ElfPlugin file = check_file(path);
  Entry* entry = open_entry(path);
  const qed_plugin* plugin = nullptr;
  PluginCall call;
  guarded(path, "in qed_entry_1", [&] { plugin = entry(host, call.err()); });
  if (plugin == nullptr) {
    refuse(path, {"P040", cat("it refuses this qed: ", call.message(call.err()->code)), ""});
  }
  const auto* address = reinterpret_cast<const void*>(entry);
  if (const LoadProblem problem = check_plugin(*plugin, file, address)) refuse(path, problem);
  return plugin;
}

}  // namespace qed
