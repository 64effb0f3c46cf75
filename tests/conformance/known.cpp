#include "tests/conformance/conformance.h"

#include <algorithm>
#include <array>
#include <utility>

namespace qed::conformance {
namespace {

constexpr std::string_view kQwenComma =
    "the Qwen grader cannot read 10{,}000; qed reads it, and by the grader's own tolerance of 1e-4 "
    "the answer equals it";

constexpr std::string_view kRead =
    "qed reads more: a percent sign, one of money, floor with two arguments, d as a letter";
constexpr std::string_view kUnread = "not read, so equal only as text; the parser reads more";

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
    std::pair<std::string_view, std::string_view>{"58536d028848", kRead},
    std::pair<std::string_view, std::string_view>{"d50cd1876ff7", kRead},
    std::pair<std::string_view, std::string_view>{"b1feef4e1dfe", kRead},
    std::pair<std::string_view, std::string_view>{"f2f55a988fca", kRead},
    std::pair<std::string_view, std::string_view>{"1662ee94bb07", kRead},
    std::pair<std::string_view, std::string_view>{"46d5792de3c6", kRead},
    std::pair<std::string_view, std::string_view>{"c945648e474a", kUnread},
    std::pair<std::string_view, std::string_view>{"0b3fcb64c14b", kUnread},
    std::pair<std::string_view, std::string_view>{"aa03632e6241", kUnread},
    std::pair<std::string_view, std::string_view>{"96a94295198c", kUnread},
    std::pair<std::string_view, std::string_view>{"14da62526b4a", kUnread},
    std::pair<std::string_view, std::string_view>{"3d2a384a1a64", kUnread},
    std::pair<std::string_view, std::string_view>{"07c45b9de1cf", kUnread},
};

}  // namespace

std::string_view known_difference(std::string_view id) {
  const auto at = std::ranges::find(kKnown, id, [](const auto& row) { return row.first; });
  return at == kKnown.end() ? std::string_view() : at->second;
}

}  // namespace qed::conformance
