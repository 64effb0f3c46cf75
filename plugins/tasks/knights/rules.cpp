#include "rules.h"

#include "qed/error.h"
#include "qed/tags.h"

#include "wording.h"
#include "words.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace knights {

namespace {

constexpr std::size_t kMaxLines = 64;  // people of an item, wherever it comes from: bits of a word

// `knight` or `knave`, whatever the case; else empty.
std::string_view knight_or_knave(std::string_view run) {
  return equal_fold(run, "knight") ? "knight" : equal_fold(run, "knave") ? "knave" : "";
}

bool is_letters(std::string_view run) {
  while (!run.empty()) {
    if (!is_letter(qed::next_char(run))) return false;
  }
  return true;
}

// A bit for the first letter of a word; all bits where it is not ASCII.
std::uint32_t initial(std::string_view word) {
  const auto byte = static_cast<unsigned char>(word[0]);
  return byte < 0x80 ? 1u << (byte & 31) : ~0u;
}

// How often `knight` and `knave` occur in run.lower().
std::size_t count_roles(std::string_view run) {
  const auto starts = [](std::string_view at, std::string_view rest_of_word) {
    if (at.size() < rest_of_word.size()) return false;
    for (std::size_t i = 0; i < rest_of_word.size(); ++i) {
      if ((at[i] | 0x20) != rest_of_word[i]) return false;
    }
    return true;
  };
  std::size_t n = 0;
  for (std::size_t i = 0; i + 5 <= run.size(); ++i) {
    std::size_t size = (run[i] | 0x20) == 'k' ? 1 : 0;
    if (run[i] == '\xE2' && run.substr(i, 3) == "\xE2\x84\xAA") size = 3;  // the kelvin sign
    if (size == 0) continue;
    const std::string_view rest = run.substr(i + size);
    if (starts(rest, "night") || starts(rest, "nave")) ++n;
  }
  return n;
}

// Takes `\s+is\s+a\s+\b(knight|knave)\b` off `rest`: the role; else empty.
std::string_view take_claim(std::string_view& rest) {
  std::string_view after = rest;
  for (const std::string_view word : {"is", "a"}) {
    if (!skip_spaces(after) || !equal_fold(take_run(after), word)) return {};
  }
  if (!skip_spaces(after)) return {};
  const std::string_view role = knight_or_knave(take_run(after));
  if (!role.empty()) rest = after;
  return role;
}

// No word of a claim can be a name.
bool are_no_claim_words(const std::vector<Person>& people) {
  return std::all_of(people.begin(), people.end(), [](const Person& p) {
    return qed::length(p.name) > 2 && (initial(p.name) & initial("k")) == 0;
  });
}

// What an answer says. A bit per person, for their first role.
struct Claims {
  std::uint64_t found = 0, right = 0;
  std::size_t num_words = 0;  // `knight` and `knave`, also inside other words
};

Claims read_claims(std::string_view text, const std::vector<Person>& people) {
  Claims out;
  std::uint32_t initials = 0;
  for (const Person& p : people) initials |= initial(p.name);
  const bool skips_claims = are_no_claim_words(people);
  for (std::string_view run = next_run(text); !run.empty(); run = next_run(text)) {
    if (run.size() >= 5) out.num_words += count_roles(run);
    if ((initial(run) & initials) == 0) continue;
    std::string_view after = text;
    for (std::size_t i = 0; i < people.size(); ++i) {
      if ((out.found >> i) % 2 == 1 || !equal_fold(run, people[i].name)) continue;
      std::string_view rest = text;
      const std::string_view role = take_claim(rest);
      if (role.empty()) continue;
      out.found |= 1ull << i;
      if (role == people[i].role) out.right |= 1ull << i;
      after = rest;
    }
    if (skips_claims && after.size() < text.size()) {
      ++out.num_words;
      text = after;
    }
  }
  return out;
}

bool are_right(const std::vector<Person>& people, const std::vector<std::string_view>& found) {
  return std::equal(people.begin(), people.end(), found.begin(),
                    [](const Person& p, std::string_view role) { return p.role == role; });
}

void add(std::vector<Person>& people, std::string_view name, std::string_view role) {
  for (Person& p : people) {
    if (p.name == name) {
      p.role = role;
      return;
    }
  }
  if (people.size() == kMaxLines) throw qed::Error("a solution has at most 64 people");
  people.push_back({name, role});
}

// Calls f(line) for each line, with or without a \n at the end of the last.
template <class F>
void for_lines(std::string_view text, F&& f) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    f(line);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
}

}  // namespace

std::string solution_text(const Person& person) {
  std::string out(person.name);
  (((out += " is ") += article(person.role)) += ' ') += person.role;
  return out;
}
std::string solution_line(std::size_t i, const Person& person) {
  return "(" + std::to_string(i + 1) + ") " + solution_text(person);
}

bool read_solution(std::string_view text, std::vector<Person>& people) {
  people.clear();
  bool is_good = true;
  for_lines(text, [&](std::string_view line) {
    const std::string number = "(" + std::to_string(people.size() + 1) + ") ";
    const auto is = line.rfind(" is a");
    if (!line.starts_with(number) || is == line.npos || is <= number.size()) {
      is_good = false;
      return;
    }
    std::string_view role = line.substr(is + 5);
    if (role.starts_with('n')) role.remove_prefix(1);
    is_good = is_good && role.size() > 1 && role[0] == ' ';
    const std::size_t before = people.size();
    if (is_good) add(people, line.substr(number.size(), is - number.size()), role.substr(1));
    is_good = is_good && people.size() == before + 1;
  });
  return is_good && !people.empty();
}

void read_solution_logic_rl(std::string_view text, std::vector<Person>& people) {
  people.clear();
  for_lines(text, [&](std::string_view line) {
    std::string_view name, run = next_run(line);
    for (; !run.empty(); run = next_run(line)) {
      if (name.empty()) {
        if (is_letters(run)) name = run;
      } else if (const auto role = knight_or_knave(run); !role.empty()) {
        return add(people, name, role);
      }
    }
  });
}

Response response_logic_rl(std::string_view text) {
  for (const std::string_view header : {"Assistant:", "<|im_start|>assistant"}) {
    if (const auto after = qed::after_first(text, header)) return {*after, true};
  }
  return {text, false};
}

Marks logic_rl(Response response, const std::vector<Person>& people, double format_reward) {
  const auto parts = qed::think_answer(response.text);
  Marks out{.format = parts ? format_reward : -std::abs(format_reward), .answer = -2};
  if (!parts) {
    out.note = "the four tags are not once each, in order";
    return out;
  }
  Claims claims;
  if (response.has_header) claims = read_claims(parts->answer, people);
  const std::uint64_t all = people.empty() ? 0 : ~0ull >> (kMaxLines - people.size());
  if (people.empty() || claims.num_words != people.size() || claims.found != all) {
    out.note = "not readable";
    return out;
  }
  out.is_right = claims.right == all;
  out.answer = out.is_right ? 2 : -1.5;
  out.note = out.is_right ? "right" : "wrong";
  return out;
}

Marks eval_kk(std::string_view text, const std::vector<Person>& people) {
  for (const std::string_view tag : {"</think>", "<answer>", "</answer>"}) {
    if (!qed::is_once(text, tag)) return {.note = "the tags are not once each"};
  }
  const auto answer = qed::first_between(text, "<answer>", "</answer>");
  if (!answer || text.find("</think>") > text.find("<answer>")) {
    return {.note = "the tags are not in order"};
  }
  std::vector<std::string_view> found(people.size());
  std::vector<bool> is_named(people.size());  // on this line
  for_lines(*answer, [&](std::string_view line) {
    is_named.assign(people.size(), false);
    for (std::string_view run = next_run(line); !run.empty(); run = next_run(line)) {
      const std::string_view role = knight_or_knave(run);
      for (std::size_t i = 0; i < people.size(); ++i) {
        if (role.empty()) {
          if (equal_fold(run, people[i].name)) is_named[i] = true;
        } else if (is_named[i] && found[i].empty()) {
          found[i] = role;
        }
      }
    }
  });
  const bool is_right = !people.empty() && are_right(people, found);
  return {
      .answer = is_right ? 1.0 : 0.0, .is_right = is_right, .note = is_right ? "right" : "wrong"};
}

Marks mem_kk(std::string_view text, const std::vector<Person>& people) {
  const auto after = qed::after_first(text, "CONCLUSION:");
  if (!after) return {.note = "no `CONCLUSION:`"};
  if (after->find("(" + std::to_string(people.size() + 1) + ")") != after->npos) {
    return {.note = "more people than there are"};
  }
  if (after->find("if") != after->npos) return {.note = "`if` in the conclusion"};
  for (std::size_t i = 0; i < people.size(); ++i) {
    const std::string line = solution_line(i, people[i]);
    if (after->find(line) == after->npos) return {.note = "missing: " + line};
  }
  return {.answer = 1, .is_right = true, .note = "right"};
}

}  // namespace knights
