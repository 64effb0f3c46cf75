#pragma once

// What the published systems' completions look like: shared by the families.

#include <string>
#include <string_view>
#include <vector>

namespace qed::fuzz {

using Texts = std::vector<std::string_view>;

inline Texts operator+(Texts a, const Texts& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// The frames and tags of all systems.
inline Texts frames() {
  return {"@",
          "~@",
          "<think>~</think><answer>@</answer>",
          "~</think><answer>@</answer>",
          "<think>~</think>\n<answer>@</answer>",
          "~</think>\n<answer> @ </answer>",
          "~\n<answer>@</answer>\n<answer>@</answer>",
          "Assistant: ~<think>~</think>\n<answer>@</answer>",
          "<|im_start|>assistant\n~<answer>@</answer>",
          "<think>\n~\n</think>\n<answer>\n@\n</answer>"};
}
inline Texts tokens() {
  return {"<think>",
          "</think>",
          "<answer>",
          "</answer>",
          "<think>\n",
          "\n</answer>",
          "<answ",
          "</",
          "Assistant:",
          "User:",
          "<|im_start|>",
          "<|im_start|>assistant",
          "\n",
          " ",
          "\r\n",
          "||",
          "\\",
          "\"",
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          "null",
          "true"};
}
inline Texts prompts() {
  return {"", "User: Using the numbers.\nAssistant: Let me solve this step by step.\n<think>",
          "<|im_start|>user\nQuestion<|im_end|>\n<|im_start|>assistant\n<think>", "Question: 1+1=?",
          "#### 7\nAssistant:"};
}
inline Texts prefills() { return {"", "<think>", "Let me solve this step by step.\n<think>"}; }

inline std::string repeated(const std::string& what, std::size_t n, const std::string& between) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += (i == 0 ? "" : between) + what;
  return out;
}

}  // namespace qed::fuzz
