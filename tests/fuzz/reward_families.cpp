// The rewards, by their rules.

#include "tests/fuzz/families.h"
#include "tests/fuzz/systems.h"

namespace qed::fuzz {
namespace {

std::vector<FuzzItem> plain_items() {
  return {{R"({"gold":"18"})", "18", {"18", "print(1)", "the cat", "the cat", "sat"}},
          {"784+737", "1521", {"First,", "\n- one", "\n* two", "Step 1:", "1."}}};
}

Family format() {
  Family out{
      .name = "format",
      .kind = "reward",
      .grammar = {.frames =
                      frames() +
                      Texts{"<think>\n~\n</think>\n<answer>\n```python\n@\n```\n</answer>",
                            "<reasoning>\n~\n</reasoning>\n<answer>\n@\n</answer>\n",
                            "<reasoning>~</reasoning> <answer>@</answer>",
                            "~<end_working_out><SOLUTION>@</SOLUTION>", "1. @\nStep 2: @\n- ~"},
                  .tokens = tokens() + Texts{"<reasoning>", "</reasoning>", "<reasoning>\n",
                                             "\n</reasoning>\n", "\n</answer>\n", "```",
                                             "```python", "<end_working_out>", "<SOLUTION>",
                                             "</SOLUTION>", "Step ", "First,", "\n-", "1."},
                  .joiners = {" ", "\n", ""}},
      .items = plain_items(),
      .prompts = prompts(),
      .prefills = prefills(),
      .rules = {}};
  for (const char* rule : {"open_r1", "open_r1_v1", "open_r1_v2", "open_r1_code", "mini_r1"}) {
    out.rules.push_back({"format", rule, {{"rule", rule}}, {{0, 1}}});
  }
  for (const char* rule :
       {"grpo_demo_strict", "grpo_demo_soft", "grpo_demo_strict_dotall", "grpo_demo_soft_dotall"}) {
    out.rules.push_back({"format", rule, {{"rule", rule}}, {{0, 0.5}}});
  }
  out.rules.push_back({"format", "logic_rl", {{"rule", "logic_rl"}}, {{-1, 1}}});
  out.rules.push_back({"format", "unsloth", {{"rule", "unsloth"}}, {{0, 3}}});
  out.rules.push_back({"tag_count", "", {}, {{0, 0.25, 0.5, 0.75, 1}}});
  out.rules.push_back({"tag_count", "unsloth", {{"rule", "unsloth"}}, {{-3, -1.5, 0, 1.5}}});
  out.rules.push_back({"xml_count", "", {}, {{}, -0.002 * (kMaxBytes + 100.0), 0.501}});
  out.rules.push_back({"reasoning_steps", "", {}, {{0, 1.0 / 3, 2.0 / 3, 1}}});
  out.rules.push_back({"integer", "", {}, {{0, 0.5}}});
  return out;
}

Family lengths() {
  Family out{.name = "length",
             .kind = "reward",
             .grammar = {.frames = {"@", "~@~", "@ @ @ ~"},
                         .tokens = tokens(),
                         .joiners = {" ", "\n", "  "}},
             .items = plain_items(),
             .prompts = {""},
             .prefills = {""},
             .rules = {}};
  const Json exceed = {{"max_len", 1024}, {"punish_exceed", true}, {"exceed", -2}};
  Json tokens = exceed;
  tokens.update({{"unit", "tokens"}, {"repetition", -1}});
  out.rules = {{"length", "", {}, {{}, -0.5, 0.5}},
               {"cosine", "characters", {}, {{}, -0.5, 1}},
               {"cosine", "tokens", tokens, {{-2}, -1.5, 1}},
               {"length_scaled", "", exceed, {{-2}, -1, 1}},
               {"length_scaled", "budget", {}, {{}, -1e9, 1e9}},
               {"classic", "", exceed, {{-2, 0, 1}}},
               {"soft_overlong", "", {{"max_len", 512}, {"cache", 256}}, {{}, -1, 0}},
               {"soft_overlong", "budget", {}, {{}, -1, 0}}};
  return out;
}

Family repetition() {
  Family out = lengths();
  out.name = "repetition";
  out.rules = {{"repetition", "3", {}, {{}, -1, 0}},
               {"repetition", "1", {{"ngram", 1}, {"only_wrong", true}}, {{}, -1, 0}},
               {"repetition", "20", {{"ngram", 20}, {"max_penalty", -7}}, {{}, -7, 0}},
               {"repetition_dense", "40", {}, {{0}}},
               {"repetition_dense", "2", {{"ngram", 2}, {"only_start", true}}, {{0}}}};
  return out;
}

// A child process that reads each line as JSON.
Family command() {
  Family out = lengths();
  out.name = "command";
  out.rules = {{"command",
                "",
                {{"command",
                  "python3 -c 'import sys, json\n"
                  "for line in sys.stdin: print(len(json.loads(line)[\"completion\"]) % 7, "
                  "flush=True)'"},
                 {"timeout", 60}},
                {{0, 1, 2, 3, 4, 5, 6}}}};
  out.max_inputs = 20'000;
  out.takes_any_bytes = false;
  return out;
}

}  // namespace

std::vector<Family> reward_families() { return {format(), lengths(), repetition(), command()}; }

}  // namespace qed::fuzz
