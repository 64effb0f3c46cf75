#pragma once

// Texts that verifiers tend to break on. All are valid UTF-8.

#include <string>
#include <string_view>
#include <vector>

namespace qed::check {

struct OddText {
  std::string_view name;
  std::string text;
};

std::vector<OddText> odd_texts();

}  // namespace qed::check
