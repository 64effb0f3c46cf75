#pragma once

// Reading the tables of an ELF file of which no byte is trusted.

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace qed {

// Bounds-checked, alignment-free access to the bytes of a file or of a part of one.
class ElfReader {
 public:
  explicit ElfReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  template <class T>
  std::optional<T> at(std::uint64_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    return value;
  }

  // `count` entries of a table; nothing where a part lies outside.
  template <class T>
  std::optional<std::vector<T>> table(std::uint64_t offset, std::uint64_t count) const {
    if (offset > bytes_.size() || (bytes_.size() - offset) / sizeof(T) < count) return std::nullopt;
    std::vector<T> out(count);
    if (count > 0) std::memcpy(out.data(), bytes_.data() + offset, count * sizeof(T));
    return out;
  }

  std::optional<std::span<const std::uint8_t>> bytes(std::uint64_t offset,
                                                     std::uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) return std::nullopt;
    return bytes_.subspan(offset, size);
  }

  // The bytes of a section, or nothing where it lies outside the file.
  std::optional<std::span<const std::uint8_t>> bytes(const Elf64_Shdr& section) const {
    if (section.sh_type == SHT_NOBITS) return std::nullopt;
    return bytes(section.sh_offset, section.sh_size);
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

// The string that begins at `offset` of a string table; empty where it does not end in it.
inline std::string_view string_at(std::span<const std::uint8_t> table, std::uint64_t offset) {
  if (offset >= table.size()) return {};
  const auto* begin = reinterpret_cast<const char*>(table.data()) + offset;
  const auto* end = static_cast<const char*>(std::memchr(begin, 0, table.size() - offset));
  return end == nullptr ? std::string_view{} : std::string_view(begin, end);
}

}  // namespace qed
