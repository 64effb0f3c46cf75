#include "prompts.h"

#include "qed/json.h"

namespace countdown {
namespace {

using std::string;

constexpr const char* kSystem =
    "You are a helpful assistant. You first thinks about the reasoning process in the mind and "
    "then "
    "provides the user with the answer.";
constexpr const char* kPrefill = "Let me solve this step by step.\n<think>";

string question(const Wording& w) {
  return "Using the numbers " + w.numbers + ", create an equation that equals " + w.target + ". ";
}
string rules() {
  return "You can use basic arithmetic operations (+, -, *, /) and each number can only be used "
         "once. Show your work in <think> </think> tags. And return the final answer in <answer> "
         "</answer> tags";
}
// TinyZero's sentence.
string tinyzero(const Wording& w) {
  return question(w) + rules() + ", for example <answer> (1 + 2) / 3 </answer>.";
}

string base(const Wording& w) {
  return "A conversation between User and Assistant. The user asks a question, and the Assistant "
         "solves it. The assistant first thinks about the reasoning process in the mind and then "
         "provides the user with the answer.\nUser: " +
         tinyzero(w) + "\nAssistant: ";
}

string base_2(const Wording& w) {
  return question(w) + rules() + ". For example, <answer> (1 + 2) / 3 </answer>.\n";
}

string instruct(const Wording& w) {
  return string("<|im_start|>system\n") + kSystem + "<|im_end|>\n<|im_start|>user\n " +
         tinyzero(w) + "<|im_end|>\n<|im_start|>assistant\n";
}

string mini_r1(const Wording& w) {
  return question(w) +
         "You can use basic arithmetic operations (+, -, *, /) one or multiple times but each "
         "number can only be used once. Show your work in <think> </think> tags. And return the "
         "final equation in <answer> </answer> tags, for example <answer> (1 + 2) / 3 </answer>. "
         "Think step by step inside <think> tags.";
}

string chinese(const Wording& w) {
  return "使用给定的数字 " + w.numbers + "，创建一个等于 " + w.target +
         " 的方程。你可以使用基本算术运算（+、-、*、/）一次或多次，但每个数字只能使用一次。在 "
         "<think> </think> 标签中展示你的思考过程，并在 <answer> </answer> "
         "标签中返回最终方程，例如 <answer> (1 + 2) / 3 </answer>。在 <think> 标签中逐步思考。";
}

string messages(const char* system, const string& user) {
  string out = "[";
  if (system != nullptr) {
    out += "{\"role\":\"system\",\"content\":" + qed::json::write(system) + "},";
  }
  return out + "{\"role\":\"user\",\"content\":" + qed::json::write(user) + "}]";
}

}  // namespace

qed::Prompt prompt(std::string_view name, const Wording& w) {
  if (name == "base") return {.text = base(w), .prefill = kPrefill};
  if (name == "base-2") {
    return {.text = base_2(w), .prefill = "Let me see if I can solve this step by step.\n<think>"};
  }
  if (name == "instruct") return {.text = instruct(w), .prefill = kPrefill};
  if (name == "chat") return {.messages = messages(kSystem, tinyzero(w)), .prefill = kPrefill};
  if (name == "mini-r1") return {.messages = messages(kSystem, mini_r1(w)), .prefill = kPrefill};
  return {.messages = messages(nullptr, chinese(w)),
          .prefill = "让我们逐步解决这个问题。\n<think>"};
}

bool has_header(std::string_view name) { return name == "base" || name == "instruct"; }

}  // namespace countdown
