#include "pattern.h"

#include "qed/error.h"
#include "qed/unicode.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace {

constexpr std::size_t kMaxSteps = 20000;
constexpr int kMaxDepth = 100;
constexpr std::uint32_t kMaxRepeats = 1000;

}  // namespace

// Recursive descent; each function appends the steps of what it reads.
class PatternParser {
 public:
  PatternParser(std::string_view text, Pattern& out) : all_(text), rest_(text), out_(out) {}

  void run() {
    alternatives(0);
    if (!rest_.empty()) bad("this `)` closes nothing");
    out_.steps_.push_back({Pattern::Op::kAccept});
  }

 private:
  using Op = Pattern::Op;

  [[noreturn]] void bad(const std::string& why) const {
    throw qed::Error("regular expression `" + std::string(all_) + "`, character " +
                     std::to_string(qed::length(all_) - qed::length(rest_) + 1) + ": " + why);
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(out_.steps_.size()); }
  void emit(Pattern::Step step) {
    if (out_.steps_.size() >= kMaxSteps) bad("it is too large");
    out_.steps_.push_back(step);
  }
  // Makes room for one step at `at`; jumps behind it move along.
  void insert(std::uint32_t at, Pattern::Step step) {
    emit(step);
    std::rotate(out_.steps_.begin() + at, out_.steps_.end() - 1, out_.steps_.end());
    for (std::uint32_t i = at + 1; i < size(); ++i) move(out_.steps_[i], at, 1);
  }
  static void move(Pattern::Step& step, std::uint32_t from, std::uint32_t by) {
    if (step.op == Op::kSet || step.op == Op::kAccept) return;
    if (step.a >= from) step.a += by;
    if (step.op == Op::kSplit && step.b >= from) step.b += by;
  }
  bool accept(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void alternatives(int depth) {
    if (depth > kMaxDepth) bad("it is nested too deeply");
    const std::uint32_t begin = size();
    sequence(depth);
    if (!accept('|')) return;
    insert(begin, {Op::kSplit, begin + 1, 0});
    const std::uint32_t jump = size();
    emit({Op::kJump});
    out_.steps_[begin].b = size();
    alternatives(depth + 1);
    out_.steps_[jump].a = size();
  }

  void sequence(int depth) {
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      const std::uint32_t begin = size();
      atom(depth);
      repeats(begin);
    }
  }

  void repeats(std::uint32_t begin) {
    for (;;) {
      if (accept('*')) {
        star(begin);
      } else if (accept('+')) {
        emit({Op::kSplit, begin, size() + 1});
      } else if (accept('?')) {
        optional(begin);
      } else if (rest_.starts_with('{')) {
        counted(begin);
      } else {
        return;
      }
      if (rest_.starts_with('?') || rest_.starts_with('+')) bad("a whole match is never lazy");
    }
  }
  void star(std::uint32_t begin) {
    insert(begin, {Op::kSplit, begin + 1, 0});
    emit({Op::kJump, begin});
    out_.steps_[begin].b = size();
  }
  void optional(std::uint32_t begin) {
    insert(begin, {Op::kSplit, begin + 1, 0});
    out_.steps_[begin].b = size();
  }

  std::optional<std::uint32_t> number() {
    std::uint32_t value = 0;
    const auto [end, ec] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (ec == std::errc::invalid_argument) return std::nullopt;
    if (ec != std::errc() || value > kMaxRepeats) bad("at most 1000 repeats");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  // x{m}, x{m,}, x{m,n}: the steps of x, copied.
  void counted(std::uint32_t begin) {
    accept('{');
    const auto least = number();
    if (!least) bad("a number must follow `{`");
    auto most = least;
    if (accept(',')) most = number();
    if (!accept('}')) bad("`}` is missing");
    if (most && *most < *least) bad("the second number is below the first");
    const std::vector<Pattern::Step> body(out_.steps_.begin() + begin, out_.steps_.end());
    out_.steps_.resize(begin);
    const auto copy = [&] {
      const std::uint32_t at = size();
      for (Pattern::Step step : body) {
        move(step, 0, at - begin);
        emit(step);
      }
      return at;
    };
    for (std::uint32_t i = 0; i < *least; ++i) copy();
    if (!most) return star(copy());
    for (std::uint32_t i = *least; i < *most; ++i) optional(copy());
  }

  void atom(int depth) {
    if (accept('(')) {
      if (rest_.starts_with("?:")) rest_.remove_prefix(2);
      if (rest_.starts_with('?')) bad("only (?: is known");
      alternatives(depth + 1);
      if (!accept(')')) bad("`)` is missing");
      return;
    }
    for (const char c : {'*', '+', '?', '{'}) {
      if (rest_.starts_with(c)) bad("there is nothing to repeat");
    }
    Pattern::Set set;
    if (accept('.')) {
      set = {true, {{'\n', '\n'}}};
    } else if (accept('[')) {
      brackets(set);
    } else {
      character(set);
    }
    emit({Op::kSet, static_cast<std::uint32_t>(out_.sets_.size())});
    out_.sets_.push_back(std::move(set));
  }

  void brackets(Pattern::Set& set) {
    set.is_negated = accept('^');
    bool is_first = true;
    while (is_first || !rest_.starts_with(']')) {
      is_first = false;
      if (rest_.empty()) bad("`]` is missing");
      const auto low = character(set);
      if (!low || !rest_.starts_with('-') || rest_.starts_with("-]")) continue;
      accept('-');
      if (rest_.empty()) bad("`]` is missing");
      Pattern::Set end;
      const auto high = character(end);
      if (!high || *high < *low) bad("this range is empty");
      set.ranges.push_back({*low, *high});
    }
    accept(']');
  }

  // One character or escape; returns it unless it is a class.
  std::optional<char32_t> character(Pattern::Set& set) {
    if (!accept('\\')) {
      const char32_t c = qed::next_char(rest_);
      set.ranges.push_back({c, c});
      return c;
    }
    if (rest_.empty()) bad("nothing follows the `\\`");
    const char32_t c = qed::next_char(rest_);
    if (add_class(c, set)) return std::nullopt;
    const char32_t meant = c == 'n' ? U'\n' : c == 't' ? U'\t' : c;
    if (meant == c && c < 0x80 && std::isalnum(static_cast<int>(c)) != 0) bad("no such escape");
    set.ranges.push_back({meant, meant});
    return meant;
  }

  static bool add_class(char32_t c, Pattern::Set& set) {
    constexpr char32_t kLast = 0x10FFFF;
    const auto add = [&](std::initializer_list<std::pair<char32_t, char32_t>> ranges) {
      set.ranges.insert(set.ranges.end(), ranges);
      return true;
    };
    switch (c) {
      case 'd':
        return add({{'0', '9'}});
      case 'D':
        return add({{0, '0' - 1}, {'9' + 1, kLast}});
      case 'w':
        return add({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}});
      case 'W':
        return add({{0, 47}, {58, 64}, {91, 94}, {96, 96}, {123, kLast}});
      case 's':
        return add({{9, 13}, {' ', ' '}});
      case 'S':
        return add({{0, 8}, {14, 31}, {33, kLast}});
      default:
        return false;
    }
  }

  std::string_view all_, rest_;
  Pattern& out_;
};

Pattern::Pattern(std::string_view text, bool ignore_case) : ignore_case_(ignore_case) {
  PatternParser(text, *this).run();
}

bool Pattern::Set::has(char32_t c) const {
  const bool is_in = std::ranges::any_of(
      ranges, [c](const auto& range) { return c >= range.first && c <= range.second; });
  return is_in != is_negated;
}

// Adds `step` and all that it leads to without reading a character.
void Pattern::enter(std::uint32_t step, std::vector<std::uint32_t>& states,
                    std::vector<std::uint32_t>& mark, std::uint32_t round) const {
  std::vector<std::uint32_t> todo = {step};
  while (!todo.empty()) {
    const std::uint32_t at = todo.back();
    todo.pop_back();
    if (std::exchange(mark[at], round) == round) continue;
    const Step& s = steps_[at];
    if (s.op == Op::kJump || s.op == Op::kSplit) todo.push_back(s.a);
    if (s.op == Op::kSplit) todo.push_back(s.b);
    if (s.op == Op::kSet || s.op == Op::kAccept) states.push_back(at);
  }
}

bool Pattern::matches(std::string_view text) const {
  std::vector<std::uint32_t> now, next, mark(steps_.size(), 0);
  std::uint32_t round = 1;
  enter(0, now, mark, round);
  while (!text.empty() && !now.empty()) {
    const char32_t c = qed::next_char(text);
    const char32_t lower = qed::unicode::lower(c);
    ++round;
    next.clear();
    for (const std::uint32_t at : now) {
      if (steps_[at].op != Op::kSet) continue;
      const Set& set = sets_[steps_[at].a];
      bool is_in = set.has(c);
      if (!is_in && ignore_case_)
        is_in = set.has(lower) ||
                (lower < 0x80 && std::isalpha(static_cast<int>(lower)) && set.has(lower - 32));
      if (is_in) enter(at + 1, next, mark, round);
    }
    std::swap(now, next);
  }
  return text.empty() &&
         std::ranges::any_of(now, [&](std::uint32_t at) { return steps_[at].op == Op::kAccept; });
}
