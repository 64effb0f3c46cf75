#pragma once

// The number formats that weights may have, in files and in memory.

#include <cstdint>
#include <optional>
#include <string_view>

namespace qed {

enum class Dtype { kFloat32, kFloat16, kBfloat16 };

inline constexpr std::int64_t num_bytes(Dtype d) { return d == Dtype::kFloat32 ? 4 : 2; }

// "float32": as config.json and run files write it.
std::string_view dtype_name(Dtype d);
std::optional<Dtype> dtype_of_name(std::string_view name);

// "F32": as the header of a safetensors file writes it.
std::string_view dtype_tag(Dtype d);
std::optional<Dtype> dtype_of_tag(std::string_view tag);

// Copies n numbers to float32 and back; `bytes` need not be aligned. From float32 rounds to
// nearest, ties to even.
void to_float32(Dtype from, const char* bytes, std::int64_t n, float* to);
void from_float32(const float* from, std::int64_t n, Dtype to, char* bytes);

}  // namespace qed
