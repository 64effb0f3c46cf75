#include "ladder.h"

#include "plain.h"

#include <algorithm>

namespace math {

namespace {

constexpr auto npos = std::string_view::npos;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

bool has_joiner(std::string_view gap) {
  return gap.find(',') != npos || gap.find(';') != npos || gap.find("and") != npos ||
         gap.find("or") != npos;
}

// Nothing but what joins the parts of one answer.
bool is_joiner(std::string_view gap) {
  constexpr std::string_view kJoiners[] = {
      "\\quad", "\\qquad", "\\text{ and }", "\\text{and}", "\\text{ or }", "\\,", "\\ ",
      "and",    "or",      "\\[",           "\\]",         "\\(",          "\\)"};
  while (!gap.empty()) {
    if (std::string_view(" \n\t,;$").find(gap.front()) != npos) {
      gap.remove_prefix(1);
      continue;
    }
    const auto at = std::ranges::find_if(kJoiners, [&](auto j) { return gap.starts_with(j); });
    if (at == std::end(kJoiners)) return false;
    gap.remove_prefix(at->size());
  }
  return true;
}

// "%", "\%" or "percent" behind an answer belongs to it.
std::string_view percent_behind(std::string_view rest) {
  while (!rest.empty() && (is_space(rest.front()) || rest.front() == '$')) rest.remove_prefix(1);
  for (const std::string_view word : {"\\%", "%", "percent", "pct"}) {
    if (rest.starts_with(word)) return "\\%";
  }
  return "";
}

// The last formula, with those before it that are joined by "and", "or" or a comma.
std::vector<Candidate> last_formulas(std::string_view text, std::size_t from = 0) {
  constexpr std::size_t kMaxJoined = 5;
  const std::vector<Formula> formulas = find_formulas(text.substr(from));
  if (formulas.empty()) return {};
  std::size_t first = formulas.size() - 1;
  const auto gap_before = [&](std::size_t i) {
    return text.substr(from + formulas[i - 1].end, formulas[i].begin - formulas[i - 1].end);
  };
  while (first > 0 && formulas.size() - first < kMaxJoined && is_joiner(gap_before(first)) &&
         (gap_before(first).find("and") != npos || gap_before(first).find("or") != npos ||
          gap_before(first).find(',') != npos)) {
    --first;
  }
  Candidate out{.begin = from + formulas[first].begin, .end = from + formulas.back().end};
  for (std::size_t i = first; i < formulas.size(); ++i) {
    if (i > first) out.text += ", ";
    out.text += trimmed(formulas[i].content);
  }
  out.text += percent_behind(text.substr(out.end));
  return {out};
}

// The first formula or number behind `from`, within `reach` bytes.
std::vector<Candidate> first_behind(std::string_view text, std::size_t from, std::size_t reach,
                                    const Policy& policy) {
  const std::string_view line = text.substr(from, text.find('\n', from) - from);
  if (policy.reads_latex) {
    const auto formulas = find_formulas(line);
    if (!formulas.empty() && formulas.front().begin <= reach) {
      const Formula& f = formulas.front();
      return {{.text = std::string(trimmed(f.content)) +
                       std::string(percent_behind(line.substr(f.end))),
               .begin = from + f.begin,
               .end = from + f.end}};
    }
  }
  if (!policy.reads_plain) return {};
  auto number = first_number(line);
  if (!number || number->begin > reach) return {};
  number->begin += from;
  number->end += from;
  number->text += percent_behind(text.substr(number->end));
  return {*number};
}

// "Final Answer: the area is 12. I hope it is correct.": the last formula or number between.
std::vector<Candidate> before_hope(std::string_view text, const std::string& lower,
                                   const Policy& policy) {
  const auto hope = lower.rfind("i hope it is correct");
  const auto at = hope == npos ? npos : lower.rfind("final answer", hope);
  if (at == npos) return {};
  const std::string_view sentence = text.substr(at, hope - at);
  std::vector<Candidate> out;
  if (policy.reads_latex) out = last_formulas(sentence);
  const auto number = last_number(sentence);
  const bool is_later = number && (out.empty() || number->begin >= out.front().end);
  if (is_later && (policy.reads_plain || !out.empty())) out = {*number};
  for (Candidate& c : out) {
    c.begin += at;
    c.end += at;
  }
  return out;
}

struct Rung {
  int priority;
  Candidate candidate;
};

// The lowest first; among equals the one that ends last.
void insert(std::vector<Rung>& rungs, Rung rung) {
  const auto at = std::ranges::find_if(rungs, [&](const Rung& other) {
    return rung.priority != other.priority ? rung.priority < other.priority
                                           : rung.candidate.end > other.candidate.end;
  });
  rungs.insert(at, std::move(rung));
}

std::vector<Candidate> candidates(std::vector<Rung>& rungs) {
  std::vector<Candidate> out;
  out.reserve(rungs.size());
  for (Rung& rung : rungs) out.push_back(std::move(rung.candidate));
  return out;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// The last box, with those before it that belong to the same answer.
std::vector<Candidate> boxed(std::string_view text, const Policy& policy) {
  std::vector<Box> boxes = find_boxes(text);
  const bool is_lenient = policy.place == Place::kLadder;
  // Math-Verify, whose ladder this is, knows no \fbox.
  const bool must_close = !is_lenient || policy.needs_anchor;
  std::erase_if(boxes, [&](const Box& b) {
    return (is_lenient && b.is_frame) || (must_close && !b.is_closed);
  });
  if (boxes.empty()) return {};
  std::size_t first = boxes.size() - 1;
  while (first > 0) {
    const std::size_t end = boxes[first - 1].end;
    const std::string_view gap = text.substr(end, boxes[first].begin - end);
    const bool is_near =
        is_lenient ? gap.size() < 10 || (gap.size() < 70 && has_joiner(gap)) : is_joiner(gap);
    if (!is_near) break;
    --first;
  }
  Candidate out{.begin = boxes[first].begin, .end = boxes.back().end};
  std::vector<std::string_view> seen;
  for (std::size_t i = first; i < boxes.size(); ++i) {
    const std::string_view content = trimmed(boxes[i].content);
    if (content.empty()) return {};  // an answer that is not given
    if (std::ranges::find(seen, content) != seen.end()) continue;
    if (!seen.empty()) out.text += ", ";
    out.text += content;
    seen.push_back(content);
  }
  if (is_lenient) out.text += percent_behind(text.substr(out.end));
  return {out};
}

std::vector<Candidate> ladder(std::string_view text, const Policy& policy) {
  std::vector<Rung> rungs;
  rungs.reserve(8);
  const auto put = [&](int priority, std::vector<Candidate> found) {
    for (Candidate& c : found) insert(rungs, {priority, std::move(c)});
  };
  if (policy.reads_latex) put(0, boxed(text, policy));
  constexpr std::size_t kReach = 50;
  constexpr std::string_view kHope = "ope it is correct";
  if (!rungs.empty() && text.find(kHope) == npos) return candidates(rungs);  // nothing is before it
  const std::string lower = lower_case(text);
  const auto put_behind = [&](std::initializer_list<std::string_view> anchors) {
    for (const std::string_view anchor : anchors) {
      const auto at = lower.rfind(anchor);
      if (at != npos) put(100, first_behind(text, at + anchor.size(), kReach, policy));
    }
  };
  if (lower.find("answer") != npos) {
    if (const auto at = lower.rfind("final answer is"); at != npos) {
      put(50, first_behind(text, at + 15, kReach, policy));
    }
    put(0, before_hope(text, lower, policy));
    put_behind({"answer is", "answer:"});
  }
  if (lower.find("答案") != npos) put_behind({"答案是", "答案："});
  if (policy.needs_anchor) return candidates(rungs);
  if (policy.reads_plain && text.size() <= 200 && is_formula_like(text, 0)) {
    put(200, {{.text = std::string(trimmed(text)),
               .is_plain = is_number_like(trimmed(text)),
               .end = text.size()}});
  }
  if (policy.reads_latex) put(300, last_formulas(text));
  if (policy.reads_plain) {
    if (auto number = last_number(text)) {
      number->text += percent_behind(text.substr(number->end));
      put(300, {std::move(*number)});
    }
  }
  return candidates(rungs);
}

}  // namespace math
