#include "core/reward/eval_statistics.h"

#include "core/util/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace qed {

namespace {

std::int64_t count_right(const std::vector<EvalVote>& votes) {
  return std::ranges::count_if(votes, &EvalVote::is_right);
}

double majority(const std::vector<EvalVote>& votes) {
  struct Class {
    double size = 0, right = 0;
  };
  std::map<std::string_view, Class> classes;
  for (const EvalVote& vote : votes) {
    if (vote.answer.empty()) continue;
    Class& c = classes[vote.answer];
    ++c.size;
    c.right += vote.is_right ? 1 : 0;
  }
  double largest = 0, num_winners = 0, right = 0;
  for (const auto& [answer, c] : classes) largest = std::max(largest, c.size);
  for (const auto& [answer, c] : classes) {
    if (c.size < largest) continue;
    ++num_winners;
    right += c.right / c.size;
  }
  return num_winners > 0 ? right / num_winners : 0;
}

EvalValue summarise(std::string name, const std::vector<double>& x) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  if (x.empty()) return {std::move(name), kNaN, kNaN};
  const auto n = static_cast<double>(x.size());
  double sum = 0, squares = 0;
  for (const double value : x) sum += value;
  const double mean = sum / n;
  for (const double value : x) squares += (value - mean) * (value - mean);
  return {std::move(name), mean, std::sqrt(squares) / n};
}

std::string_view last_between(std::string_view text, std::string_view open, std::string_view close,
                              bool& is_found) {
  const std::size_t end = text.rfind(close);
  const std::size_t begin = end == text.npos ? end : text.substr(0, end).rfind(open);
  is_found = begin != text.npos;
  return is_found ? text.substr(begin + open.size(), end - begin - open.size()) : text;
}

// The text in the braces of the last \boxed{…}; they may nest.
std::string_view last_boxed(std::string_view text, bool& is_found) {
  constexpr std::string_view kOpen = "\\boxed{";
  const std::size_t at = text.rfind(kOpen);
  is_found = false;
  if (at == text.npos) return text;
  const std::string_view rest = text.substr(at + kOpen.size());
  int depth = 1;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    depth += rest[i] == '{' ? 1 : rest[i] == '}' ? -1 : 0;
    if (depth > 0) continue;
    is_found = true;
    return rest.substr(0, i);
  }
  return text;
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string with_single_spaces(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (!is_space(c)) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace

double pass_at(std::int64_t j, std::int64_t n, std::int64_t c) {
  // As a product, so that nothing overflows.
  double none = 1;
  for (std::int64_t i = 0; i < j; ++i) {
    none *= static_cast<double>(std::max<std::int64_t>(n - c - i, 0)) / static_cast<double>(n - i);
  }
  return 1 - none;
}

std::vector<EvalValue> eval_statistics(std::span<const std::vector<EvalVote>> items,
                                       std::int64_t k) {
  QED_CHECK(k > 0, k);
  std::vector<double> mean, vote;
  for (const auto& votes : items) {
    if (votes.empty()) continue;
    mean.push_back(static_cast<double>(count_right(votes)) / static_cast<double>(votes.size()));
    vote.push_back(majority(votes));
  }
  std::vector<EvalValue> out = {summarise(cat("mean@", k), mean)};
  if (k == 1) return out;
  for (std::int64_t j = 2;; j = std::min(2 * j, k)) {
    std::vector<double> pass;
    for (const auto& votes : items) {
      const auto n = static_cast<std::int64_t>(votes.size());
      if (n >= j) pass.push_back(pass_at(j, n, count_right(votes)));
    }
    out.push_back(summarise(cat("pass@", j), pass));
    if (j == k) break;
  }
  out.push_back(summarise(cat("maj@", k), vote));
  return out;
}

std::string answer_text(std::string_view completion) {
  constexpr std::string_view kThought = "</think>", kMark = "####";
  std::string_view text = completion;
  if (const std::size_t at = text.rfind(kThought); at != text.npos) {
    text = text.substr(at + kThought.size());
  }
  bool is_found = false;
  const std::string_view tagged = last_between(text, "<answer>", "</answer>", is_found);
  if (is_found) return with_single_spaces(tagged);
  const std::string_view boxed = last_boxed(text, is_found);
  if (is_found) return with_single_spaces(boxed);
  if (const std::size_t at = text.rfind(kMark); at != text.npos) {
    return with_single_spaces(text.substr(at + kMark.size()));
  }
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  const std::size_t line = text.rfind('\n');
  return with_single_spaces(line == text.npos ? text : text.substr(line + 1));
}

}  // namespace qed
