// fuzz_code [--inputs N] [--seed N]: damaged completions, outputs and items for what the task
// `code` reads before and after a program runs. Programs of random text are not run: each takes 30
// ms, and the hostile ones of tests/sandbox are worse.

#include "plugins/tasks/code/item.h"
#include "plugins/tasks/code/rules.h"
#include "tests/fuzz/inputs.h"
#include "tests/fuzz/mutator.h"
#include "tests/fuzz/systems.h"

namespace qed::fuzz {
namespace {

const Grammar kGrammar = {
    .frames = {"<think>~</think>\n```python\n@\n```", "```cpp\n@\n```\n```\n~\n```", "@", "@\n@\n",
               "[@, @]", "{\"a\": @, \"b\": [~]}",
               R"({"prompt":"~","tests":[{"input":"@","output":"@"}],"checker":"~"})",
               R"({"question":"~","input_output":"{\"inputs\":[@],\"outputs\":[@]}"})",
               R"({"problem":"~","verification_info":{"test_cases":[{"output":@}]}})"},
    .tokens =
        tokens() + Texts{"```", "```python", "```python\n", "```c++", "\n```\n", "tests", "fn_name",
                         "#include <bits/stdc++.h>", "std::", "\"input\"", "\\u00"},
    .joiners = {" ", "\n", ", ", "\r\n", ""}};

bool is_in(std::string_view part, std::string_view text) {
  return part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size();
}

std::string problem_of_blocks(const std::string& text) {
  for (const std::string language : {"python", "cpp"}) {
    const auto block = code::last_block(text, language);
    if (block && !is_in(*block, text)) return "a block is not of the text";
    const auto open_r1 = code::open_r1_block(text, language);
    if (open_r1 && !is_in(*open_r1, text)) return "a block of open-r1 is not of the text";
  }
  return code::with_includes(text, "a.h").ends_with(text) ? "" : "includes change the program";
}

std::string problem_of_outputs(const std::string& a, const std::string& b) {
  if (!code::same_lines(a, a)) return "an output differs from itself";
  if (code::same_lines(a, b) != code::same_lines(b, a)) return "lines depend on the order";
  if (!code::open_r1_equal("", b)) {
    if (code::open_r1_equal("x", b) && b.find('x') == b.npos) return "open-r1 takes another line";
  }
  code::same_json(a, b);
  return "";
}

// An item that is made of a row is read as it was written.
std::string problem_of_row(const std::string& row) {
  qed::Item item;
  try {
    item = code::from_row(row);
  } catch (const qed::Error&) {
    return "";
  }
  const code::Contents c = code::read_item(item.blob);
  if (c.tests.empty() || c.prompt.empty()) return "an item without tests or prompt";
  const qed::Item again = code::from_row(item.blob);
  return again.blob == item.blob && again.key == item.key ? "" : "an item changes when it is read";
}

std::string problem_of_input(std::uint64_t seed) {
  Mutator mutator(kGrammar);
  mutator.seed(seed);
  const std::string words[] = {"print(3)", "3", "1e5", "\"x\"", "[1, 2]"};
  const std::string a = mutator.completion("3", "4", words);
  const std::string b =
      mutator.one_in(2) ? mutator.damaged(a) : mutator.completion("3", "4", words);
  for (const std::string& why :
       {problem_of_blocks(a), problem_of_outputs(a, b), problem_of_row(a)}) {
    if (!why.empty()) return why + ": " + a;
  }
  return "";
}

}  // namespace
}  // namespace qed::fuzz

int main(int argc, char** argv) {
  return qed::fuzz::fuzz_inputs({argv + 1, argv + argc}, qed::fuzz::problem_of_input);
}
