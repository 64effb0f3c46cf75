#include "prompts.h"

#include "qed/json.h"

namespace maths {

namespace {

constexpr std::string_view kBoxed =
    "Please reason step by step, and put your final answer within \\boxed{}.";

constexpr std::string_view kOpenR1First =
    "A conversation between User and Assistant. The user asks a question, and the Assistant solves "
    "it. The assistant first thinks about the reasoning process in the mind and then provides the "
    "user with the answer. The reasoning process and answer are enclosed within <think> </think> "
    "and <answer> </answer> tags, respectively, i.e., <think> reasoning process here "
    "</think><answer> answer here </answer>";
constexpr std::string_view kOpenR1 =
    "You are a helpful AI Assistant that provides well-reasoned and detailed responses. You first "
    "think about the reasoning process as an internal monologue and then provide the user with the "
    "answer. Respond in the following format: "
    "<think>\n...\n</think>\n<answer>\n...\n</answer>";
constexpr std::string_view kR1Zero =
    "A conversation between User and Assistant. The User asks a question, and the Assistant solves "
    "it. The Assistant first thinks about the reasoning process in the mind and then provides the "
    "User with the answer. The reasoning process is enclosed within <think> </think> and answer is "
    "enclosed within <answer> </answer> tags, respectively, i.e., <think> reasoning process here "
    "</think> <answer> answer here </answer>.\nUser: ";
constexpr std::string_view kLogicRl =
    "You are a helpful assistant. The assistant first thinks about the reasoning process in the "
    "mind and then provides the user with the answer. The reasoning process and answer are "
    "enclosed within <think> </think> and<answer> </answer> tags, respectively, i.e., <think> "
    "reasoning process here </think><answer> answer here </answer>.  Now the user asks you to "
    "solve a math problem. After thinking, when you finally reach a conclusion, clearly state the "
    "answer within <answer> </answer> tags. i.e., <answer> (\\boxed{}\\) </answer>.";

constexpr std::string_view kUnsloth =
    "You are given a problem.\nThink about the problem and provide your working out.\nPlace it "
    "between <start_working_out> and <end_working_out>.\nThen, provide your solution between "
    "<SOLUTION></SOLUTION>";

std::string cat(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) out += part;
  return out;
}

std::string chat(std::string_view system, std::string_view user) {
  const auto message = [](std::string_view role, std::string_view content) {
    return cat({R"({"role":")", role, R"(","content":)", qed::json::write(content), "}"});
  };
  return "[" + (system.empty() ? "" : message("system", system) + ",") + message("user", user) +
         "]";
}

std::string qwen(std::string_view system, std::string_view user) {
  return cat({"<|im_start|>system\n", system, "<|im_end|>\n<|im_start|>user\n", user,
              "<|im_end|>\n<|im_start|>assistant\n"});
}

}  // namespace

qed::Prompt prompt(std::string_view name, std::string_view question) {
  const std::string q(question);
  if (name == "boxed") return {.messages = chat("", cat({q, "\n", kBoxed}))};
  if (name == "simplerl_v0") return {.text = qwen(kBoxed, q)};
  if (name == "simplerl_v1") {
    return {.text = qwen("You are a helpful assistant.", cat({q, "\n", kBoxed}))};
  }
  if (name == "abel") {
    return {.text = cat({"Question:\n", q, "\nAnswer:\nLet's think step by step.\n"})};
  }
  if (name == "open_r1_first") return {.messages = chat(kOpenR1First, q)};
  if (name == "open_r1") return {.messages = chat(kOpenR1, q)};
  if (name == "r1_zero") {
    return {.text = cat({kR1Zero, q, "\nAssistant: <think>"}), .stop = {"</answer>"}};
  }
  if (name == "deepscaler") {
    return {.messages = chat("", cat({q,
                                      " Let's think step by step and output the final answer "
                                      "within \\boxed{}."}))};
  }
  if (name == "logic_rl") return {.messages = chat(kLogicRl, q)};
  if (name == "unsloth") {
    return {.messages = chat(kUnsloth, q), .prefill = "<start_working_out>"};
  }
  if (name == "none") return {.text = q};
  throw qed::Error("there is no template `" + std::string(name) + "`", QED_INVALID);
}

}  // namespace maths
