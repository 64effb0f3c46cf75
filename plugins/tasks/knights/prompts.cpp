#include "prompts.h"

#include "qed/json.h"

namespace knights {

namespace {

constexpr std::string_view kBaseHead =
    "The user asks a question, and the Assistant solves it.The assistant first thinks about the "
    "reasoning process in the mind and then provides the user with the final answer. The reasoning "
    "process and answer are enclosed within <think> </think> and <answer> </answer> tags, "
    "respectively, i.e., <think> reasoning process here </think><answer> answer here </answer>. "
    "Now the user asks you to solve a logical reasoning problem. After thinking, when you finally "
    "reach a conclusion, clearly state the identity of each character within <answer> </answer> "
    "tags. List the identity of each person one by one, for example, <answer> (1) Zoey is a "
    "knight\n(2) Oliver is a knight\n(3)... </answer>.\n\nUser:";

constexpr std::string_view kSystem =
    "You are a helpful assistant. The assistant first thinks about the reasoning process in the "
    "mind and then provides the user with the answer. The reasoning process and answer are "
    "enclosed within <think> </think> and<answer> </answer> tags, respectively, i.e., <think> "
    "reasoning process here </think><answer> answer here </answer>.  Now the user asks you to "
    "solve a logical reasoning problem. After thinking, when you finally reach a conclusion, "
    "clearly state the identity of each character within <answer> </answer> tags. i.e., <answer> "
    "(1) Zoey is a knight\n(2) ... </answer>.\n";

std::string cat(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) out += part;
  return out;
}

}  // namespace

std::string base_prompt(std::string_view quiz) { return cat({kBaseHead, quiz, "\nAssistant: "}); }

std::string instruct_prompt(std::string_view quiz) {
  return cat({"<|im_start|>system\n", kSystem, "<|im_end|>\n<|im_start|>user\n", quiz,
              "\n<|im_end|>\n<|im_start|>assistant\n"});
}

std::string mem_kk_prompt(std::string_view quiz) {
  return cat({"### Question: ", quiz, "\n### Answer: Let's think step by step. "});
}

std::string chat_messages(std::string_view quiz) {
  const std::string user = cat({quiz, "\n"});
  return cat({R"([{"role":"system","content":)", qed::json::write(kSystem),
              R"(},{"role":"user","content":)", qed::json::write(user), "}]"});
}

}  // namespace knights
