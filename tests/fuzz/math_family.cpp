// The task `math`, by its verifiers.

#include "tests/fuzz/families.h"
#include "tests/fuzz/systems.h"

namespace qed::fuzz {

Family math_family() {
  Family out{
      .name = "math",
      .kind = "task",
      .grammar = {.frames = frames() + Texts{"~ \\boxed{@} ~", "\\boxed{@} and \\boxed{@}",
                                             "Final Answer: The final answer is $@$. I hope it is "
                                             "correct.",
                                             "$~ = @$", "\\[ @ \\]", "Answer: @", "\\boxed @$",
                                             "</think> <answer> @ </answer>",
                                             "<think>~</think> \\boxed{@}",
                                             "~<end_working_out><SOLUTION>@</SOLUTION>"},
                  .tokens = tokens() + Texts{"\\frac",
                                             "\\sqrt",
                                             "{",
                                             "}",
                                             "\\{",
                                             "\\}",
                                             "[",
                                             "]",
                                             "(",
                                             ")",
                                             "^",
                                             "_",
                                             "\\pm",
                                             "\\cup",
                                             "\\le",
                                             "<",
                                             "=",
                                             "\\approx",
                                             "\\infty",
                                             "\\pi",
                                             "\\sin",
                                             "\\log",
                                             "!",
                                             "\\%",
                                             "\\text{",
                                             "cm",
                                             "|",
                                             "&",
                                             "\\\\",
                                             "\\circ",
                                             ",\\!",
                                             "{,}",
                                             "e",
                                             "i",
                                             "x",
                                             "\\in",
                                             "\\sum_{k=1}^{",
                                             "\\begin{pmatrix}",
                                             "\\end{pmatrix}",
                                             "9^{9^9}",
                                             ":",
                                             ";",
                                             "\\left",
                                             "\\right",
                                             "\xC2\xB2",
                                             "$"},
                  .joiners = {"+", "-", "^", "/", ", ", "=", "<", " ", "\\cdot ", "\\cup", "!"},
                  .has_parentheses = true},
      .items = {{R"({"gold":"\\frac{1}{2}"})", "0.5", {"1", "2", "\\frac12", "50\\%"}},
                {R"({"gold":["x^2+2x+1"]})", "(x+1)^2", {"x", "x^2", "2x", "1"}},
                {R"({"gold":"(-\\infty,3]"})", "x \\le 3", {"3", "-\\infty", "x"}},
                {R"({"gold":"\\{1,3\\}"})", "3, 1", {"1", "3", "\\{1,3\\}"}},
                {R"({"gold":"\\begin{pmatrix}1\\\\2\\end{pmatrix}"})",
                 "\\begin{bmatrix}1\\\\2\\end{bmatrix}",
                 {"1", "2", "\\begin{pmatrix}", "\\\\"}},
                {R"({"gold":"\\tan^2(y)+1"})", "\\sec^2(y)", {"\\sec", "y", "\\tan^2(y)"}},
                {R"({"gold":"see the proof above"})", "?", {"proof"}, true}},
      .prompts = prompts(),
      .prefills = prefills(),
      .rules = {}};
  for (const char* name : {"strict", "math_verify", "qwen", "hendrycks", "prm800k"}) {
    out.rules.push_back({"math", name, {{"verifier", name}, {"data", ""}}, {{0, 1}}});
  }
  const std::pair<const char*, Values> rewards[] = {
      {"simplerl_v0", {{1, -0.5, -1}}},
      {"simplerl_v1", {{0, 1}}},
      {"simplerl_v1_independent", {{1, 0.5, -0.5, -1}}},
      {"open_r1", {{0, 1}}},
      {"deepscaler", {{0, 1}}},
      {"r1_zero", {{0, 1}}},
      {"r1_zero_boxed", {{0, 1}}},
      {"demystify", {{0, 1}}},
      {"unsloth", {{}, -7, 8.5}}};
  for (const auto& [name, values] : rewards) {
    out.rules.push_back({"math", name, {{"reward", name}, {"data", ""}}, values});
  }
  out.demonstrates = false;
  return out;
}

}  // namespace qed::fuzz
