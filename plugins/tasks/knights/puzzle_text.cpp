#include "qed/error.h"

#include "puzzle.h"

#include <charconv>

namespace knights {

namespace {

constexpr std::string_view kOps[] = {"", "not", "and", "or", "->", "<=>"};

std::string text(const Leaf& leaf) {
  return (leaf.is_knave ? "('lying', " : "('telling-truth', ") + std::to_string(leaf.person) + ")";
}

std::string text(const Statement& s) {
  if (s.op == Op::kLeaf) return text(s.parts[0]);
  std::string out = "('" + std::string(kOps[static_cast<std::size_t>(s.op)]) + "'";
  for (std::size_t i = 0; i < s.size; ++i) (out += ", ") += text(s.parts[i]);
  return out += ")";
}

class Parser {
 public:
  explicit Parser(std::string_view text) : all_(text), rest_(text) {}

  Puzzle puzzle() {
    Puzzle out;
    expect("(");
    do {
      if (out.size == kMaxPeople) bad("at most 8 people");
      out.says[out.size++] = statement();
    } while (accept(","));
    expect(")");
    if (!rest_.empty()) bad("the end");
    if (out.size < 2) bad("at least 2 people");
    if (last_person_ >= out.size)
      bad("statements about the " + std::to_string(out.size) + " people");
    return out;
  }

 private:
  Statement statement() {
    Statement s;
    expect("(");
    const std::string_view op = word();
    for (std::size_t i = 1; i < std::size(kOps); ++i) {
      if (op == kOps[i]) s.op = static_cast<Op>(i);
    }
    if (s.op == Op::kLeaf) {
      s.parts[s.size++] = leaf(op);
      return s;
    }
    while (accept(",")) {
      if (s.size == kMaxParts) bad("at most 4 parts");
      expect("(");
      s.parts[s.size++] = leaf(word());
    }
    expect(")");
    const bool is_list = s.op == Op::kAnd || s.op == Op::kOr;
    const std::size_t least = s.op == Op::kNot ? 1 : 2;
    if (s.size < least || (!is_list && s.size != least)) bad("another number of parts");
    return s;
  }

  Leaf leaf(std::string_view kind) {
    if (kind != "lying" && kind != "telling-truth") {
      bad("'lying' or 'telling-truth': statements are at most 2 deep");
    }
    expect(",");
    accept(" ");
    unsigned person = 0;
    const auto [after, ec] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), person);
    if (ec != std::errc() || person >= kMaxPeople) bad("a person's number, from 0");
    rest_.remove_prefix(static_cast<std::size_t>(after - rest_.data()));
    expect(")");
    last_person_ = std::max<std::size_t>(last_person_, person);
    return {static_cast<std::uint8_t>(person), kind == "lying"};
  }

  std::string_view word() {
    expect("'");
    const std::string_view out = rest_.substr(0, rest_.find('\''));
    rest_.remove_prefix(out.size());
    expect("'");
    return out;
  }
  bool accept(std::string_view what) {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }
  void expect(std::string_view what) {
    if (!accept(what)) bad("`" + std::string(what) + "`");
  }
  [[noreturn]] void bad(const std::string& expected) const {
    throw qed::Error("byte " + std::to_string(all_.size() - rest_.size() + 1) + ": expected " +
                     expected);
  }

  std::string_view all_, rest_;
  std::size_t last_person_ = 0;
};

}  // namespace

std::string text(const Puzzle& puzzle) {
  std::string out = "(";
  for (std::size_t i = 0; i < puzzle.size; ++i) {
    (out += i == 0 ? "" : ", ") += text(puzzle.says[i]);
  }
  return out += ")";
}

Puzzle parse(std::string_view text) { return Parser(text).puzzle(); }

}  // namespace knights
