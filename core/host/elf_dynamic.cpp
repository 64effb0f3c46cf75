#include "core/host/elf_dynamic.h"

#include "core/host/elf_reader.h"

#include <algorithm>

namespace qed {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kMaxVersions = 10'000;

// The dynamic section, and the tables that it points to by address.
class Dynamic {
 public:
  Dynamic(Bytes file, std::vector<Elf64_Phdr> segments, std::vector<Elf64_Dyn> entries)
      : reader_(file), segments_(std::move(segments)), entries_(std::move(entries)) {}

  const std::vector<Elf64_Dyn>& entries() const { return entries_; }

  std::optional<std::uint64_t> value(std::int64_t tag) const {
    for (const Elf64_Dyn& entry : entries_) {
      if (entry.d_tag == tag) return entry.d_un.d_val;
    }
    return std::nullopt;
  }

  // From the byte at the address that `tag` holds to the end of its segment; nothing without the
  // tag or outside the file.
  std::optional<Bytes> at_address(std::int64_t tag) const {
    const auto address = value(tag);
    if (!address) return std::nullopt;
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type != PT_LOAD || *address < segment.p_vaddr) continue;
      const std::uint64_t inside = *address - segment.p_vaddr;
      if (inside >= segment.p_filesz) continue;
      const auto bytes = reader_.bytes(segment.p_offset, segment.p_filesz);
      return bytes ? std::optional(bytes->subspan(inside)) : std::nullopt;
    }
    return std::nullopt;
  }

  std::optional<Bytes> strings() const {
    const auto bytes = at_address(DT_STRTAB);
    const auto size = value(DT_STRSZ);
    if (!bytes || !size || *size > bytes->size()) return std::nullopt;
    return bytes->first(*size);
  }

 private:
  ElfReader reader_;
  std::vector<Elf64_Phdr> segments_;
  std::vector<Elf64_Dyn> entries_;
};

// The records of .gnu.version_r: one per library, each with a chain of versions.
bool read_needs(const Dynamic& dynamic, Bytes strings, std::vector<NeededVersion>& out) {
  const std::uint64_t count = dynamic.value(DT_VERNEEDNUM).value_or(0);
  if (count == 0) return true;
  const auto table = dynamic.at_address(DT_VERNEED);
  if (!table) return false;
  const ElfReader reader(*table);
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto need = reader.at<Elf64_Verneed>(at);
    if (!need) return false;
    std::uint64_t inner = at + need->vn_aux;
    for (int k = 0; k < need->vn_cnt; ++k) {
      const auto aux = reader.at<Elf64_Vernaux>(inner);
      if (!aux || out.size() > kMaxVersions) return false;
      out.push_back({std::string(string_at(strings, need->vn_file)),
                     std::string(string_at(strings, aux->vna_name))});
      if (aux->vna_next == 0) break;
      inner += aux->vna_next;
    }
    if (need->vn_next == 0) break;
    at += need->vn_next;
  }
  return true;
}

void split_paths(std::string_view list, std::vector<std::string>& out) {
  for (;;) {
    const std::size_t colon = list.find(':');
    out.emplace_back(list.substr(0, colon));
    if (colon == list.npos) return;
    list.remove_prefix(colon + 1);
  }
}

void read_entries(const Dynamic& dynamic, Bytes strings, ElfDynamic& out) {
  for (const Elf64_Dyn& entry : dynamic.entries()) {
    const std::uint64_t value = entry.d_un.d_val;
    switch (entry.d_tag) {
      case DT_NEEDED:
        out.needed.emplace_back(string_at(strings, value));
        break;
      case DT_RPATH:
      case DT_RUNPATH:
        split_paths(string_at(strings, value), out.run_paths);
        break;
      case DT_TEXTREL:
        out.has_text_relocations = true;
        break;
      case DT_FLAGS:
        out.has_text_relocations = out.has_text_relocations || (value & DF_TEXTREL) != 0;
        out.has_static_tls = (value & DF_STATIC_TLS) != 0;
        break;
      default:
        break;
    }
  }
}

}  // namespace

std::optional<ElfDynamic> read_elf_dynamic(std::span<const std::uint8_t> file) {
  const ElfReader reader(file);
  const auto header = reader.at<Elf64_Ehdr>(0);
  if (!header || (header->e_phnum != 0 && header->e_phentsize != sizeof(Elf64_Phdr))) {
    return std::nullopt;
  }
  const auto segments = reader.table<Elf64_Phdr>(header->e_phoff, header->e_phnum);
  if (!segments) return std::nullopt;

  ElfDynamic out;
  // Glibc makes the stacks of the whole process executable unless PT_GNU_STACK is there without
  // PF_X.
  out.wants_executable_stack = true;
  std::optional<std::vector<Elf64_Dyn>> entries;
  for (const Elf64_Phdr& segment : *segments) {
    if (segment.p_type == PT_GNU_STACK) out.wants_executable_stack = (segment.p_flags & PF_X) != 0;
    if (segment.p_type != PT_DYNAMIC || entries) continue;
    entries = reader.table<Elf64_Dyn>(segment.p_offset, segment.p_filesz / sizeof(Elf64_Dyn));
    if (!entries) return std::nullopt;
  }
  if (!entries) return out;  // nothing for the dynamic linker to do
  const auto end =
      std::ranges::find_if(*entries, [](const Elf64_Dyn& e) { return e.d_tag == DT_NULL; });
  entries->erase(end, entries->end());
  const Dynamic dynamic(file, *segments, *entries);
  const auto strings = dynamic.strings();
  if (!strings) return std::nullopt;
  read_entries(dynamic, *strings, out);
  if (!read_needs(dynamic, *strings, out.needs)) return std::nullopt;
  return out;
}

}  // namespace qed
