#include "core/host/elf_note.h"

#include "core/host/elf_reader.h"

#include "qed/abi.h"

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

bool is_x86_64_library(const Elf64_Ehdr& header) {
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
         header.e_type == ET_DYN && header.e_machine == EM_X86_64;
}

std::optional<std::vector<Elf64_Shdr>> read_sections(const ElfReader& reader,
                                                     const Elf64_Ehdr& header) {
  if (header.e_shnum == 0) return std::vector<Elf64_Shdr>();  // stripped of its section table
  if (header.e_shentsize != sizeof(Elf64_Shdr)) return std::nullopt;
  return reader.table<Elf64_Shdr>(header.e_shoff, header.e_shnum);
}

bool is_exported(const Elf64_Sym& symbol) {
  const auto visibility = ELF64_ST_VISIBILITY(symbol.st_other);
  return symbol.st_shndx != SHN_UNDEF && symbol.st_name != 0 &&
         ELF64_ST_BIND(symbol.st_info) != STB_LOCAL &&
         (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

// A plugin exports one symbol; of a file with many, the first few are enough to say so.
constexpr std::size_t kMaxExports = 16;

bool read_exports(const ElfReader& reader, const std::vector<Elf64_Shdr>& sections,
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

LoadProblem read_elf_plugin(std::span<const std::uint8_t> file, ElfPlugin& out) {
  const ElfReader reader(file);
  const auto header = reader.at<Elf64_Ehdr>(0);
  if (!header || !is_x86_64_library(*header)) return {"P002", kNotShared};
  const LoadProblem cut_short = {"P003", kCutShort};
  const auto sections = read_sections(reader, *header);
  auto dynamic = read_elf_dynamic(file);
  if (!sections || !dynamic) return cut_short;
  out.dynamic = std::move(*dynamic);

  if (sections->empty()) return {"P010", kNoNote};
  if (header->e_shstrndx >= sections->size()) return cut_short;
  const auto names = reader.bytes((*sections)[header->e_shstrndx]);
  if (!names) return cut_short;
  for (const Elf64_Shdr& section : *sections) {
    if (string_at(*names, section.sh_name) != ".note.qed") continue;
    const auto bytes = reader.bytes(section);
    if (!bytes) return cut_short;
    if (!read_note(*bytes, out)) return {"P010", kBadNote};
    return read_exports(reader, *sections, out.exports) ? LoadProblem{} : cut_short;
  }
  return {"P010", kNoNote};
}

}  // namespace qed
