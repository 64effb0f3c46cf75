#pragma once

// N-grams that come again, for the rewards that punish them.

#include "qed/unicode.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

// Numbers for n-grams: equal n-grams of `ids` get equal numbers. Exact, since an n-gram is a pair
// of shorter ones, which may overlap; O(size log n). `ids` has at least n elements, n > 0.
inline std::vector<std::uint32_t> number_ngrams(std::vector<std::uint32_t> ids, std::size_t n) {
  for (std::size_t length = 1; length < n;) {
    const std::size_t step = std::min(length, n - length);
    std::unordered_map<std::uint64_t, std::uint32_t> seen;
    for (std::size_t i = 0; i + step < ids.size(); ++i) {
      const std::uint64_t pair = std::uint64_t{ids[i]} << 32 | ids[i + step];
      ids[i] = seen.try_emplace(pair, static_cast<std::uint32_t>(seen.size())).first->second;
    }
    ids.resize(ids.size() - step);
    length += step;
  }
  return ids;
}

// 1 - different / all n-grams of the words of `text`: lower-case and separated by white space, as
// Python's lower() and split() see them. 0 for fewer than n words.
inline double repeated_frac(std::string_view text, std::size_t n) {
  const std::string lower = qed::lower(text);
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  std::vector<std::uint32_t> words;
  std::string_view rest = lower;
  for (auto word = qed::next_word(rest); !word.empty(); word = qed::next_word(rest)) {
    words.push_back(
        numbers.try_emplace(word, static_cast<std::uint32_t>(numbers.size())).first->second);
  }
  if (words.size() < n) return 0;
  const auto ngrams = number_ngrams(std::move(words), n);
  const std::unordered_set<std::uint32_t> different(ngrams.begin(), ngrams.end());
  return 1 - static_cast<double>(different.size()) / static_cast<double>(ngrams.size());
}
