#include "core/data/dataset_service.h"
#include "qed/philox.h"
#include "tests/plugins/task_fixture.h"

#include <gmock/gmock.h>

namespace qed {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class Gsm8k : public testing::Test {
 protected:
  Gsm8k() {
    host_.add_service(kDatasetService, dataset_service());
    std::ofstream(path_) << Json{{"question", "How many?"}, {"answer", "2*9=<<2*9=18>>18\n#### 18"}}
                         << '\n';
  }

  Task make(Json options = {}) {
    if (!options.contains("data")) options["data"] = "";
    return make_task(host_, "gsm8k", options);
  }
  static Item gold(const std::string& answer) { return {"k", Json{{"gold", answer}}.dump()}; }

  // Every case of a file whose function is named, under `options`.
  void run_cases(const std::string& file, const std::string& function, const std::string& text,
                 const std::string& answer, const Json& options, std::size_t expected_cases) {
    const auto path = shared_data() / "verify" / file;
    if (!std::filesystem::exists(path)) {
      GTEST_SKIP() << "no " << path << ": " << expected_cases << " cases not run";
    }
    std::size_t num_cases = 0;
    for (const Json& row : read_jsonl(path)) {
      if (row["function"] != function) continue;
      if (row["system"] != "verl" && row["system"] != "tinyzero" && row["system"] != "grpo_demo") {
        continue;
      }
      ++num_cases;
      Json all = options;
      all.update(row["params"]);
      const Task task = make(all);
      const Score s =
          score_text(task, gold(row["input"][answer]), row["input"][text].get<std::string>());
      EXPECT_EQ(s.status, QED_OK) << s.note;
      EXPECT_NEAR(s.reward, row["expected"].get<double>(), 1e-6) << row;
    }
    EXPECT_EQ(num_cases, expected_cases);
  }

  // One file per test: they run side by side.
  const std::string path_ = testing::TempDir() + "gsm8k_" +
                            testing::UnitTest::GetInstance()->current_test_info()->name() +
                            ".jsonl";
  PluginHost host_{{product_plugins()}};
};

TEST_F(Gsm8k, VerlStrictGivesTheRecordedScores) {
  run_cases("rewards_verl_gsm8k.jsonl", "gsm8k_strict", "solution_str", "ground_truth",
            {{"reward", "verl_strict"}}, 155);
}
TEST_F(Gsm8k, VerlFlexibleGivesTheRecordedScores) {
  run_cases("rewards_verl_gsm8k.jsonl", "gsm8k_flexible", "solution_str", "ground_truth",
            {{"reward", "verl_flexible"}}, 157);
}
TEST_F(Gsm8k, TinyZeroStrictGivesTheRecordedScores) {
  run_cases("rewards_tinyzero.jsonl", "gsm8k_strict", "solution_str", "ground_truth",
            {{"reward", "tinyzero_strict"}}, 140);
}
TEST_F(Gsm8k, TinyZeroFlexibleGivesTheRecordedScores) {
  run_cases("rewards_tinyzero.jsonl", "gsm8k_flexible", "solution_str", "ground_truth",
            {{"reward", "tinyzero_flexible"}}, 140);
}
TEST_F(Gsm8k, GrpoDemoGivesTheRecordedScores) {
  run_cases("rewards_grpo_demo.jsonl", "correctness_reward_func", "completion", "answer",
            {{"reward", "grpo_demo"}, {"template", "grpo_demo"}}, 234);
}

TEST_F(Gsm8k, ExactWantsOneClearNumber) {
  struct Case {
    std::string text, gold;
    double reward;
  };
  const Case cases[] = {
      {"so 2*9\n#### 18", "18", 1},
      {"#### 18.00", "18", 1},
      {"#### $18", "18", 1},
      {"####18 eggs.", "18", 1},
      {"#### 1,234", "1234", 1},
      {"#### 1234.50", "1,234.5", 1},
      {"#### -5", "-5", 1},
      {"#### -$5", "-5", 1},
      {"#### \xE2\x88\x92"
       "5",
       "-5", 1},
      {"#### 1/2", "0.5", 1},
      {"#### 18 = 18.0", "18", 1},
      {"#### 50%", "50", 1},
      {"<think>#### 7</think>#### 18", "18", 1},
      {"17\n<answer>\n18\n</answer>", "18", 1},
      {"The answer is 18.", "18", 1},
      {"2 and 3\nThe answer is 18.\n", "18", 1},
      {"#### 0", "-0", 1},
      {"#### 19", "18", 0.1},
      {"#### 5", "-5", 0.1},
      {"#### 18000000000000000", "18", 0.1},
      {"#### 17 or 18", "18", 0},
      {"#### 17\n#### 18", "18", 0},
      {"#### 18 #### 18", "18", 0},
      {"<answer>18</answer><answer>18</answer>", "18", 0},
      {"<answer>18", "18", 0},
      {"18 <answer></answer>", "18", 0},
      {"#### ", "18", 0},
      {"#### 1,8", "18", 0},
      {"#### 1.8.0", "1.8", 0},
      {"#### 1e1", "1", 0},
      {"#### 18/0", "18", 0},
      {"#### x18", "18", 0},
      {"#### 1800000000000000000000000000", "18", 0},
      {"#### eighteen", "18", 0},
      {"", "18", 0},
      {"18\nDone.", "18", 0},
  };
  const Task task = make();
  for (const Case& c : cases) {
    const Score s = score_text(task, gold(c.gold), c.text);
    EXPECT_EQ(s.status, QED_OK) << c.text;
    EXPECT_EQ(s.reward, c.reward) << c.text << ": " << s.note;
    EXPECT_EQ(s.verdict, c.reward == 1 ? QED_VERDICT_RIGHT : QED_VERDICT_WRONG) << c.text;
    EXPECT_THAT(s.terms, testing::ElementsAre(c.reward == 1 ? 1 : 0, c.reward > 0 ? 1 : 0))
        << c.text;
  }
  EXPECT_EQ(score_text(task, gold("18"), "#### 18", "", "", QED_FINISH_LENGTH).note,
            "no end token");
}

TEST_F(Gsm8k, TinyZeroReadsThePromptToo) {
  const Task tiny = make({{"reward", "tinyzero_flexible"}});
  EXPECT_EQ(score_text(tiny, gold("18"), "none", "18 eggs").reward, 1);
  EXPECT_EQ(score_text(make({{"reward", "verl_flexible"}}), gold("18"), "none", "18 eggs").reward,
            0);
}

TEST_F(Gsm8k, PromptsAreThePublishedOnes) {
  const Item item = make({{"data", path_}}).load("train", 0);
  EXPECT_EQ(Json::parse(make().render(item).messages),
            Json::parse(R"([{"role":"user","content":"How many? Let's think step by step and )"
                        R"(output the final answer after \"####\"."}])"));
  const Prompt demo = make({{"template", "grpo_demo"}}).render(item);
  EXPECT_EQ(Json::parse(demo.messages),
            Json::parse(R"([{"role":"system","content":"\nRespond in the following format:\n)"
                        R"(<reasoning>\n...\n</reasoning>\n<answer>\n...\n</answer>\n"},)"
                        R"({"role":"user","content":"How many?"}])"));
  EXPECT_EQ(make({{"template", "plain"}}).render(item).text, "Question: How many?\nAnswer:");
}

TEST_F(Gsm8k, DemonstrationsAreTheDatasSolutionInTheTemplatesForm) {
  const Task verl = make({{"data", path_}});
  const Item item = verl.load("train", 0);
  EXPECT_EQ(*verl.demonstrate(item, "", 0), "2*9=<<2*9=18>>18\n#### 18");
  EXPECT_EQ(*verl.demonstrate(item, "clean", 0), "2*9=18\n#### 18");
  EXPECT_EQ(*make({{"template", "plain"}}).demonstrate(item, "clean", 0), " 2*9=18\n#### 18");
  const Task demo = make({{"template", "grpo_demo"}, {"reward", "grpo_demo"}});
  const std::string text = *demo.demonstrate(item, "clean", 0);
  EXPECT_EQ(text, "<reasoning>\n2*9=18\n</reasoning>\n<answer>\n18\n</answer>\n");
  EXPECT_EQ(score_text(demo, item, text).reward, 2);
  EXPECT_THAT(failure_of([&] { verl.demonstrate(gold("18"), "", 0); }).message,
              HasSubstr("`question` is missing"));
}

TEST_F(Gsm8k, EverySolutionOfTheTestSetIsRight) {
  const auto path = shared_data() / "math/gsm8k.test.jsonl";
  if (!std::filesystem::exists(path))
    GTEST_SKIP() << "no " << path << ": 1319 solutions not scored";
  for (const std::string reward : {"exact", "verl_strict", "verl_flexible", "tinyzero_strict",
                                   "tinyzero_flexible", "grpo_demo"}) {
    for (const std::string name : {"verl", "grpo_demo"}) {
      if ((name == "grpo_demo") != (reward == "grpo_demo") && reward != "exact") continue;
      const Task task = make({{"data", path.string()}, {"reward", reward}, {"template", name}});
      ASSERT_EQ(task.count("train"), 1319u);
      EXPECT_EQ(task.count("test"), 0u);
      for (std::uint64_t i = 0; i < 1319; ++i) {
        const Item item = task.load("train", i);
        const Score s =
            score_text(task, item, *task.demonstrate(item, i % 2 == 0 ? "" : "clean", 0));
        // The flexible rules keep commas, and so never find 1,234 equal to 1234.
        if (s.verdict != QED_VERDICT_RIGHT && reward.ends_with("flexible")) {
          EXPECT_THAT(Json::parse(item.blob)["answer"].get<std::string>(), HasSubstr(","));
          continue;
        }
        EXPECT_EQ(s.verdict, QED_VERDICT_RIGHT) << reward << " " << item.blob;
      }
    }
  }
}

TEST_F(Gsm8k, ABadRowSaysWhereOrIsLeftOut) {
  const auto path = std::filesystem::path(testing::TempDir()) / "gsm8k_bad.jsonl";
  std::ofstream(path) << R"({"question":"a","answer":"#### 1"})" << '\n'
                      << R"({"question":"a"})" << '\n'
                      << R"({"answer":"#### 1"})" << '\n'
                      << R"({"question":"a","answer":"1"})" << '\n'
                      << R"({"question":"a","answer":"#### one"})" << '\n'
                      << R"({"question":["a"],"answer":"#### 1"})" << '\n'
                      << R"({"question":"b","answer":"#### 2","idx":0})" << '\n';
  const std::string messages[] = {"field `answer`: missing", "field `question`: missing",
                                  "field `answer`: no `####` with the final answer after it",
                                  "field `answer`: `one` after #### is no number",
                                  "field `question`: bad JSON at byte 13: expected `\"`"};
  const Task task = make({{"data", path.string()}});
  EXPECT_EQ(task.count("train"), 7u);
  for (std::uint64_t i = 0; i < 5; ++i) {
    EXPECT_THAT(failure_of([&] { task.load("train", i + 1); }).message,
                HasSubstr("gsm8k_bad.jsonl:" + std::to_string(i + 2) + ": " + messages[i]));
  }
  const Task skips = make({{"data", path.string()}, {"eval_data", path_}, {"bad_rows", "skip"}});
  EXPECT_EQ(skips.count("train"), 2u);
  EXPECT_EQ(Json::parse(skips.load("train", 1).blob)["gold"], "2");
  EXPECT_EQ(skips.count("test"), 1u);
  EXPECT_THAT(failure_of([&] { skips.load("train", 2); }).message,
              EndsWith("there is no row 2 of 2"));
  EXPECT_THAT(failure_of([&] { skips.count("dev"); }).message, EndsWith("there is no split `dev`"));
  EXPECT_THAT(failure_of([&] {
                make({{"data", "/nowhere.jsonl"}});
              }).message,
              HasSubstr("/nowhere.jsonl"));
}

TEST_F(Gsm8k, ARewardThatCanNeverBeEarnedIsRefused) {
  EXPECT_THAT(failure_of([&] {
                make({{"reward", "grpo_demo"}});
              }).message,
              HasSubstr("does not read what the template `verl` asks for"));
  EXPECT_THAT(failure_of([&] {
                make({{"reward", "verl_strict"}, {"template", "grpo_demo"}});
              }).message,
              HasSubstr("does not read what the template `grpo_demo` asks for"));
}

TEST_F(Gsm8k, NoBytesBreakTheVerifiers) {
  const std::string good = "2*9=18\n#### 18";
  const std::string parts[] = {"####", "#### ", "<answer>", "</answer>", "1,",
                               ".",    "-",     "/",        "18",        "\xC2\xA0",
                               "\xFF", "\n",    "e",        "$",         "\xE2\x88\x92"};
  std::vector<std::string> texts = {std::string(1 << 20, '#'), std::string(1 << 20, '1'),
                                    std::string(1 << 20, '.'), std::string(5, '\0'),
                                    "\xFF\xFE\xE2"};
  Rng rng(9);
  for (int i = 0; i < 5000; ++i) {
    std::string text = good;
    for (int edit = 0; edit < 4; ++edit) {
      const auto at =
          static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(text.size())));
      if (rng.real() < 0.6) {
        text.insert(at, parts[rng.integer(0, std::size(parts) - 1)]);
      } else {
        text.erase(at, static_cast<std::size_t>(rng.integer(0, 9)));
      }
      if (rng.real() < 0.2 && !text.empty()) text[at % text.size()] = static_cast<char>(rng.next());
    }
    texts.push_back(text);
  }
  for (const std::string reward : {"exact", "verl_strict", "verl_flexible", "tinyzero_strict",
                                   "tinyzero_flexible", "grpo_demo"}) {
    const Task task =
        make({{"reward", reward}, {"template", reward == "grpo_demo" ? "grpo_demo" : "verl"}});
    for (const std::string& text : texts) {
      const Score s = score_text(task, gold("18"), text);
      EXPECT_EQ(s.status, QED_OK) << text;
      EXPECT_EQ(s.verdict == QED_VERDICT_RIGHT, s.reward >= 1) << text;
    }
  }
  for (const std::string blob : {"", "{", "{}", "[1]", R"({"gold":)", R"({"gold":3})",
                                 R"({"answer":"1"})", R"({"gold":""})"}) {
    const Score s = score_text(make({{"reward", "exact"}}), {"k", blob}, good);
    EXPECT_EQ(s.status, QED_DATA) << blob;
  }
}

TEST_F(Gsm8k, GoldensHold) {
  const auto rows = read_jsonl(QED_SOURCE_DIR "/plugins/tasks/gsm8k/golden/verify.jsonl");
  EXPECT_GT(rows.size(), 8u);
  for (const Json& row : rows) {
    const Score s = score_text(make(row["options"]), {"k", row["item"].dump()},
                               row["completion"].get<std::string>());
    EXPECT_EQ(s.reward, row["reward"].get<double>()) << row;
    EXPECT_EQ(s.note, row["note"]) << row;
  }
}

}  // namespace
}  // namespace qed
