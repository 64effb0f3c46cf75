#include "tests/fuzz/mutator.h"

#include "qed/unicode.h"

#include <algorithm>
#include <utility>

namespace qed::fuzz {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kNumbers[] = {"0",
                                         "00",
                                         "007",
                                         "1_000",
                                         "1__0",
                                         "0x1F",
                                         "0b11",
                                         "0o17",
                                         "1e5",
                                         "1e999999999",
                                         "1e-99999",
                                         "1.5",
                                         ".5",
                                         "5.",
                                         "1.2.3",
                                         "-0",
                                         "--5",
                                         "1,234",
                                         "1,23",
                                         "$1,234.50",
                                         "50%",
                                         "3/4",
                                         "1/0",
                                         "3j",
                                         "1e400j",
                                         "inf",
                                         "nan",
                                         "Infinity",
                                         "9**9**9",
                                         "5!",
                                         "2**100000",
                                         "1<<99999",
                                         "~7",
                                         "1//0",
                                         "7%-3",
                                         "18446744073709551616",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "0.1e-1",
                                         "1e",
                                         "٣٤",
                                         "１２",
                                         "²",
                                         "1e+",
                                         "0.30000000000000004"};

constexpr std::string_view kBytes =
    "\0\x01\t\n\r\f\x1c\x7f !\"#$%&'()*+,-./0123456789:;<=>?@AKZ[\\]^_`akz{|}~"sv;

// Boundaries of UTF-8, spaces and digits of other scripts, what changes its length in lower case.
constexpr char32_t kCharacters[] = {0x80,   0x85,   0xA0,   0xB2,   0xBD,    0x130,   0x131,
                                    0x17F,  0x3A3,  0x660,  0x7FF,  0x800,   0x966,   0x1680,
                                    0x200B, 0x2028, 0x202E, 0x2212, 0x212A,  0x3000,  0xD7FF,
                                    0xE000, 0xFEFF, 0xFF10, 0xFFFD, 0x10000, 0x1D7CE, 0x10FFFF};

// A place between two characters.
std::size_t boundary(const std::string& text, std::size_t at) {
  while (at < text.size() && (text[at] & 0xC0) == 0x80) ++at;
  return at;
}

}  // namespace

// SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t Mutator::next() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

std::string Mutator::number() {
  if (one_in(3)) return std::string(pick(std::span(kNumbers)));
  if (one_in(500)) return std::string(1 + below(5000), static_cast<char>('0' + below(10)));
  std::uint64_t value = next() >> below(64);
  if (one_in(2)) value %= 100;
  std::string out = std::to_string(value);
  if (one_in(8)) out.insert(0, "-");
  if (one_in(8)) out += "." + std::to_string(below(1000));
  return out;
}

std::string Mutator::character() {
  std::string out;
  if (one_in(3)) {
    append_char(out, pick(std::span(kCharacters)));
  } else {
    out = pick(kBytes);
  }
  return out;
}

std::string Mutator::piece(const std::string& text) {
  switch (below(4)) {
    case 0:
      return std::string(pick(grammar_.tokens));
    case 1:
      return number();
    case 2:
      return character();
    default: {
      const std::size_t begin = boundary(text, below(text.size() + 1));
      return text.substr(begin, boundary(text, begin + below(30)) - begin);
    }
  }
}

std::string Mutator::expression(std::span<const std::string> words) {
  if (words.empty()) return number();
  if (words.size() == 1) return one_in(12) ? number() : words[0];
  const std::size_t split = 1 + below(words.size() - 1);
  std::string out = expression(words.first(split));
  (out += pick(grammar_.joiners)) += expression(words.subspan(split));
  return grammar_.has_parentheses && one_in(3) ? "(" + out + ")" : out;
}

std::string Mutator::answer(std::string_view right, std::string_view wrong,
                            std::span<const std::string> words) {
  if (one_in(2)) return std::string(right);
  if (one_in(5)) return number();
  if (!wrong.empty() && one_in(2)) return std::string(wrong);
  std::vector<std::string> shuffled(words.begin(), words.end());
  for (std::size_t i = shuffled.size(); i > 1; --i) std::swap(shuffled[i - 1], shuffled[below(i)]);
  return expression(shuffled);
}

std::string Mutator::completion(std::string_view right, std::string_view wrong,
                                std::span<const std::string> words) {
  std::string out;
  for (const char c : pick(grammar_.frames)) {
    if (c == '@') {
      out += answer(right, wrong, words);
    } else if (c == '~') {
      for (std::uint64_t n = below(8); n > 0; --n) (out += piece(out)) += ' ';
    } else {
      out += c;
    }
  }
  return one_in(4) ? out : damaged(std::move(out));
}

void Mutator::edit(std::string& text) {
  const std::size_t at = boundary(text, below(text.size() + 1));
  const std::size_t end = boundary(text, at + below(one_in(4) ? 60 : 6));
  switch (below(8)) {
    case 0:
      text.erase(at, end - at);
      break;
    case 1:
      text.replace(at, end - at, piece(text));
      break;
    case 2:
      if (at < text.size()) text[at] = pick(kBytes);  // may leave half a character
      break;
    case 3:
      if (one_in(6)) text.resize(at);
      break;
    case 4:
      if (one_in(6)) text.erase(0, at);
      break;
    case 5:
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
      break;
    default:
      text.insert(at, piece(text));
  }
}

// One piece many times, or nested brackets around all of it.
void Mutator::blow_up(std::string& text) {
  const std::size_t size = one_in(12) ? kMaxBytes : 4096;
  if (one_in(4)) {
    constexpr std::pair<std::string_view, std::string_view> kBrackets[] = {
        {"(", ")"},  {"[", "]"},       {"{", "}"}, {"<think>", "</think>"},
        {"-(", ")"}, {"\\boxed{", "}"}};
    const auto [open, close] = pick(std::span(kBrackets));
    std::string front, back;
    for (std::uint64_t n = below(size / (open.size() + close.size())); n > 0; --n) {
      front += open, back += close;
    }
    const std::size_t at = boundary(text, below(text.size() + 1));
    text.insert(at, one_in(2) ? front + back : front + std::string(pick(grammar_.tokens)) + back);
    return;
  }
  const std::string unit = piece(text);
  std::string run;
  for (std::uint64_t n = below(size / (unit.size() + 1)); n > 0; --n) run += unit;
  text.insert(boundary(text, below(text.size() + 1)), run);
}

std::string Mutator::damaged(std::string text) {
  for (std::uint64_t edits = 1 + below(6); edits > 0; --edits) edit(text);
  if (one_in(300)) blow_up(text);
  if (text.size() > kMaxBytes) text.resize(kMaxBytes);
  return text;
}

}  // namespace qed::fuzz
