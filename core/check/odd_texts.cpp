#include "core/check/odd_texts.h"

namespace qed::check {
namespace {

constexpr std::size_t kMegabyte = 1 << 20;
constexpr std::size_t kDeep = 100000;

std::string repeated(std::string_view part, std::size_t n) {
  std::string out;
  out.reserve(part.size() * n);
  for (std::size_t i = 0; i < n; ++i) out += part;
  return out;
}

// About a megabyte of it.
std::string filled(std::string_view part) { return repeated(part, kMegabyte / part.size()); }

}  // namespace

std::vector<OddText> odd_texts() {
  return {
      {"no character", ""},
      {"one blank", " "},
      {"NUL characters", std::string("4\0002\0<answer>\0004\0</answer>", 25)},
      {"control characters", "\x01\x02\x1b[31m\x7f\r\n\t"},
      {"text from right to left", "\u202e<answer>\u0661\u0662</answer>\u202c \u05d0\u05d1"},
      {"combining marks", "a" + repeated("\u0301", 1000)},
      {"wide and odd digits", "<answer>\uff11\uff12 \u00b2 \u2162 \u0967</answer>"},
      {"the largest code points", "\U0010ffff\ufffd\ufeff\u2028\u00a0"},
      {"tags in each other", "<think><answer><think></answer></think><answer>"},
      {"a tag that is cut off", "<think>x</think><answer>4</ans"},
      {"a backslash at the end", "\\boxed{4}\\"},
      {"format directives", "%s%n%d {} {0} ${x} $(x)"},
      {"a number too large", "<answer>" + repeated("9", 5000) + "</answer>"},
      {"huge powers", "<answer>9^9^9^9^9^9</answer> <answer>9**9**9**9</answer>"},
      {"divisions by zero", "<answer>1/0</answer> <answer>(1-1)/(2-2)</answer>"},
      {"numbers that are none", "<answer>nan</answer><answer>inf</answer><answer>1e999</answer>"},
      {"100,000 open braces", repeated("{", kDeep)},
      {"100,000 nested braces", repeated("{", kDeep) + repeated("}", kDeep)},
      {"100,000 nested boxes", repeated("\\boxed{", kDeep) + repeated("}", kDeep)},
      {"100,000 nested parentheses",
       "<answer>" + repeated("(", kDeep) + "1" + repeated(")", kDeep) + "</answer>"},
      {"100,000 minus signs", "<answer>" + repeated("-", kDeep) + "1</answer>"},
      {"100,000 nested JSON arrays", repeated("[", kDeep)},
      {"a megabyte of one letter", filled("a")},
      {"a megabyte of digits", filled("7")},
      {"a megabyte of blanks", filled(" ")},
      {"a megabyte of newlines", filled("\n")},
      {"a megabyte of open tags", filled("<answer>")},
      {"a megabyte of answers", filled("<answer>4</answer>")},
      {"a megabyte of thoughts", filled("<think>")},
      {"a megabyte of boxes", filled("\\boxed{")},
      {"a megabyte of sums", "<answer>" + filled("1+") + "1</answer>"},
      {"a megabyte of words", filled("so ")},
      {"a megabyte of angle brackets", filled("<")},
      {"a megabyte of list points", filled("- a\n")},
  };
}

}  // namespace qed::check
