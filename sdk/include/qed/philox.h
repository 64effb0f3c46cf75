#pragma once

// Counter-based random numbers: Philox4x32-10, Salmon et al., "Parallel Random Numbers: As Easy as
// 1, 2, 3" (SC 2011). The same key and counter give the same bits on every machine.

#include <array>
#include <cstdint>
#include <string_view>

#pragma GCC visibility push(hidden)
namespace qed {

// The 128 bits of (key, counter).
constexpr std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t counter_low,
                                              std::uint64_t counter_high = 0) {
  std::array<std::uint32_t, 4> c = {
      static_cast<std::uint32_t>(counter_low), static_cast<std::uint32_t>(counter_low >> 32),
      static_cast<std::uint32_t>(counter_high), static_cast<std::uint32_t>(counter_high >> 32)};
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(a)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

// A number in [0, 1) with 53 random bits.
constexpr double uniform(std::uint64_t key, std::uint64_t counter) {
  const auto bits = philox(key, counter);
  return static_cast<double>(((std::uint64_t{bits[1]} << 32) | bits[0]) >> 11) * 0x1p-53;
}

// Mixes values into one key, in order. A fixed function: stored runs depend on it.
class KeyHash {
 public:
  constexpr KeyHash& add(std::uint64_t value) {
    const auto bits = philox(state_, value, 0x716564);  // domain: "qed"
    state_ = (std::uint64_t{bits[1]} << 32) | bits[0];
    return *this;
  }
  constexpr KeyHash& add(std::string_view text) {
    std::uint64_t fnv = 0xcbf29ce484222325;  // FNV-1a, then mixed
    for (const char c : text) fnv = (fnv ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return add(text.size()).add(fnv);
  }
  constexpr std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0;
};

// A stream of numbers from one seed, for data and demonstrations.
class Rng {
 public:
  constexpr explicit Rng(std::uint64_t seed) : key_(seed) {}
  constexpr std::uint64_t next() {
    const auto bits = philox(key_, counter_++);
    return (std::uint64_t{bits[1]} << 32) | bits[0];
  }
  constexpr double real() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // [0, 1)
  // A number in [low, high]; the bias is below (high - low) / 2^64.
  constexpr std::int64_t integer(std::int64_t low, std::int64_t high) {
    __extension__ using Wide = unsigned __int128;  // unsigned: the range may not fit in 63 bits
    const Wide range = Wide{static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low)} + 1;
    const auto draw = static_cast<std::uint64_t>((range * next()) >> 64);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + draw);
  }

 private:
  std::uint64_t key_;
  std::uint64_t counter_ = 0;
};

}  // namespace qed
#pragma GCC visibility pop
