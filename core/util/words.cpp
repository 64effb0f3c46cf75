#include "core/util/words.h"

#include <algorithm>
#include <utility>

namespace qed {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last, last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last = std::exchange(last, row);
  }
  return last[b.size()];
}

std::vector<std::string> nearest(std::string_view name,
                                 const std::vector<std::string>& candidates) {
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const std::string& candidate : candidates) {
    const std::size_t length = std::max(name.size(), candidate.size());
    const std::size_t distance = edit_distance(name, candidate);
    // A name that was cut short or lengthened is as plausible as a slip of a few letters.
    const std::size_t shorter = std::min(name.size(), candidate.size());
    const bool extends =
        shorter >= 3 && name.substr(0, shorter) == std::string_view(candidate).substr(0, shorter);
    if (distance <= std::max<std::size_t>(1, length / 3) || extends) {
      found.emplace_back(distance, candidate);
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& x, const auto& y) { return x.first < y.first; });
  std::vector<std::string> names;
  for (auto& [distance, candidate] : found) {
    // Far ones only distract beside a near one.
    if (names.size() == 3 || distance > found.front().first + 2) break;
    names.push_back(std::move(candidate));
  }
  return names;
}

std::string quoted_list(const std::vector<std::string>& names, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " " + std::string(last) + " " : ", ";
    text += "`" + names[i] + "`";
  }
  return text;
}

std::string closest_hint(std::string_view what, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  return "the closest " + std::string(what) + (names.size() == 1 ? " is " : "s are ") +
         quoted_list(names, "and");
}

std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

}  // namespace qed
