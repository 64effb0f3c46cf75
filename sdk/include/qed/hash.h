#pragma once

// CRC-32 (zlib's polynomial): the field's usual way to hold out items by key.

#include <array>
#include <cstdint>
#include <string_view>

#pragma GCC visibility push(hidden)
namespace qed {

constexpr std::uint32_t crc32(std::string_view text) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
  }
  return ~crc;
}

}  // namespace qed
#pragma GCC visibility pop
