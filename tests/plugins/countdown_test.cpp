#include "core/data/dataset_service.h"
#include "qed/hash.h"
#include "qed/philox.h"
#include "tests/plugins/task_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>

namespace qed {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class Countdown : public testing::Test {
 protected:
  Countdown() { host_.add_service(kDatasetService, dataset_service()); }
  ~Countdown() override { std::filesystem::remove_all(folder_); }

  Task make(const Json& options = {}) { return make_task(host_, "countdown", options); }
  std::string refusal(const Json& options) {
    return failure_of([&] { make(options); }).message;
  }
  std::string write_file(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  // Of a whole answer, as the model writes it behind the prefill.
  double strict(const std::string& equation) {
    return score_text(strict_, item_, "x</think>\n<answer>" + equation + "</answer>", "", "<think>")
        .reward;
  }

  PluginHost host_{{product_plugins()}};
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("qed_countdown_" + std::to_string(::getpid()));
  const Item item_{"19,35,44=98", R"({"target":98,"nums":[44,19,35]})"};
  const Task strict_ = make();
};

const std::string kUser =
    "Using the numbers [44, 19, 35], create an equation that equals 98. You can use basic "
    "arithmetic operations (+, -, *, /) and each number can only be used once. Show your work in "
    "<think> </think> tags. And return the final answer in <answer> </answer> tags";

TEST_F(Countdown, PromptsAreThePublishedOnes) {
  const std::string step = "Let me solve this step by step.\n<think>";
  const Prompt base = make().render(item_);
  EXPECT_EQ(
      base.text + base.prefill,
      "A conversation between User and Assistant. The user asks a question, and the Assistant "
      "solves it. The assistant first thinks about the reasoning process in the mind and then "
      "provides the user with the answer.\nUser: " +
          kUser + ", for example <answer> (1 + 2) / 3 </answer>.\nAssistant: " + step);
  EXPECT_EQ(base.prefill, step);
  const Prompt base_2 = make({{"template", "base-2"}}).render(item_);
  EXPECT_EQ(base_2.text + base_2.prefill,
            kUser +
                ". For example, <answer> (1 + 2) / 3 </answer>.\nLet me see if I can solve this "
                "step by step.\n<think>");
  const std::string system =
      "You are a helpful assistant. You first thinks about the reasoning process in the mind and "
      "then provides the user with the answer.";
  const Prompt instruct = make({{"template", "instruct"}}).render(item_);
  EXPECT_EQ(instruct.text + instruct.prefill,
            "<|im_start|>system\n" + system + "<|im_end|>\n<|im_start|>user\n " + kUser +
                ", for example <answer> (1 + 2) / 3 </answer>.<|im_end|>\n<|im_start|>assistant\n" +
                step);
  const Prompt chat = make({{"template", "chat"}}).render(item_);
  EXPECT_EQ(chat.text, "");
  EXPECT_EQ(chat.prefill, step);
  const Json messages = Json::parse(chat.messages);
  EXPECT_EQ(messages[0], Json({{"role", "system"}, {"content", system}}));
  EXPECT_EQ(messages[1]["content"], kUser + ", for example <answer> (1 + 2) / 3 </answer>.");
  const Json mini = Json::parse(make({{"template", "mini-r1"}}).render(item_).messages);
  EXPECT_THAT(mini[1]["content"].get<std::string>(),
              EndsWith("(+, -, *, /) one or multiple times but each number can only be used once. "
                       "Show your work in <think> </think> tags. And return the final equation in "
                       "<answer> </answer> tags, for example <answer> (1 + 2) / 3 </answer>. Think "
                       "step by step inside <think> tags."));
  const Prompt chinese = make({{"template", "chinese"}}).render(item_);
  EXPECT_EQ(chinese.prefill, "让我们逐步解决这个问题。\n<think>");
  EXPECT_THAT(Json::parse(chinese.messages)[0]["content"].get<std::string>(),
              StartsWith("使用给定的数字 [44, 19, 35]，创建一个等于 98 的方程。"));
}

TEST_F(Countdown, RulesThatReadSpecialTokensAskForThem) {
  for (const std::string rule : {"tinyzero", "tinyzero_level2", "tinyzero_level4"}) {
    EXPECT_TRUE(make({{"reward", rule}}).render(item_).keep_special);
  }
  for (const std::string rule : {"strict", "mini_r1", "ragen"}) {
    EXPECT_FALSE(make({{"reward", rule}}).render(item_).keep_special);
  }
}

TEST_F(Countdown, StrictTakesExactArithmeticOverEachNumberOnce) {
  for (const std::string right :
       {"44 + 19 + 35", "(44+19)+35", " 35 + (19 + 44) ", "((44)) + (19) + 35", "44\t+19+ 35"}) {
    EXPECT_EQ(strict(right), 1) << right;
  }
  for (const std::string wrong : {"",
                                  "98",
                                  "44 + 19",
                                  "44 + 19 - 35",
                                  "44 + 19 + 35 + 0",
                                  "44 + 44 + 19 + 35 - 44",
                                  "44 + 19 + 35 = 98",
                                  "-(0 - 44) + 19 + 35",
                                  "44 - -19 + 35",
                                  "+44 + 19 + 35",
                                  "44 + 19 + 35.",
                                  "44 + 19 + 35.0",
                                  "044 + 19 + 35",
                                  "44 + 19 + 3 5",
                                  "44 + 19 + 35)",
                                  "(44 + 19 + 35",
                                  "44 + 19 35",
                                  "(44)(19)(35)",
                                  "44 + 19 + ３５",
                                  "44 + 19 + 35 # 98",
                                  "44 ** 19 ** 35",
                                  "44 // 19 + 35",
                                  "44 + 19 + 35\n+ 0",
                                  "44 × 19 × 35",
                                  "\\frac{44}{19}",
                                  "44 + 19 + 35,",
                                  "44 / (19 - 19) + 35",
                                  "eval(44 + 19 + 35)",
                                  "44 + 19 + 35 or 98"}) {
    EXPECT_EQ(strict(wrong), 0.1) << wrong;
  }
  EXPECT_EQ(strict(std::string(200, '(') + "44+19+35" + std::string(200, ')')), 1);
  EXPECT_EQ(strict(std::string(100000, '(') + "44+19+35" + std::string(100000, ')')), 0.1);
}

TEST_F(Countdown, StrictDividesExactlyAndNeverRounds) {
  const auto reward = [&](const char* blob, const std::string& equation) {
    return score_text(strict_, {"k", blob}, "<think></think><answer>" + equation + "</answer>")
        .reward;
  };
  EXPECT_EQ(reward(R"({"target":24,"nums":[3,3,8,8]})", "8/(3-8/3)"), 1);
  EXPECT_EQ(reward(R"({"target":3,"nums":[1,3,7,7]})", "1/7*7*3"), 1);
  EXPECT_EQ(reward(R"({"target":7,"nums":[1,7,100001]})", "7+1/100001"), 0.1);
  EXPECT_EQ(reward(R"({"target":0,"nums":[1,0]})", "1*0"), 1);
  EXPECT_EQ(reward(R"({"target":0,"nums":[1,0]})", "1/0"), 0.1);
  EXPECT_EQ(reward(R"({"target":0,"nums":[0,1,0]})", "0*(1/0)"), 0.1);
  // Beyond 64 bits on the way.
  EXPECT_EQ(reward(R"({"target":4,"nums":[9000000000000000000,9000000000000000000,4,1]})",
                   "9000000000000000000*4*1/9000000000000000000"),
            1);
  EXPECT_EQ(reward(R"({"target":4,"nums":[9000000000000000000,9000000000000000000,5,1]})",
                   "9000000000000000000*5*1/9000000000000000000"),
            0.1);
}

TEST_F(Countdown, StrictAsksForTheFormatAndAnEnd) {
  const std::string good = "44+19+35";
  const auto reward = [&](const std::string& text, const char* prefill = "",
                          std::uint32_t finish = QED_FINISH_STOP) {
    return score_text(strict_, item_, text, "", prefill, finish).reward;
  };
  const std::string answer = "<answer>" + good + "</answer>";
  EXPECT_EQ(reward("<think>x</think>" + answer), 1);
  EXPECT_EQ(reward(" <think>x</think> \n " + answer + "\n"), 1);
  EXPECT_EQ(reward("x</think>" + answer, "Let me solve this step by step.\n<think>"), 1);
  for (const std::string& bad :
       {answer, "x</think>" + answer, "<think>x</think>" + good, "<think>x" + answer,
        "so <think>x</think>" + answer, "<think>x</think> so " + answer,
        "<think>x</think>" + answer + " done", "<think>x</think>" + answer + answer,
        "<think>" + answer + "</think>" + answer, "<think>x</think>" + answer + "</answer>",
        "<think><think>x</think>" + answer, answer + "<think>x</think>"}) {
    EXPECT_EQ(reward(bad), 0) << bad;
  }
  for (const std::uint32_t finish : {QED_FINISH_LENGTH, QED_FINISH_ABORT}) {
    EXPECT_EQ(reward("<think>x</think>" + answer, "", finish), 0);
  }
}

TEST_F(Countdown, StrictIsNotFooledByThePrompt) {
  const Score s = score_text(strict_, item_, "I do not know",
                             "<think></think><answer>44+19+35</answer>\nAssistant: ");
  EXPECT_EQ(s.reward, 0);
  EXPECT_EQ(s.note, "bad format");
}

TEST_F(Countdown, TermsNoteAndVerdictSayWhy) {
  struct Expected {
    const char* text;
    const char* note;
    float correct, format, numbers;
  };
  const Expected cases[] = {
      {"<think></think><answer>44+19+35</answer>", "right", 1, 1, 1},
      {"<think></think><answer>44+19-35</answer>", "wrong value", 0, 1, 1},
      {"<think></think><answer>44+19</answer>", "other numbers", 0, 1, 0},
      {"<think></think><answer>44+</answer>", "no equation", 0, 1, 0},
      {"44+19+35", "bad format", 0, 0, 0},
  };
  for (const auto& c : cases) {
    const Score s = score_text(strict_, item_, c.text);
    EXPECT_EQ(s.note, c.note);
    EXPECT_THAT(s.terms, ElementsAre(c.correct, c.format, c.numbers)) << c.text;
    EXPECT_EQ(s.verdict, c.correct == 1 ? QED_VERDICT_RIGHT : QED_VERDICT_WRONG);
  }
}

TEST_F(Countdown, ScoresAreThoseOfTheOptions) {
  for (const std::string rule : {"strict", "tinyzero", "ragen"}) {
    const Task task = make({{"reward", rule}, {"score", 2.5}, {"format_score", -0.25}});
    const auto reward = [&](const std::string& equation) {
      return score_text(task, item_, "<think></think>\n<answer>" + equation + "</answer>",
                        "Assistant: ")
          .reward;
    };
    EXPECT_EQ(reward("44+19+35"), 2.5) << rule;
    EXPECT_EQ(reward("44+19-35"), -0.25) << rule;
  }
}

TEST_F(Countdown, TinyZeroReadsPromptPrefillAndCompletionOnce) {
  const Task task = make({{"reward", "tinyzero"}});
  const std::string answer = "so</think>\n<answer>44+19+35</answer>";
  const std::string prefill = "Let me solve this step by step.\n<think>";
  EXPECT_EQ(score_text(task, item_, answer, "User: q\nAssistant: " + prefill, prefill).reward, 1);
  EXPECT_EQ(score_text(task, item_, answer, "User: q\nAssistant: ", prefill).reward, 1);
  EXPECT_EQ(score_text(task, item_, answer + "\n", "Assistant: ", prefill).reward, 0);
  EXPECT_EQ(score_text(task, item_, "\n" + answer, "q\nAssistant: ", prefill).reward, 1);
  EXPECT_EQ(score_text(task, item_, "Assistant:\n" + answer, "q\n", prefill).reward, 1);
  EXPECT_EQ(score_text(task, item_, "\n" + answer, "q\n", prefill).reward, 0);  // no header
  EXPECT_EQ(score_text(task, item_, "no", "<answer>44+19+35</answer> Assistant: ", "").reward, 0);
  EXPECT_EQ(score_text(task, item_, answer, "<|start|>model\n", prefill).reward, 0);
  // A template without TinyZero's headers: the answer alone is read.
  const Task chat = make({{"reward", "tinyzero"}, {"template", "chat"}});
  EXPECT_EQ(score_text(chat, item_, answer, "<|start|>model\n", prefill).reward, 1);
}

TEST_F(Countdown, RagenTakesTheFirstActionOfATurn) {
  const Task task = make({{"reward", "ragen"}});
  const auto reward = [&](const std::string& text) {
    return score_text(task, item_, text, "", "<think>").reward;
  };
  EXPECT_EQ(reward("x</think> <answer>44+19+35</answer>"), 1);
  EXPECT_EQ(reward("x</think><answer>|| 44+19+35 || 1</answer>"), 1);
  EXPECT_EQ(reward("x</think><answer>1 || 44+19+35</answer>"), 0);
  EXPECT_EQ(reward("x</think><answer>44+19-35</answer>"), 0.1);
  EXPECT_EQ(reward("x</think> so <answer>44+19+35</answer>"), -0.1);
  EXPECT_EQ(reward("x</think><answer> || </answer>"), -0.1);
  EXPECT_EQ(reward("44+19+35"), -0.1);
}

// golden/make_expressions.py, run by Python 3.11: values, errors and precedence of its eval.
TEST_F(Countdown, ExpressionsHaveTheValueThatPythonGivesThem) {
  const Task task = make({{"reward", "ragen"}});
  std::ifstream in(QED_SOURCE_DIR "/plugins/tasks/countdown/golden/expressions.jsonl");
  std::size_t n = 0;
  for (std::string line; std::getline(in, line); ++n) {
    const Json row = Json::parse(line);
    const std::string head = "{\"item\": ";
    const std::string blob = line.substr(head.size(), line.find(", \"completion\"") - head.size());
    const auto text = row["completion"].get<std::string>();
    EXPECT_EQ(score_text(task, {"k", blob}, text).reward, row["reward"].get<double>()) << line;
  }
  EXPECT_EQ(n, 400u);
}

// No clock here: a wrong bound would run for hours.
TEST_F(Countdown, HugeWorkIsRefused) {
  const auto digits = [](std::size_t n, const char* text) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += text;
    return out;
  };
  const Task task = make({{"reward", "ragen"}});
  for (const std::string& text :
       {std::string("9**9**9**9"), std::string("(9**9)**(9**9)"), std::string("1<<9**9**9"),
        "2" + digits(2000, "**2"), "9**99999" + digits(500, "*9**99999"), digits(4000, "-") + "1",
        digits(4000, "1+") + "1", digits(4000, "1 if 1 else ") + "1", digits(4000, "not ") + "1",
        digits(30000, "("), digits(60000, "1"), digits(4000, "(-"), digits(4000, "2**-"),
        digits(4000, "9999999999999999999*") + "1"}) {
    std::string nums;
    for (std::size_t i = 0; i < text.size();) {
      std::size_t k = i;
      while (k < text.size() && text[k] >= '0' && text[k] <= '9') ++k;
      if (k > i && k - i <= 19) nums += (nums.empty() ? "" : ",") + text.substr(i, k - i);
      i = std::max(k, i + 1);
    }
    const Score s = score_text(task, {"k", "{\"target\":0.5,\"nums\":[" + nums + "]}"}, text);
    if (s.status == QED_OK) {
      EXPECT_LT(s.reward, 1) << text.substr(0, 40);
    }
  }
}

TEST_F(Countdown, NoBytesBreakARule) {
  const std::string good = "so</think>\n<answer>(44 + 19) + 35</answer>";
  std::vector<std::string> texts = {std::string(1 << 20, '<'), std::string(5, '\0'), "\xFF\xFE",
                                    std::string(100000, '('), std::string(1 << 16, '\\')};
  std::string tags;
  for (int i = 0; i < 20000; ++i) tags += i % 3 == 0 ? "<answer>" : i % 3 == 1 ? "<think>" : "\n";
  texts.push_back(tags);
  texts.push_back("</think>" + std::string(100000, ' ') + tags);
  Rng rng(3);
  const std::string pieces[] = {good,     "<answer>", "</answer>",  "<think>", "</think>\n",
                                "||",     "**",       "//",         "44",      "\u0663",
                                "\u00b2", "1e9",      "Assistant:", "\r",      "\u2028"};
  for (int i = 0; i < 4000; ++i) {
    std::string text = good;
    for (int edit = 0; edit < 4; ++edit) {
      const auto at =
          static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(text.size())));
      const double pick = rng.real();
      if (pick < 0.4) {
        text.insert(at, pieces[rng.integer(0, static_cast<std::int64_t>(std::size(pieces)) - 1)]);
      } else if (pick < 0.7) {
        text.insert(at, 1, static_cast<char>(rng.next()));
      } else {
        text.erase(at, static_cast<std::size_t>(rng.integer(0, 9)));
      }
    }
    texts.push_back(text);
  }
  for (const std::string rule :
       {"strict", "tinyzero", "tinyzero_level2", "tinyzero_level3", "tinyzero_level4", "mini_r1",
        "mini_r1_equation", "mini_r1_format", "ragen"}) {
    const Task task = make({{"reward", rule}});
    for (const std::string& text : texts) {
      const Score s = score_text(task, item_, text, "Assistant: ", "<think>");
      EXPECT_EQ(s.status, QED_OK) << text;
      EXPECT_TRUE(s.reward >= -0.1 && s.reward <= 2) << rule << text;
    }
  }
}

TEST_F(Countdown, AForeignItemIsBadDataAndNotAReward) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "bad JSON at byte 1"},
      {"[]", "bad JSON at byte 1"},
      {"{}", "there is no field `target`"},
      {R"({"target":1})", "there is no field `nums`"},
      {R"({"target":1,"nums":3})", "field `nums` is no list"},
      {R"({"target":1,"nums":["3"]})", "field `nums` is no number"},
      {R"({"target":[1],"nums":[3]})", "field `target` is no number"},
      {R"({"target":1,"nums":[3]}x)", "expected the end"},
  };
  for (const auto& [blob, what] : cases) {
    const Score s = score_text(strict_, {"k", blob}, "<think></think><answer>3</answer>");
    EXPECT_EQ(s.status, QED_DATA) << blob;
    EXPECT_THAT(s.note, HasSubstr(what)) << blob;
  }
}

TEST_F(Countdown, DemonstrationsAreRightUnderTheirTemplatesRules) {
  const std::map<std::string, std::vector<std::string>> rules = {
      {"base", {"strict", "tinyzero", "ragen"}}, {"base-2", {"strict", "tinyzero"}},
      {"chat", {"strict", "tinyzero"}},          {"instruct", {"strict", "tinyzero_level4"}},
      {"mini-r1", {"strict", "mini_r1"}},        {"chinese", {"strict", "mini_r1"}}};
  for (const auto& [name, names] : rules) {
    for (const std::string& rule : names) {
      const Task task = make({{"template", name}, {"reward", rule}, {"max_numbers", 5}});
      for (std::uint64_t i = 0; i < 100; ++i) {
        const Item item = task.load("train", i);
        const Prompt prompt = task.render(item);
        const auto text = *task.demonstrate(item, "", i);
        const Score s = score_text(task, item, text, prompt.text + prompt.prefill, prompt.prefill);
        EXPECT_EQ(s.verdict, QED_VERDICT_RIGHT) << rule << " " << item.blob << " " << text;
      }
    }
  }
}

TEST_F(Countdown, StylesShowTheStepsOrASearch) {
  EXPECT_THAT(*strict_.demonstrate(item_, "direct", 0),
              testing::MatchesRegex("[^,]*, [^,]* = 98</think>\n<answer>.*</answer>"));
  std::size_t tries = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::string text = *strict_.demonstrate(item_, "search", seed);
    EXPECT_THAT(text, HasSubstr("= 98, right</think>"));
    for (auto at = text.find(", not 98\n"); at != text.npos; at = text.find(", not 98\n", at + 1)) {
      ++tries;
    }
  }
  EXPECT_GT(tries, 75u);
  EXPECT_THAT(failure_of([&] { strict_.demonstrate(item_, "loud", 0); }).message,
              EndsWith("there is no style `loud`"));
  const Item hopeless{"k", R"({"target":1000,"nums":[1,1]})"};
  EXPECT_THAT(failure_of([&] { strict_.demonstrate(hopeless, "", 0); }).message,
              HasSubstr("the puzzle has no solution"));
}

TEST_F(Countdown, GeneratedPuzzlesHaveTheirShape) {
  const Task task = make({{"min_numbers", 2},
                          {"max_numbers", 4},
                          {"weights", "0.1, 0.4, 0.5"},
                          {"min_target", 10},
                          {"max_target", 25},
                          {"max_number", 24},
                          {"below_target", true}});
  std::map<std::size_t, int> counts;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const Json item = Json::parse(task.load("train", i).blob);
    const int target = item["target"];
    EXPECT_TRUE(target >= 10 && target <= 25);
    ++counts[item["nums"].size()];
    for (const int v : item["nums"]) EXPECT_TRUE(v >= 1 && v < target) << item;
  }
  EXPECT_EQ(counts.size(), 3u);  // what fits is accepted more often for two numbers than for four
  for (const auto& [size, n] : counts) EXPECT_GT(n, 100) << size;
}

TEST_F(Countdown, KindAndDifficultyHold) {
  const Task judge = make({{"kind", "plus_minus"}});
  const auto is_easy = [&](const Item& item) {
    try {
      judge.demonstrate(item, "direct", 0);
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  for (const std::string kind : {"solvable", "plus_minus"}) {
    for (const std::string difficulty : {"easy", "hard"}) {
      if (kind == "plus_minus" && difficulty == "hard") continue;
      const Task task = make({{"kind", kind}, {"difficulty", difficulty}});
      for (std::uint64_t i = 0; i < 200; ++i) {
        const Item item = task.load("train", i);
        EXPECT_EQ(is_easy(item), difficulty == "easy") << item.blob;
        EXPECT_TRUE(task.demonstrate(item, "", 0).has_value());
      }
    }
  }
  // TinyZero's gen_dataset: numbers and targets by themselves.
  const Task unchecked = make({{"kind", "unchecked"},
                               {"min_numbers", 6},
                               {"max_numbers", 6},
                               {"max_number", 100},
                               {"min_target", 1},
                               {"max_target", 1000}});
  double sum = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const Json item = Json::parse(unchecked.load("train", i).blob);
    EXPECT_EQ(item["nums"].size(), 6u);
    sum += item["target"].get<double>();
  }
  EXPECT_NEAR(sum / 2000, 500.5, 4 * 288.7 / std::sqrt(2000));
}

TEST_F(Countdown, SplitsShareNoKeyAndKeysAreCanonical) {
  std::set<std::string> train;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const Item item = strict_.load("train", i);
    Json nums = Json::parse(item.blob)["nums"];
    std::sort(nums.begin(), nums.end());
    std::string key;
    for (const int v : nums) key += (key.empty() ? "" : ",") + std::to_string(v);
    EXPECT_EQ(item.key, key + "=" + Json::parse(item.blob)["target"].dump());
    train.insert(item.key);
  }
  EXPECT_GT(train.size(), 2900u);
  for (std::uint64_t i = 0; i < 500; ++i) {
    const Item item = strict_.load("test", i);
    EXPECT_EQ(crc32(item.key) % 20, 0u);
    EXPECT_FALSE(train.contains(item.key));
  }
  EXPECT_EQ(strict_.count("train"), QED_GENERATIVE);
  EXPECT_THAT(failure_of([&] { strict_.count("validation"); }).message,
              EndsWith(": there is no split `validation`"));
}

TEST_F(Countdown, LoadIsAPureFunctionOfItsArguments) {
  std::vector<Item> forward;
  for (std::uint64_t i = 0; i < 200; ++i) forward.push_back(strict_.load("train", i));
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::uint64_t i = 200; i-- > 0;)
        EXPECT_EQ(strict_.load("train", i).blob, forward[i].blob);
    });
  }
}

std::string rows(int n) {
  std::string out;
  for (int i = 0; i < n; ++i) {
    out += "{\"target\": " + std::to_string(i + 3) + ", \"nums\": [1, 2, " + std::to_string(i) +
           "]}\n";
  }
  return out;
}

TEST_F(Countdown, RowsOfAFileAreItemsSplitByTheirKey) {
  const Task task = make({{"data", write_file("a.jsonl", rows(400))}});
  EXPECT_EQ(task.count("train") + task.count("test"), 400u);
  EXPECT_GT(task.count("test"), 5u);
  const Item first = task.load("train", 0);
  EXPECT_EQ(first.blob, R"({"target":3,"nums":[1,2,0]})");
  EXPECT_EQ(first.key, "0,1,2=3");
  for (std::uint64_t i = 0; i < task.count("test"); ++i) {
    EXPECT_EQ(crc32(task.load("test", i).key) % 20, 0u);
  }
  EXPECT_THAT(failure_of([&] { task.load("test", 400); }).message,
              HasSubstr("there is no item 400 in split `test`"));
}

TEST_F(Countdown, TestRowsAndHeldOutKeysAreNotTrainedOn) {
  const std::string all = write_file("a.jsonl", rows(40));
  const std::string part = write_file("b.jsonl", rows(10));
  const Task both = make({{"data", all}, {"eval_data", part}});
  EXPECT_EQ(both.count("train"), 30u);
  EXPECT_EQ(both.count("test"), 10u);
  EXPECT_EQ(both.load("train", 0).key, "1,2,10=13");
  const Task held_out = make({{"data", all}, {"hold_out", part}, {"split", "tinyzero"}});
  EXPECT_EQ(held_out.count("train"), 30u);
  EXPECT_EQ(make({{"data", all}, {"max_rows", 7}, {"split", "tinyzero"}}).count("train"), 7u);
  // i + 3 is 1 + 2 + i: all rows are solvable so, and 99 is not.
  const std::string odd = write_file("c.jsonl", rows(5) + R"({"target": 99, "nums": [1, 2]})");
  EXPECT_EQ(make({{"data", odd}, {"split", "tinyzero"}}).count("train"), 6u);
  EXPECT_EQ(make({{"data", odd}, {"split", "tinyzero"}, {"kind", "plus_minus"}}).count("train"),
            5u);
}

TEST_F(Countdown, ABadRowIsAnErrorWithItsPlaceOrIsSkipped) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"target": 3})", "no `nums`"},
      {R"({"target": 3, "nums": []})", "field `nums` is empty"},
      {R"({"target": 3.5, "nums": [1]})", "field `target` has 3.5, which is no integer"},
      {R"({"target": 3, "nums": [1, -2]})", "field `nums` has a negative number"},
      {R"({"target": 3, "nums": [1, "two"]})", "field `nums` is no number"},
      {R"({"target": 3, "nums": [1, 2)", "expected ']'"},
  };
  for (const auto& [row, what] : cases) {
    const std::string path = write_file("bad.jsonl", rows(2) + row + "\n" + rows(1));
    const std::string message = refusal({{"data", path}, {"split", "tinyzero"}});
    EXPECT_THAT(message, HasSubstr("bad.jsonl:3: ")) << message;
    EXPECT_THAT(message, HasSubstr(what));
    const Task task = make({{"data", path}, {"split", "tinyzero"}, {"bad_rows", "skip"}});
    EXPECT_EQ(task.count("train"), 3u);
  }
}

TEST_F(Countdown, OptionsThatContradictEachOtherAreRefused) {
  const std::pair<Json, std::string> cases[] = {
      {{{"min_numbers", 5}, {"max_numbers", 4}}, "`min_numbers` is larger than `max_numbers`"},
      {{{"min_target", 50}, {"max_target", 49}}, "`min_target` is larger than `max_target`"},
      {{{"min_number", 9}, {"max_number", 8}}, "`min_number` is larger than `max_number`"},
      {{{"weights", "1"}}, "`weights` needs 2 numbers"},
      {{{"weights", "0 0"}}, "not all 0"},
      {{{"weights", "1, x"}}, "`weights` has `x`, which is no weight"},
      {{{"kind", "plus_minus"}, {"difficulty", "hard"}}, "has no difficulty `hard`"},
      {{{"eval_data", "x"}}, "`eval_data` needs `data`"},
      {{{"min_target", 1000}, {"max_target", 1000}, {"kind", "plus_minus"}, {"max_number", 2}},
       "a million draws gave no puzzle"},
  };
  for (const auto& [options, what] : cases) EXPECT_THAT(refusal(options), HasSubstr(what));
}

TEST_F(Countdown, PlusMinusSumsOfWideNumbersDoNotWrap) {
  const Task task = make({{"kind", "plus_minus"}});
  const Item item{"k", R"({"target":0,"nums":[9223372036854775807,9223372036854775807,2]})"};
  EXPECT_THAT(failure_of([&] { task.demonstrate(item, "direct", 0); }).message,
              HasSubstr("no solution"));  // their sum is 2^64
}

TEST_F(Countdown, GoldensHold) {
  const std::string folder = QED_SOURCE_DIR "/plugins/tasks/countdown/golden/";
  for (const Json& row : read_jsonl(folder + "verify.jsonl")) {
    const Score s = score_text(make(row["options"]), {"k", row["item"].dump()},
                               row["completion"].get<std::string>());
    EXPECT_EQ(s.reward, row["reward"].get<double>()) << row;
    EXPECT_EQ(s.note, row["note"]) << row;
  }
  for (const Json& row : read_jsonl(folder + "items.jsonl")) {
    const Task task = make(row["options"]);
    const Item item = task.load(row["split"].get<std::string>(), row["index"]);
    EXPECT_EQ(item.key, row["key"]);
    EXPECT_EQ(Json::parse(item.blob), row["item"]);
    EXPECT_EQ(*task.demonstrate(item, "", 0), row["demonstration"]);
  }
}

}  // namespace
}  // namespace qed
