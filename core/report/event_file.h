#pragma once

// TensorBoard's event files: records of scalars in the framing of TFRecord. Equal numbers give
// records of equal length whatever the clock says. [any]

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace qed {

// CRC-32C (Castagnoli) of bytes.
std::uint32_t crc32c(std::string_view bytes);

// The record that a file begins with. `wall_time_s`: seconds since 1970.
std::string event_file_head(double wall_time_s);

// The numbers of one step; NaN and infinities are left out.
std::string event_record(double wall_time_s, std::int64_t step,
                         std::span<const std::pair<std::string, double>> scalars);

}  // namespace qed
