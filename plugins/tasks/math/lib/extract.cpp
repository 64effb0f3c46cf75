#include "extract.h"

#include "ladder.h"
#include "plain.h"
#include "rules.h"

#include <algorithm>

namespace math {

namespace {

constexpr auto npos = std::string_view::npos;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

std::vector<Candidate> whole(std::string_view text) {
  const std::string_view inner = trimmed(text);
  if (inner.empty()) return {};
  return {{.text = std::string(inner), .end = text.size()}};
}

// "Answer: ..." up to the end of the line.
std::vector<Candidate> behind_answer(std::string_view text) {
  const std::string lower = lower_case(text);
  for (auto at = lower.rfind("answer"); at != npos && at + 6 < text.size();
       at = at == 0 ? npos : lower.rfind("answer", at - 1)) {
    std::size_t colon = at + 6;
    while (colon < text.size() && is_space(text[colon])) ++colon;
    if (colon >= text.size() || text[colon] != ':') continue;
    std::size_t begin = colon + 1;
    while (begin < text.size() && is_space(text[begin])) ++begin;
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (begin >= end) continue;
    return {{.text = std::string(trimmed(text.substr(begin, end - begin))),
             .begin = begin,
             .end = end}};
  }
  return {};
}

std::vector<Candidate> in_tag(std::string_view text, const Policy& policy) {
  const auto close = text.rfind("</answer>");
  if (close == npos) return {};
  const auto open = text.rfind("<answer>", close);
  if (open == npos) return {};
  const std::string_view inside = text.substr(open + 8, close - open - 8);
  Policy boxes = policy;
  boxes.place = Place::kBoxed;
  auto out = boxed(inside, boxes);
  if (out.empty()) out = whole(inside);
  for (Candidate& c : out) c.begin += open + 8, c.end += open + 8;
  return out;
}

std::vector<Candidate> in_brackets(std::string_view text) {
  const auto close = text.rfind(']');
  const auto open = close == npos ? npos : text.rfind('[', close);
  if (open == npos) return {};
  auto out = whole(text.substr(open + 1, close - open - 1));
  for (Candidate& c : out) c.begin = open + 1, c.end = close;
  return out;
}

std::string_view end_of(std::string_view text) {
  return text.substr(text.size() > kWindow ? text.size() - kWindow : 0);
}

}  // namespace

std::vector<Candidate> find_answers(std::string_view text, const Policy& policy) {
  const std::string_view all = text;
  if (policy.skips_thinking) text = without_thinking(text);
  text = end_of(text);
  std::vector<Candidate> out;
  switch (policy.place) {
    case Place::kBoxed:
      out = boxed(text, policy);
      break;
    case Place::kBoxedTeX:
      if (auto box = hendrycks_boxed(text)) {
        out.push_back({.text = std::move(*box), .end = text.size()});
      }
      break;
    case Place::kAnswer:
      out = behind_answer(text);
      break;
    case Place::kTag:
      out = in_tag(text, policy);
      break;
    case Place::kBrackets:
      out = in_brackets(text);
      break;
    case Place::kLadder:
      out = ladder(text, policy);
      break;
    case Place::kWhole:
      out = whole(text);
      break;
  }
  const auto skipped = static_cast<std::size_t>(text.data() - all.data());
  for (Candidate& c : out) c.begin += skipped, c.end += skipped;
  return out;
}

namespace {

// The ladder without what a completion must have.
Policy lenient(Policy policy) {
  policy.place = Place::kLadder;
  policy.needs_anchor = false;
  return policy;
}

}  // namespace

std::vector<Candidate> find_gold(std::string_view text, const Policy& policy) {
  constexpr std::size_t kShort = 1000;
  if (policy.rule != Rule::kTree) return {{.text = std::string(text), .end = text.size()}};
  std::vector<Candidate> out = boxed(end_of(text), lenient(policy));
  const std::string_view inner = trimmed(text);
  if (out.empty() && inner.size() <= kShort && is_formula_like(inner, 1)) {
    Candidate all{.text = without_marks(inner), .end = text.size()};
    all.is_plain = policy.place == Place::kLadder && is_number_like(inner);
    out.push_back(std::move(all));
  }
  return out;
}

std::vector<Candidate> find_gold_in_prose(std::string_view text, const Policy& policy) {
  if (!boxed(end_of(text), lenient(policy)).empty()) return {};
  std::vector<Candidate> out = ladder(text, lenient(policy));
  const std::string_view inner = trimmed(text);
  if (out.empty() && !inner.empty()) {
    out = {{.text = std::string(inner), .is_words = true, .end = text.size()}};
  }
  return out;
}

}  // namespace math
