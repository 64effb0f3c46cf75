// Tests of what a plugin's file and descriptor say, without making an object.

#include "core/check/registry.h"
#include "core/host/plugin_call.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <iterator>

namespace qed::check {
namespace {

void check_texts(const Subject& s) {
  const auto must_have = [](qed_str text, std::string_view what) {
    expect(!from_abi(text).empty(), "its ", what, " is empty");
    expect(is_utf8(from_abi(text)), "its ", what, " is not UTF-8");
  };
  must_have(s.plugin->id, "plugin id");
  must_have(s.plugin->version, "plugin version");
  must_have(s.plugin->licence, "licence");
  must_have(s.component->version, "version");
  must_have(s.component->summary, "summary");
  const std::string_view id = from_abi(s.component->id), summary = from_abi(s.component->summary);
  expect(id.find('.') != id.npos, "its id `", id, "` is not reverse DNS, such as com.example.name");
  expect(summary.find('\n') == summary.npos, "its summary has more than one line");
}

void check_help(const Subject& s) {
  for (const OptionSpec& option : s.specs) {
    expect(!option.help.empty(), "option `", option.name, "` has no help text");
    expect(option.help.find('\n') == option.help.npos, "the help of option `", option.name,
           "` has more than one line");
  }
}

// The names that the dynamic linker looked up for a loaded library.
std::vector<std::string_view> imports(const std::string& file) {
  void* handle = ::dlopen(file.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  link_map* map = nullptr;
  if (handle == nullptr || ::dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) return {};
  const ElfW(Sym)* symbols = nullptr;
  const char* strings = nullptr;
  const std::uint32_t* hash = nullptr;
  for (const ElfW(Dyn)* d = map->l_ld; d->d_tag != DT_NULL; ++d) {
    if (d->d_tag == DT_SYMTAB) symbols = reinterpret_cast<const ElfW(Sym)*>(d->d_un.d_ptr);
    if (d->d_tag == DT_STRTAB) strings = reinterpret_cast<const char*>(d->d_un.d_ptr);
    if (d->d_tag == DT_GNU_HASH) hash = reinterpret_cast<const std::uint32_t*>(d->d_un.d_ptr);
  }
  if (symbols == nullptr || strings == nullptr || hash == nullptr) {
    throw Skipped{"the library has no GNU hash table"};
  }
  std::vector<std::string_view> out;
  for (std::uint32_t i = 1; i < hash[1]; ++i) {  // those that are not hashed are undefined
    if (symbols[i].st_shndx == SHN_UNDEF) out.emplace_back(strings + symbols[i].st_name);
  }
  return out;
}

// clock_gettime and steady_clock are not here: a plugin needs them for deadlines.
void check_imports(const Subject& s) {
  static constexpr std::string_view kNames[] = {
      "fork",  "vfork", "signal", "sigaction", "alarm",        "setitimer",  "setlocale",
      "exit",  "_exit", "rand",   "srand",     "random",       "srandom",    "drand48",
      "time",  "clock", "system", "popen",     "gettimeofday", "setenv",     "putenv",
      "chdir", "umask", "getpid", "getrandom", "getentropy",   "quick_exit", "longjmp"};
  std::string found;
  for (const std::string_view name : imports(s.file)) {
    const bool is_bad = std::ranges::find(kNames, name) != std::end(kNames) ||
                        name.starts_with("_ZNSt13random_device") ||
                        name == "_ZNSt6chrono3_V212system_clock3nowEv";
    if (is_bad) found += cat(found.empty() ? "`" : ", `", name, "`");
  }
  expect(found.empty(), "it imports ", found,
         ": a plugin leaves the process alone and takes entropy "
         "from qed_call.seed only");
}

constexpr Test kTests[] = {
    {"static.loader", Level::kMust, "", "qed loads the file", nullptr},
    {"static.texts", Level::kMust, "", "ids, versions, licence and summary are there",
     &check_texts},
    {"static.help", Level::kShould, "", "every option has a line of help", &check_help},
    {"static.imports", Level::kShould, "",
     "no function that changes the process or reads its clock", &check_imports},
};

}  // namespace

std::span<const Test> static_tests() { return kTests; }

}  // namespace qed::check
