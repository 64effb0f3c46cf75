// Single verdicts: faults of other graders that `strict` must not share, presets and their options,
// and inputs that are made to be slow.

#include "verify.h"
#include "extract.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace qed {
namespace {

using math::Equality;
using math::Reason;

const math::Policy kStrict = *math::preset("strict");

math::Verdict strict(std::string_view gold, const std::string& answer) {
  return math::verify({&gold, 1}, "\\boxed{" + answer + "}", kStrict);
}

TEST(Strict, TellsApartWhatOtherGradersTakeForEqual) {
  for (const auto& [gold, answer] :
       {std::pair<const char*, const char*>{"\\frac{1}{2^{99}}", "\\frac{1}{2^{98}}"},
        {"\\frac{1}{2004!}", "\\frac{1}{2006!}"},
        {"\\frac{2^{2005}+1}{3 \\cdot 2^{2006}}", "\\frac{1}{3 \\cdot 2^{2006}}"},
        {"1 - \\frac{1}{\\mathrm{e}}", "1 + \\frac{1}{\\mathrm{e}}"},
        {"4", "4\\sqrt(2)"},
        {"1, 2, \\ldots, n", "1, 3, 5, \\ldots, 2n-1"},
        {"E", "E'"},
        {"9^{9^9}", "9^{9^9}+1"},
        {"e^{\\pi\\sqrt{163}}", "262537412640768744"},
        {"(3,1)", "(1,3)"},
        {"[0,1)", "(0,1)"},
        {"204_5", "204_6"},
        {"204_5", "204"},
        {"\\pm 2021", "2021"},
        {"5", "5.001"},
        {"x = 1", "y = 1"},
        {"x < 1", "x > -1"},
        {"12:00", "1:00"},
        {"\\sqrt{x^2}", "x"},
        {"10", "10\\%"},
        {"7", "7, 8"},
        {"1/2", "0.6 = 1/2"}}) {
    EXPECT_NE(strict(gold, answer).equality, Equality::kEqual) << gold << " | " << answer;
    EXPECT_NE(strict(answer, gold).equality, Equality::kEqual) << answer << " | " << gold;
  }
}

TEST(Strict, FindsEqualWhatOtherGradersDoNot) {
  for (const auto& [gold, answer] :
       {std::pair<const char*, const char*>{"\\sqrt{1/n}", "\\frac{1}{\\sqrt n}"},
        {"e^{16}-1", "-1+exp(16)"},
        {"\\dfrac{\\pi}{2}", "pi/2"},
        {"-2\\pi", "-2*pi"},
        {"10000", "10{,}000"},
        {"\\tan^2(y)+1", "\\sec^2(y)"},
        {"\\pm 3", "-3, 3"},
        {"2x+4y-3=0", "y=-\\frac{1}{2}x+\\frac{3}{4}"},
        {"x < 1", "-x > -1"},
        {"(-\\infty, 3)", "x < 3"},
        {"\\frac{1}{12}", "0.0833333333"},
        {"\\arctan 1", "\\frac{\\pi}{4}"},
        {"3\\frac{1}{2}", "3.5"},
        {"f(x) = 2x", "f(t) = 2t"},
        {"\\text{Monday}", "monday"},
        {"40\\text{ min}", "40"},
        {"\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}",
         "\\begin{bmatrix} 1.0 \\\\ 4/2 \\end{bmatrix}"}}) {
    EXPECT_EQ(strict(gold, answer).equality, Equality::kEqual) << gold << " | " << answer;
    EXPECT_EQ(strict(answer, gold).equality, Equality::kEqual) << answer << " | " << gold;
  }
}

TEST(Strict, SaysWhyAndWhereTheAnswerStands) {
  const std::string text = "So <think>\\boxed{1}</think> it is \\boxed{3}.";
  const std::string_view gold = "2";
  const math::Verdict v = math::verify({&gold, 1}, text, kStrict);
  EXPECT_EQ(v.reason, Reason::kDifferent);
  EXPECT_EQ(v.answer, "3");
  EXPECT_EQ(text.substr(v.begin, v.end - v.begin), "\\boxed{3}");
  EXPECT_EQ(math::verify({&gold, 1}, "It is 2.", kStrict).reason, Reason::kNoAnswer);
  EXPECT_EQ(math::verify({&gold, 1}, "<think> \\boxed{2}", kStrict).reason, Reason::kNoAnswer);
  EXPECT_EQ(strict("2", "\\nonsense{").reason, Reason::kNoAnswer);
  EXPECT_EQ(strict("2", "\\nonsense").reason, Reason::kUnreadAnswer);
  EXPECT_EQ(strict("there is no such number", "2").reason, Reason::kUnreadGold);
}

TEST(Strict, AnyOfSeveralGoldAnswersIsRight) {
  const std::string_view golds[] = {"1", "\\frac{1}{3}"};
  const math::Verdict v = math::verify(golds, "\\boxed{2/6}", kStrict);
  EXPECT_EQ(v.equality, Equality::kEqual);
  EXPECT_EQ(v.gold, 1u);
}

TEST(Strict, EndsAtOnceOnInputsMadeToBeSlow) {
  const auto repeated = [](const char* part, std::size_t n) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += part;
    return out;
  };
  const std::string attacks[] = {"9^{9^9}",
                                 "9^{9^{9^9}}",
                                 "10^{10^{10}}",
                                 "1000000!",
                                 "((((5!)!)!)!)!",
                                 "\\sum_{k=1}^{1000000} 1/k",
                                 "\\sum_{a=1}^{999}\\sum_{b=1}^{999}\\sum_{c=1}^{999} a b c",
                                 "\\prod_{k=1}^{1000} k!",
                                 "\\binom{1000000}{500000}",
                                 "(x+y+z+1)^{60}",
                                 "\\sin(10^{30})",
                                 "2^{0.5^{0.5^{0.5}}}",
                                 repeated("{", 1'000'000),
                                 repeated("(", 1'000) + repeated(")", 1'000),
                                 repeated("9", 1'000'000),
                                 repeated("\\sqrt{", 200) + "2" + repeated("}", 200),
                                 repeated("\\frac{", 100'000),
                                 repeated("1,", 2'000) + "1",
                                 repeated("x!", 4'000),
                                 repeated("\\boxed{", 100'000),
                                 repeated("\\( ", 100'000),
                                 repeated("$", 100'001),
                                 repeated("\\boxed ", 100'000),
                                 repeated("\\sin ", 3'000) + "x",
                                 repeated("1/", 1'500) + "1",
                                 repeated("-", 4'000) + "1"};
  const math::Policy ladder = *math::preset("math_verify");
  for (const std::string& attack : attacks) {
    for (const char* gold : {"7", "\\sqrt{2}+x", "1, 2, 3"}) {
      const std::string_view view = gold;
      EXPECT_NE(strict(gold, attack).equality, Equality::kEqual) << attack.substr(0, 40);
      EXPECT_NE(math::verify({&view, 1}, attack, ladder).equality, Equality::kEqual);
      EXPECT_NE(math::compare_answers(gold, attack, kStrict).equality, Equality::kEqual);
    }
  }
}

TEST(Presets, DifferWhereTheirSystemsDo) {
  const auto equal = [](const char* name, const char* gold, const char* answer) {
    return math::compare_answers(gold, answer, *math::preset(name)).equality == Equality::kEqual;
  };
  EXPECT_TRUE(equal("hendrycks", "10\\%", "10"));
  EXPECT_FALSE(equal("math_verify", "10\\%", "10"));
  EXPECT_TRUE(equal("math_verify", "10\\%", "0.1"));
  EXPECT_TRUE(equal("qwen", "10\\%", "10"));
  EXPECT_TRUE(equal("qwen", "10\\%", "0.1"));
  EXPECT_TRUE(equal("qwen", "10000", "10000.5"));
  EXPECT_FALSE(equal("strict", "10000", "10000.5"));
  EXPECT_FALSE(equal("prm800k", "1/2", "2/4"));
  EXPECT_TRUE(equal("strict", "1/2", "2/4"));
  EXPECT_FALSE(equal("deepscaler", "4", "\\sqrt{16}"));
  EXPECT_FALSE(equal("prm800k", "1, 2", "2, 1"));
  EXPECT_TRUE(equal("strict", "1, 2", "2, 1"));
  EXPECT_TRUE(equal("math_verify", "(1,3)", "\\{1,3\\}"));
  EXPECT_FALSE(equal("strict", "(1,3)", "\\{1,3\\}"));
  EXPECT_FALSE(equal("strict", "5\\text{ cm}", "5\\text{ m}"));
  EXPECT_TRUE(equal("math_verify", "5\\text{ cm}", "5\\text{ m}"));
  EXPECT_FALSE(math::preset("sympy").has_value());
}

}  // namespace
}  // namespace qed
