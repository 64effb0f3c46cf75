#include "core/host/elf_note.h"

#include "qed/abi.h"

#include <elf.h>

#include <cstring>
#include <optional>
#include <string_view>

namespace qed {
namespace {

constexpr char kNotShared[] = "not a shared library for x86-64 (ELF64, little-endian, ET_DYN)";
constexpr char kCutShort[] = "damaged or cut short: a table lies outside the file";
constexpr char kNoNote[] = "no .note.qed in it: not a plugin of qed, or built without QED_PLUGIN";
constexpr char kBadNote[] =
    "its .note.qed is malformed: expected owner `qed`, type 1 and three numbers";

// Bounds-checked, alignment-free access to the file.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> file) : file_(file) {}

  template <class T>
  std::optional<T> at(std::uint64_t offset) const {
    if (offset > file_.size() || file_.size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, file_.data() + offset, sizeof(T));
    return value;
  }

  // The bytes of a section, or nothing where it lies outside the file.
  std::optional<std::span<const std::uint8_t>> bytes(const Elf64_Shdr& section) const {
    if (section.sh_type == SHT_NOBITS || section.sh_offset > file_.size() ||
        section.sh_size > file_.size() - section.sh_offset) {
      return std::nullopt;
    }
    return file_.subspan(section.sh_offset, section.sh_size);
  }

 private:
  std::span<const std::uint8_t> file_;
};

// The string that begins at `offset` of a string table; empty where it does not end in it.
std::string_view string_at(std::span<const std::uint8_t> table, std::uint64_t offset) {
  if (offset >= table.size()) return {};
  const auto* begin = reinterpret_cast<const char*>(table.data()) + offset;
  const auto* end = static_cast<const char*>(std::memchr(begin, 0, table.size() - offset));
  return end == nullptr ? std::string_view{} : std::string_view(begin, end);
}

bool is_x86_64_library(const Elf64_Ehdr& header) {
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
         header.e_type == ET_DYN && header.e_machine == EM_X86_64;
}

std::optional<std::vector<Elf64_Shdr>> read_sections(const Reader& reader,
                                                     const Elf64_Ehdr& header) {
  std::vector<Elf64_Shdr> sections;
  if (header.e_shnum == 0) return sections;  // stripped of its section table
  if (header.e_shentsize != sizeof(Elf64_Shdr)) return std::nullopt;
  for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
    const auto section = header.e_shoff > UINT64_MAX / 2
                             ? std::nullopt
                             : reader.at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
    if (!section) return std::nullopt;
    sections.push_back(*section);
  }
  return sections;
}

// Glibc makes the stacks of the whole process executable unless PT_GNU_STACK is there without PF_X.
std::optional<bool> wants_executable_stack(const Reader& reader, const Elf64_Ehdr& header) {
  if (header.e_phnum != 0 && header.e_phentsize != sizeof(Elf64_Phdr)) return std::nullopt;
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = header.e_phoff > UINT64_MAX / 2
                             ? std::nullopt
                             : reader.at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment) return std::nullopt;
    if (segment->p_type == PT_GNU_STACK) return (segment->p_flags & PF_X) != 0;
  }
  return true;
}

bool is_exported(const Elf64_Sym& symbol) {
  const auto visibility = ELF64_ST_VISIBILITY(symbol.st_other);
  return symbol.st_shndx != SHN_UNDEF && symbol.st_name != 0 &&
         ELF64_ST_BIND(symbol.st_info) != STB_LOCAL &&
         (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

// A plugin exports one symbol; of a file with many, the first few are enough to say so.
constexpr std::size_t kMaxExports = 16;

bool read_exports(const Reader& reader, const std::vector<Elf64_Shdr>& sections,
                  std::vector<std::string>& out) {
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_DYNSYM) continue;
    const auto symbols = reader.bytes(section);
    if (!symbols || section.sh_entsize != sizeof(Elf64_Sym) || section.sh_link >= sections.size()) {
      return false;
    }
    const auto names = reader.bytes(sections[section.sh_link]);
    if (!names) return false;
    for (std::uint64_t at = 0;
         at + sizeof(Elf64_Sym) <= symbols->size() && out.size() < kMaxExports;
         at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      std::memcpy(&symbol, symbols->data() + at, sizeof symbol);
      if (is_exported(symbol)) out.emplace_back(string_at(*names, symbol.st_name));
    }
    return true;  // there is one such table
  }
  return true;
}

// A longer description is legal: a later epoch may append to it.
bool read_note(std::span<const std::uint8_t> bytes, ElfPlugin& out) {
  qed_note note;
  if (bytes.size() < sizeof note) return false;
  std::memcpy(&note, bytes.data(), sizeof note);
  if (note.namesz != 4 || note.descsz < 12 || note.type != 1 ||
      std::memcmp(note.name, "qed", 4) != 0) {
    return false;
  }
  out.epoch = note.epoch;
  out.built_level = note.built_level;
  out.need_level = note.need_level;
  return true;
}

}  // namespace

std::string read_elf_plugin(std::span<const std::uint8_t> file, ElfPlugin& out) {
  const Reader reader(file);
  const auto header = reader.at<Elf64_Ehdr>(0);
  if (!header || !is_x86_64_library(*header)) return kNotShared;
  const auto sections = read_sections(reader, *header);
  const auto executable_stack = wants_executable_stack(reader, *header);
  if (!sections || !executable_stack) return kCutShort;
  out.wants_executable_stack = *executable_stack;

  if (sections->empty()) return kNoNote;
  if (header->e_shstrndx >= sections->size()) return kCutShort;
  const auto names = reader.bytes((*sections)[header->e_shstrndx]);
  if (!names) return kCutShort;
  for (const Elf64_Shdr& section : *sections) {
    if (string_at(*names, section.sh_name) != ".note.qed") continue;
    const auto bytes = reader.bytes(section);
    if (!bytes) return kCutShort;
    if (!read_note(*bytes, out)) return kBadNote;
    return read_exports(reader, *sections, out.exports) ? "" : kCutShort;
  }
  return kNoNote;
}

}  // namespace qed
