#pragma once

// The rewards. Each reads a completion, prefill included, and never fails: linear time, no
// recursion, no bound on the bytes.

#include <string>
#include <string_view>
#include <vector>

namespace knights {

struct Person {
  std::string_view name, role;
};

// The parts of a reward; their sum is the reward.
struct Marks {
  double format = 0, answer = 0;
  bool is_right = false;
  std::string note = {};
};

// "Zoey is a knight"; and with "(1) " before it, for person 0.
std::string solution_text(const Person& person);
std::string solution_line(std::size_t i, const Person& person);

// "(1) Zoey is a knight\n(2) Oliver is a knave": exactly that, numbered from 1. False for anything
// else, and then `people` is not to be used. Views point into `text`.
bool read_solution(std::string_view text, std::vector<Person>& people);
// The same lines as Logic-RL reads them, whatever they look like: the first word of letters that
// has `knight` or `knave` after it, and that role. The last line of a name counts.
void read_solution_logic_rl(std::string_view text, std::vector<Person>& people);

// The part of prompt + response that Logic-RL scores: after the first "Assistant:", or else after
// the first "<|im_start|>assistant".
struct Response {
  std::string_view text;
  bool has_header = false;
};
Response response_logic_rl(std::string_view text);

// Logic-RL: 3 right, -0.5 wrong, -1 not readable, -3 bad format, at format_reward = 1.
Marks logic_rl(Response response, const std::vector<Person>& people, double format_reward);

// Logic-RL's evaluation: `</think>`, `<answer>` and `</answer>` once each, in order; for each name
// the first `knight` or `knave` after it on its line. 1 or 0.
Marks eval_kk(std::string_view text, const std::vector<Person>& people);

// mem-kk-logic's evaluation: what follows `CONCLUSION:` holds every line of the solution, no "if",
// and no line more. 1 or 0.
Marks mem_kk(std::string_view text, const std::vector<Person>& people);

// qed's own: <think>...</think><answer>...</answer> with nothing else around, and in the answer
// each person exactly once, `Zoey is a knight`. 1 right, 0.1 wrong roles, 0 anything else.
Marks strict(std::string_view text, const std::vector<Person>& people);

}  // namespace knights
