#include "core/host/provided_versions.h"

#include <dlfcn.h>
#include <link.h>

#include <cctype>
#include <cstdint>
#include <string_view>
#include <vector>

namespace qed {
namespace {

// The loaded library, or null.
const link_map* find_library(const std::string& library) {
  void* handle = ::dlopen(library.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return nullptr;
  link_map* map = nullptr;
  const bool is_known = ::dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0;
  ::dlclose(handle);  // what was loaded before stays so
  return is_known ? map : nullptr;
}

// The dynamic linker has replaced some addresses of the dynamic section by those in memory.
template <class T>
const T* in_memory(const link_map& library, std::uint64_t address) {
  const std::uint64_t base = library.l_addr;
  return reinterpret_cast<const T*>(address < base ? base + address : address);
}

// Names of the records of .gnu.version_d of a loaded library; the dynamic linker has checked them.
std::vector<std::string_view> versions_of(const link_map& library) {
  const std::uint8_t* record = nullptr;
  const char* strings = nullptr;
  std::uint64_t count = 0;
  for (const ElfW(Dyn)* entry = library.l_ld; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_VERDEF) {
      record = in_memory<std::uint8_t>(library, entry->d_un.d_ptr);
    } else if (entry->d_tag == DT_STRTAB) {
      strings = in_memory<char>(library, entry->d_un.d_ptr);
    } else if (entry->d_tag == DT_VERDEFNUM) {
      count = entry->d_un.d_val;
    }
  }
  std::vector<std::string_view> out;
  for (std::uint64_t i = 0; record != nullptr && strings != nullptr && i < count; ++i) {
    const auto& def = *reinterpret_cast<const ElfW(Verdef)*>(record);
    const auto& aux = *reinterpret_cast<const ElfW(Verdaux)*>(record + def.vd_aux);
    out.emplace_back(strings + aux.vda_name);
    record += def.vd_next;
  }
  return out;
}

// "GLIBCXX_" of "GLIBCXX_3.4.30".
std::string_view family(std::string_view version) {
  return version.substr(0, version.find_first_of("0123456789"));
}

// The numbers of a version: 3, 4, 30.
std::vector<int> numbers(std::string_view version) {
  std::vector<int> out;
  bool is_inside = false;
  for (const char c : version) {
    const bool is_digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
    if (is_digit && !is_inside) out.push_back(0);
    if (is_digit) out.back() = out.back() * 10 + (c - '0');
    is_inside = is_digit;
  }
  return out;
}

}  // namespace

bool is_loaded(const std::string& library) { return find_library(library) != nullptr; }

ProvidedVersion provided_version(const std::string& library, const std::string& version) {
  const link_map* map = find_library(library);
  if (map == nullptr) return {true, ""};
  std::string_view newest;
  for (const std::string_view candidate : versions_of(*map)) {
    if (candidate == version) return {true, ""};
    if (family(candidate) != family(version)) continue;
    if (newest.empty() || numbers(newest) < numbers(candidate)) newest = candidate;
  }
  return {false, newest.empty() ? "none of that kind" : std::string(newest)};
}

}  // namespace qed
