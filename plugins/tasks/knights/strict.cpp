#include "qed/tags.h"
#include "qed/unicode.h"

#include "rules.h"
#include "wording.h"

namespace knights {

namespace {

// Reads an answer: entries such as `(1) Zoey is a knight`, with or without the number, separated by
// space, `,`, `;` or `.`.
class Answer {
 public:
  Answer(std::string_view text, const std::vector<Person>& people) : rest_(text), people_(people) {}

  // Why this is no list of all people, else null. Then wrong() is the first person whose role is
  // wrong, or null.
  const char* read() {
    std::vector<bool> is_named(people_.size());
    for (std::size_t n = 0;; ++n) {
      const bool is_separate = skip_separators() || n == 0;
      if (rest_.empty()) return n == people_.size() ? nullptr : "somebody is missing";
      if (n == people_.size()) return "text after the last person";
      if (!is_separate || !number(n + 1)) return "numbers are not (1), (2), ...";
      const std::size_t i = person();
      if (i == people_.size()) return "no name where there should be one";
      if (is_named[i]) return "somebody is named twice";
      is_named[i] = true;
      if (!role(people_[i])) return "not `is a` and a role";
    }
  }
  const Person* wrong() const { return wrong_; }

 private:
  bool skip_separators() {
    const auto end = rest_.find_first_not_of(" \t\r\n,;.");
    rest_.remove_prefix(std::min(end, rest_.size()));
    return end != 0;
  }
  // An optional "(n)".
  bool number(std::size_t n) {
    if (!rest_.starts_with('(')) return true;
    const std::string expected = "(" + std::to_string(n) + ")";
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    spaces();
    return true;
  }
  std::size_t person() {
    for (std::size_t i = 0; i < people_.size(); ++i) {
      const std::string_view name = people_[i].name;
      if (!rest_.starts_with(name)) continue;
      if (rest_.size() == name.size() || rest_[name.size()] != ' ') continue;
      rest_.remove_prefix(name.size());
      return i;
    }
    return people_.size();
  }
  bool spaces() {
    const auto end = std::min(rest_.find_first_not_of(' '), rest_.size());
    rest_.remove_prefix(end);
    return end > 0;
  }
  std::string_view word() {
    std::size_t n = 0;
    while (n < rest_.size() && rest_[n] >= 'a' && rest_[n] <= 'z') ++n;
    const std::string_view out = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return out;
  }
  // " is a knight"
  bool role(const Person& person) {
    if (!spaces() || word() != "is" || !spaces()) return false;
    const std::string_view a = word();
    if (!spaces()) return false;
    const std::string_view role = word();
    if (role != person.role) {
      if (!is_role(role)) return false;
      if (wrong_ == nullptr) wrong_ = &person;
    }
    return a == article(role);
  }

  std::string_view rest_;
  const std::vector<Person>& people_;
  const Person* wrong_ = nullptr;
};

bool is_blank(std::string_view text) { return qed::strip_left(text).empty(); }

}  // namespace

Marks strict(std::string_view text, const std::vector<Person>& people) {
  const auto parts = qed::think_answer(text);
  if (!parts) return {.note = "the four tags are not once each, in order"};
  if (!is_blank(parts->before) || !is_blank(parts->between) || !is_blank(parts->after)) {
    return {.note = "text outside the tags"};
  }
  Answer answer(parts->answer, people);
  if (const char* why = answer.read()) return {.note = std::string("answer: ") + why};
  if (const Person* wrong = answer.wrong()) {
    return {.format = 0.1, .note = "wrong, " + solution_text(*wrong)};
  }
  return {.format = 0.1, .answer = 0.9, .is_right = true, .note = "right"};
}

}  // namespace knights
