#include "core/report/event_file.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace qed {
namespace {

// tensorflow/core/util/event.proto and summary.proto, by field number and wire type.
constexpr int kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;
constexpr int kEventWallTime = 1, kEventStep = 2, kEventFileVersion = 3, kEventSummary = 5;
constexpr int kSummaryValue = 1, kValueTag = 1, kValueSimple = 2;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    table[i] = crc;
  }
  return table;
}
constexpr auto kCrcTable = make_crc_table();

template <class T>
void put_fixed(std::string& to, T value) {
  static_assert(std::endian::native == std::endian::little);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}

void put_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>(value | 0x80);
  to += static_cast<char>(value);
}

void put_key(std::string& to, int field, int type) {
  put_varint(to, static_cast<std::uint64_t>(field << 3 | type));
}

void put_bytes(std::string& to, int field, std::string_view bytes) {
  put_key(to, field, kBytes);
  put_varint(to, bytes.size());
  to += bytes;
}

// TFRecord's: a CRC of data that holds CRCs would be weak.
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

std::string framed(std::string_view event) {
  std::string out;
  put_fixed(out, std::uint64_t{event.size()});
  put_fixed(out, masked_crc(out));
  out += event;
  put_fixed(out, masked_crc(event));
  return out;
}

std::string event_at(double wall_time_s) {
  std::string event;
  put_key(event, kEventWallTime, kFixed64);
  put_fixed(event, wall_time_s);
  return event;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (const char c : bytes)
    crc = crc >> 8 ^ kCrcTable[(crc ^ static_cast<unsigned char>(c)) & 255];
  return ~crc;
}

std::string event_file_head(double wall_time_s) {
  std::string event = event_at(wall_time_s);
  put_bytes(event, kEventFileVersion, "brain.Event:2");
  return framed(event);
}

std::string event_record(double wall_time_s, std::int64_t step,
                         std::span<const std::pair<std::string, double>> scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars) {
    if (!std::isfinite(value)) continue;
    std::string scalar;
    put_bytes(scalar, kValueTag, tag);
    put_key(scalar, kValueSimple, kFixed32);
    put_fixed(scalar, static_cast<float>(value));
    put_bytes(summary, kSummaryValue, scalar);
  }
  std::string event = event_at(wall_time_s);
  put_key(event, kEventStep, kVarint);
  put_varint(event, static_cast<std::uint64_t>(step));
  put_bytes(event, kEventSummary, summary);
  return framed(event);
}

}  // namespace qed
