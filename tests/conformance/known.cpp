#include "tests/conformance/conformance.h"

#include <algorithm>
#include <array>
#include <utility>

namespace qed::conformance {
namespace {

constexpr std::string_view kQwenComma =
    "the Qwen grader cannot read 10{,}000; qed reads it, and by the grader's own tolerance of 1e-4 "
    "the answer equals it";

constexpr std::array kKnown = {
    std::pair<std::string_view, std::string_view>{"26bf77333344", kQwenComma},
    std::pair<std::string_view, std::string_view>{"f3e0db67c1bd", kQwenComma},
    std::pair<std::string_view, std::string_view>{"b011a7942585", kQwenComma},
    std::pair<std::string_view, std::string_view>{"e79b82725a22", kQwenComma},
    std::pair<std::string_view, std::string_view>{"8cd7299c5050", kQwenComma},
    std::pair<std::string_view, std::string_view>{
        "019f3249b4bf",
        "lighteval leaves the first of three boxes out; Math-Verify and qed do not"},
    std::pair<std::string_view, std::string_view>{
        "2c134a903808",
        "the original reads no gold answer without $ and compares texts; qed is right"},
};

}  // namespace

std::string_view known_difference(std::string_view id) {
  const auto at = std::ranges::find(kKnown, id, [](const auto& row) { return row.first; });
  return at == kKnown.end() ? std::string_view() : at->second;
}

}  // namespace qed::conformance
