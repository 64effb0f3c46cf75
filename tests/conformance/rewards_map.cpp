#include "tests/conformance/rewards_map.h"

namespace qed::conformance {
namespace {

std::string text_of(const Json& row, const char* field) { return row["input"][field]; }

// Tasks. The text is the whole of prompt and response, as the original gets it.
RewardInput countdown(const Json& row, const char* text, const char* numbers) {
  const Json item = {{"target", row["input"]["target"]}, {"nums", row["input"][numbers]}};
  return {item, {{text_of(row, text)}}};
}
RewardInput tinyzero_countdown(const Json& row) {
  return countdown(row, "solution_str", "numbers");
}
RewardInput mini_r1_equation(const Json& row) { return countdown(row, "completion", "nums"); }
RewardInput ragen_countdown(const Json& row) { return countdown(row, "action", "nums"); }
RewardInput multiply(const Json& row) {
  return {{{"answer", row["input"]["ground_truth"]}}, {{text_of(row, "solution_str")}}};
}
RewardInput knights(const Json& row) {
  const Json item = {{"solution_text_format", row["input"]["solution_text_format"]}};
  return {item, {{text_of(row, "solution_str")}}};
}
RewardInput gsm8k(const Json& row) {
  return {{{"gold", row["input"]["ground_truth"]}}, {{text_of(row, "solution_str")}}};
}
RewardInput hendrycks(const Json& row) {
  return {{{"gold", row["input"]["ground_truth"]}}, {{text_of(row, "solution_str")}}};
}
RewardInput demystify_hendrycks(const Json& row) {
  return {{{"gold", row["input"]["answer"]}}, {{text_of(row, "text")}}};
}
RewardInput open_r1_accuracy(const Json& row) {
  return {{{"gold", row["input"]["solution"]}}, {{text_of(row, "completion")}}};
}
RewardInput grpo_demo_correctness(const Json& row) {
  return {{{"gold", row["input"]["answer"]}}, {{text_of(row, "completion")}}};
}

// Rewards that look at the text alone.
RewardInput completion(const Json& row) { return {nullptr, {{text_of(row, "completion")}}}; }
RewardInput plain_text(const Json& row) { return {nullptr, {{text_of(row, "text")}}}; }

std::vector<std::int32_t> some_tokens(std::size_t n) { return std::vector<std::int32_t>(n, 1); }

RewardInput completion_length(const Json& row) {
  return {nullptr, {{"", some_tokens(row["input"]["completion_length"])}}};
}

std::uint32_t verdict(bool is_right) { return is_right ? QED_VERDICT_RIGHT : QED_VERDICT_WRONG; }

// demystify hands in the correctness; only exactly 1 counts as right.
RewardInput demystify_score(const Json& row) {
  const Json& input = row["input"];
  return {nullptr,
          {{input.value("text", ""), some_tokens(input["gen_len"]), verdict(input["score"] == 1)}}};
}

// What stands between the last \boxed{ and the brace that ends it, in inputs without inner boxes.
std::string boxed(const std::string& text) {
  const std::string open = "\\boxed{";
  const auto at = text.rfind(open);
  if (at == std::string::npos) return "";
  int depth = 1;
  std::size_t end = at + open.size();
  for (; end < text.size(); ++end) {
    depth += text[end] == '{' ? 1 : text[end] == '}' ? -1 : 0;
    if (depth == 0) break;
  }
  return text.substr(at + open.size(), end - at - open.size());
}

// The task's verdict on the answers of these inputs, which are equal to the gold answer as text or
// wrong; a gold answer without formula has none.
std::uint32_t boxed_verdict(const std::string& text, const std::string& solution) {
  std::string gold = boxed(solution);
  if (gold.empty() && solution.size() > 2 && solution.front() == '$') {
    gold = solution.substr(1, solution.size() - 2);
  }
  return gold.empty() ? QED_VERDICT_NONE : verdict(boxed(text) == gold);
}

RewardInput open_r1_cosine(const Json& row) {
  const std::string text = text_of(row, "completion");
  return {nullptr, {{text, {}, boxed_verdict(text, row["input"]["solution"])}}};
}
RewardInput open_r1_length(const Json& row) {
  RewardInput out;
  const Json& input = row["input"];
  for (std::size_t i = 0; i < input["completions"].size(); ++i) {
    const std::string text = input["completions"][i];
    out.samples.push_back({text, {}, boxed_verdict(text, input["solutions"][i])});
  }
  return out;
}
RewardInput length_scaled(const Json& row) {
  const std::string text = text_of(row, "text");
  return {
      nullptr,
      {{text, some_tokens(row["input"]["gen_len"]), boxed_verdict(text, row["input"]["answer"])}}};
}
RewardInput token_ids(const Json& row) {
  std::vector<std::int32_t> ids = row["input"]["ids"];
  ids.resize(std::min<std::size_t>(ids.size(), row["input"]["gen_len"]));
  return {nullptr, {{"", ids}}};
}

constexpr std::string_view kCode =
    "how a program is found, no reward; tested in tests/plugins/code_rules_test.cpp";
constexpr std::string_view kEnvironment = "a multi-turn environment, which no plugin has yet";

const std::vector<RewardMapping>& table() {
  // clang-format off
  static const std::vector<RewardMapping> kTable = {
    // TinyZero
    {"tinyzero/countdown", "task", "countdown", R"({"reward": "tinyzero"})", {"score=score", "format_score=format_score"}, tinyzero_countdown},
    {"tinyzero_reward_shaping/countdown_level1", "task", "countdown", R"({"reward": "tinyzero"})", {}, tinyzero_countdown},
    {"tinyzero_reward_shaping/countdown_level2", "task", "countdown", R"({"reward": "tinyzero_level2"})", {}, tinyzero_countdown},
    {"tinyzero_reward_shaping/countdown_level3", "task", "countdown", R"({"reward": "tinyzero_level3"})", {}, tinyzero_countdown},
    {"tinyzero_reward_shaping/countdown_level4", "task", "countdown", R"({"reward": "tinyzero_level4"})", {}, tinyzero_countdown},
    {"tinyzero/multiply", "task", "arithmetic", R"({"reward": "tinyzero"})", {"score=score", "format_score=format_score"}, multiply},
    {"tinyzero_len_reward/multiply", "task", "arithmetic", R"({"reward": "tinyzero_len"})", {}, multiply},
    {"tinyzero/gsm8k_strict", "task", "gsm8k", R"({"reward": "tinyzero_strict", "data": ""})", {}, gsm8k},
    {"tinyzero/gsm8k_flexible", "task", "gsm8k", R"({"reward": "tinyzero_flexible", "data": ""})", {}, gsm8k},
    {"tinyzero/math", "task", "math", R"({"verifier": "hendrycks", "data": ""})", {}, hendrycks},
    // Logic-RL, verl
    {"logic_rl/kk", "task", "knights", R"({"reward": "logic_rl"})", {"format_reward=format_reward", "answer_reward=answer_reward"}, knights},
    {"verl/gsm8k_strict", "task", "gsm8k", R"({"reward": "verl_strict", "data": ""})", {"score=score", "format_score=format_score"}, gsm8k},
    {"verl/gsm8k_flexible", "task", "gsm8k", R"({"reward": "verl_flexible", "data": ""})", {"score=score", "format_score=format_score"}, gsm8k},
    // mini-deepseek-r1, RAGEN
    {.function = "mini_r1/equation_reward_func", .kind = "task", .component = "countdown", .options = R"({"reward": "mini_r1"})", .input = mini_r1_equation, .term = "correct"},
    {"mini_r1/format_reward_func", "reward", "format", R"({"rule": "mini_r1"})", {}, completion},
    {"ragen/countdown_reward", "task", "countdown", R"({"reward": "ragen"})", {"score=score", "format_score=format_score"}, ragen_countdown},
    {.function = "ragen/countdown_plus_minus_solvable", .reason = "a filter of the generator; tested in tests/plugins/countdown_test.cpp"},
    {.function = "ragen/metamathqa_episode", .reason = kEnvironment},
    {.function = "ragen/parse_actions", .reason = kEnvironment},
    {.function = "ragen/sokoban_step", .reason = kEnvironment},
    {.function = "ragen/frozen_lake_step", .reason = kEnvironment},
    {.function = "ragen/frozen_lake_map_valid", .reason = kEnvironment},
    // grpo_demo
    {"grpo_demo/correctness_reward_func", "task", "gsm8k", R"({"reward": "grpo_demo", "template": "grpo_demo", "data": ""})", {}, grpo_demo_correctness},
    {"grpo_demo/int_reward_func", "reward", "integer", "{}", {}, completion},
    {"grpo_demo/strict_format_reward_func", "reward", "format", R"({"rule": "grpo_demo_strict"})", {}, completion},
    {"grpo_demo/soft_format_reward_func", "reward", "format", R"({"rule": "grpo_demo_soft"})", {}, completion},
    {"grpo_demo_dotall/strict_format_reward_func", "reward", "format", R"({"rule": "grpo_demo_strict_dotall"})", {}, completion},
    {"grpo_demo_dotall/soft_format_reward_func", "reward", "format", R"({"rule": "grpo_demo_soft_dotall"})", {}, completion},
    {"grpo_demo/xmlcount_reward_func", "reward", "xml_count", "{}", {}, completion},
    // open-r1
    {"open_r1/format", "reward", "format", R"({"rule": "open_r1"})", {}, completion},
    {"open_r1/code_format", "reward", "format", R"({"rule": "open_r1_code"})", {"language=language"}, completion},
    {"open_r1/tag_count", "reward", "tag_count", "{}", {}, completion},
    {"open_r1/reasoning_steps", "reward", "reasoning_steps", "{}", {}, completion},
    {"open_r1/length", "reward", "length", "{}", {}, open_r1_length},
    {"open_r1/cosine", "reward", "cosine", "{}", {"max_len=max_len", "max_value_correct=max_right", "min_value_correct=min_right", "min_value_wrong=min_wrong", "max_value_wrong=max_wrong"}, open_r1_cosine},
    {"open_r1/repetition_penalty", "reward", "repetition", "{}", {"ngram_size=ngram", "max_penalty=max_penalty"}, completion},
    {"open_r1/soft_overlong_punishment", "reward", "soft_overlong", "{}", {"max_completion_len=max_len", "soft_punish_cache=cache"}, completion_length},
    {"open_r1/accuracy", "task", "math", R"({"reward": "open_r1", "data": ""})", {}, open_r1_accuracy},
    {.function = "open_r1/extract_code", .reason = "part of the task `code`; run in tests/plugins/code_rules_test.cpp"},
    // demystify-long-cot
    {"demystify/classic", "reward", "classic", "{}", {"correct=right", "wrong=wrong", "max_length=max_len", "exceed_length=exceed", "exceed_length?punish_exceed"}, demystify_score},
    {"demystify/cosine", "reward", "cosine", R"({"unit": "tokens", "punish_exceed": true})", {"max_len=max_len", "max_value_correct=max_right", "min_value_correct=min_right", "min_value_wrong=min_wrong", "max_value_wrong=max_wrong", "exceed_length=exceed", "repetition_max_penalty=repetition", "repetition_ngram_size=ngram"}, demystify_score},
    {"demystify/length_scaled", "reward", "length_scaled", R"({"punish_exceed": true})", {"max_len=max_len", "risk_factor=risk", "exceed_length=exceed"}, length_scaled},
    {"demystify/repetition_penalty", "reward", "repetition", "{}", {"ngram_size=ngram", "max_penalty=max_penalty"}, plain_text},
    {.function = "demystify/repetition_dense", .kind = "reward", .component = "repetition_dense", .params = {"ngram_size=ngram", "penalty=penalty", "only_start=only_start"}, .input = token_ids, .per_token = true},
    {"demystify/score_hendrycks", "task", "math", R"({"reward": "demystify", "data": ""})", {}, demystify_hendrycks},
  };
  // clang-format on
  return kTable;
}

}  // namespace

std::span<const RewardMapping> reward_mappings() { return table(); }

}  // namespace qed::conformance
