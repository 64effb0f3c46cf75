#include "core/model/dtype.h"

#include "core/util/half.h"

#include <cstring>

namespace qed {

namespace {

struct Names {
  Dtype dtype;
  std::string_view name, tag;
};
constexpr Names kNames[] = {{Dtype::kFloat32, "float32", "F32"},
                            {Dtype::kFloat16, "float16", "F16"},
                            {Dtype::kBfloat16, "bfloat16", "BF16"}};

template <class Convert>
void widen(const char* bytes, std::int64_t n, float* to, Convert&& convert) {
  for (std::int64_t i = 0; i < n; ++i) {
    std::uint16_t x;
    std::memcpy(&x, bytes + 2 * i, 2);
    to[i] = convert(x);
  }
}

template <class Convert>
void narrow(const float* from, std::int64_t n, char* bytes, Convert&& convert) {
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint16_t x = convert(from[i]);
    std::memcpy(bytes + 2 * i, &x, 2);
  }
}

}  // namespace

std::string_view dtype_name(Dtype d) { return kNames[static_cast<std::size_t>(d)].name; }

std::string_view dtype_tag(Dtype d) { return kNames[static_cast<std::size_t>(d)].tag; }

std::optional<Dtype> dtype_of_name(std::string_view name) {
  for (const Names& names : kNames) {
    if (names.name == name) return names.dtype;
  }
  return std::nullopt;
}

std::optional<Dtype> dtype_of_tag(std::string_view tag) {
  for (const Names& names : kNames) {
    if (names.tag == tag) return names.dtype;
  }
  return std::nullopt;
}

void to_float32(Dtype from, const char* bytes, std::int64_t n, float* to) {
  if (n == 0) return;  // memcpy wants pointers even then
  switch (from) {
    case Dtype::kFloat32:
      std::memcpy(to, bytes, static_cast<std::size_t>(n) * sizeof(float));
      break;
    case Dtype::kFloat16:
      widen(bytes, n, to, [](std::uint16_t x) { return from_float16(x); });
      break;
    case Dtype::kBfloat16:
      widen(bytes, n, to, [](std::uint16_t x) { return from_bfloat16(x); });
      break;
  }
}

void from_float32(const float* from, std::int64_t n, Dtype to, char* bytes) {
  if (n == 0) return;
  switch (to) {
    case Dtype::kFloat32:
      std::memcpy(bytes, from, static_cast<std::size_t>(n) * sizeof(float));
      break;
    case Dtype::kFloat16:
      narrow(from, n, bytes, [](float x) { return to_float16(x); });
      break;
    case Dtype::kBfloat16:
      narrow(from, n, bytes, [](float x) { return to_bfloat16(x); });
      break;
  }
}

}  // namespace qed
