#include "qed/hash.h"
#include "qed/philox.h"
#include "tests/plugins/task_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>
#include <thread>

namespace qed {
namespace {

class Arithmetic : public testing::Test {
 protected:
  Task make(const Json& options) { return make_task(host_, "arithmetic", options); }
  Task make(int digits, double working) { return make({{"digits", digits}, {"working", working}}); }

  static Score score(const Task& task, const Item& item, std::string_view text,
                     std::uint32_t finish = QED_FINISH_STOP) {
    return score_text(task, item, text, "", "", finish);
  }

  PluginHost host_{{product_plugins()}};
  Task task_{make(3, 0.4)};
  const Item item_{"737+784", "784+737"};
};

TEST_F(Arithmetic, PromptIsRawText) {
  const Prompt prompt = task_.render(item_);
  EXPECT_EQ(prompt.text, "784+737=?");
  EXPECT_EQ(prompt.messages, "");
  EXPECT_EQ(prompt.prefill, "");
  EXPECT_TRUE(prompt.stop.empty());
  EXPECT_FALSE(prompt.keep_special);
}

TEST_F(Arithmetic, DemonstratesWithAndWithoutTheWorking) {
  EXPECT_EQ(task_.demonstrate(item_, "working", 0),
            "<think>4+7+0=11,8+3+1=12,7+7+1=15,=1521</think><answer>1521</answer>");
  EXPECT_EQ(task_.demonstrate(item_, "direct", 0), "<think></think><answer>1521</answer>");
  EXPECT_EQ(task_.demonstrate({"", "100+999"}, "working", 0),
            "<think>0+9+0=09,0+9+0=09,1+9+0=10,=1099</think><answer>1099</answer>");
  const auto f = failure_of([&] { task_.demonstrate(item_, "loud", 0); });
  EXPECT_THAT(f.message, testing::EndsWith("item `737+784`: there is no style `loud`"));
}

TEST_F(Arithmetic, TheMixHasTheShareOfWorkingThatWasAskedFor) {
  for (const double working : {0.0, 0.4, 1.0}) {
    const Task task = make(3, working);
    double shown = 0;
    for (std::uint64_t seed = 0; seed < 4000; ++seed) {
      if (task.demonstrate(item_, "", seed)->find('=') != std::string::npos) ++shown;
    }
    const double sigma = std::sqrt(working * (1 - working) / 4000);
    EXPECT_NEAR(shown / 4000, working, 4 * sigma) << working;
  }
}

TEST_F(Arithmetic, DemonstrationsAreAlwaysRight) {
  for (int digits = 1; digits <= 9; ++digits) {
    const Task task = make(digits, 0.5);
    for (std::uint64_t i = 0; i < 300; ++i) {
      const Item item = task.load("train", i);
      const Score s = score(task, item, *task.demonstrate(item, "", i));
      EXPECT_EQ(s.reward, 1.0) << item.blob;
      EXPECT_EQ(s.verdict, QED_VERDICT_RIGHT);
    }
  }
}

TEST_F(Arithmetic, ScoresAnswerAndFormat) {
  const std::pair<std::string, double> cases[] = {
      {"<think></think><answer>1521</answer>", 1},
      {"<think>4+7+0=11</think><answer>1521</answer>", 1},
      {"<think>anything\n\"é</think><answer>1521</answer>", 1},
      {"<think></think><answer>1522</answer>", 0.1},
      {"<think></think><answer></answer>", 0.1},
      {"<think></think><answer> 1521</answer>", 0.1},   // exact: no spaces,
      {"<think></think><answer>01521</answer>", 0.1},   // no leading zero,
      {"<think></think><answer>+1521</answer>", 0.1},   // no sign,
      {"<think></think><answer>1521.0</answer>", 0.1},  // no fraction
      {"", 0},
      {"1521", 0},
      {"<answer>1521</answer>", 0},
      {"<think></think>1521", 0},
      {"<think><answer>1521</answer></think>", 0},                       // order
      {"</think><think><answer>1521</answer>", 0},                       // order
      {"<think></think><answer>1521</answer> ", 0},                      // outside
      {" <think></think><answer>1521</answer>", 0},                      // outside
      {"<think></think> <answer>1521</answer>", 0},                      // between
      {"<think></think><answer>1521", 0},                                // not closed
      {"<think><think></think><answer>1521</answer>", 0},                // twice
      {"<think></think></think><answer>1521</answer>", 0},               // twice
      {"<think></think><answer>1521</answer></answer>", 0},              // twice
      {"<think></think><answer><answer>1521</answer>", 0},               // twice
      {"<think></think><answer>1521</answer><answer>1521</answer>", 0},  // twice
      {"<think></think><answer>1</answer><think></think><answer>1521</answer>", 0},
      {"<THINK></THINK><ANSWER>1521</ANSWER>", 0},
      {"<think></think><answer>1521</answer", 0},
  };
  for (const auto& [text, reward] : cases) {
    const Score s = score(task_, item_, text);
    EXPECT_EQ(s.status, QED_OK) << text;
    EXPECT_EQ(s.reward, reward) << text;
    EXPECT_EQ(s.verdict, reward == 1 ? QED_VERDICT_RIGHT : QED_VERDICT_WRONG) << text;
    EXPECT_THAT(s.terms, testing::ElementsAre(reward == 1 ? 1 : 0, reward > 0 ? 1 : 0)) << text;
    EXPECT_FALSE(s.note.empty()) << text;
  }
}

TEST_F(Arithmetic, WithoutAnEndTokenThereIsNoReward) {
  const std::string right = *task_.demonstrate(item_, "direct", 0);
  for (const std::uint32_t finish : {QED_FINISH_LENGTH, QED_FINISH_ABORT}) {
    const Score s = score(task_, item_, right, finish);
    EXPECT_EQ(s.status, QED_OK);
    EXPECT_EQ(s.reward, 0.0);
    EXPECT_EQ(s.verdict, QED_VERDICT_WRONG);
    EXPECT_EQ(s.note, "no end token");
  }
}

TEST_F(Arithmetic, NoBytesBreakTheVerifier) {
  const std::string good = "<think>4+7+0=11</think><answer>1521</answer>";
  std::vector<std::string> texts = {std::string(1 << 20, '<'), std::string(5, '\0'), "\xFF\xFE",
                                    std::string(100000, '{'), "<think></think><answer>\0</answer>"};
  Rng rng(3);
  for (int i = 0; i < 5000; ++i) {
    std::string text = good;
    for (int edit = 0; edit < 3; ++edit) {
      const auto at =
          static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(text.size())));
      const auto size = static_cast<std::size_t>(rng.integer(0, 9));
      if (rng.real() < 0.5) {
        text.insert(at,
                    good.substr(std::min(at, good.size()), size) + static_cast<char>(rng.next()));
      } else {
        text.erase(at, size);
      }
    }
    texts.push_back(text);
  }
  for (const std::string& text : texts) {
    const Score s = score(task_, item_, text);
    EXPECT_EQ(s.status, QED_OK);
    EXPECT_EQ(s.verdict == QED_VERDICT_RIGHT, s.reward == 1.0);
    if (s.reward > 0) {
      EXPECT_TRUE(text.starts_with("<think>") && text.ends_with("</answer>")) << text;
    }
  }
}

TEST_F(Arithmetic, AForeignBlobIsBadDataAndNotAReward) {
  for (const std::string blob :
       {"", "784", "784+", "+737", "784+737 ", "a+b", "9223372036854775807+9223372036854775807"}) {
    const Score s = score(task_, {"key", blob}, "<think></think><answer>1521</answer>");
    EXPECT_EQ(s.status, QED_DATA) << blob;
    EXPECT_EQ(s.note, "this is no item of the task");
  }
}

TEST_F(Arithmetic, SplitsAreGenerativeAndDisjointByKey) {
  for (int digits = 1; digits <= 9; ++digits) {
    const Task task = make(digits, 0.5);
    for (const std::string split : {"train", "test"}) {
      EXPECT_EQ(task.count(split), QED_GENERATIVE);
      for (std::uint64_t i = 0; i < 500; ++i) {
        EXPECT_EQ(crc32(task.load(split, i).key) % 5 == 0, split == "test");
      }
    }
  }
  const auto f = failure_of([&] { task_.count("validation"); });
  EXPECT_THAT(f.message, testing::EndsWith(": there is no split `validation`"));
}

TEST_F(Arithmetic, KeysAreCanonicalAndOperandsHaveTheirDigits) {
  std::set<std::string> keys;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const Item item = task_.load("train", i);
    const int a = std::stoi(item.blob.substr(0, 3)), b = std::stoi(item.blob.substr(4));
    EXPECT_EQ(item.blob.size(), 7u);
    EXPECT_GE(std::min(a, b), 100);
    EXPECT_LE(std::max(a, b), 999);
    EXPECT_EQ(item.key, std::to_string(std::min(a, b)) + "+" + std::to_string(std::max(a, b)));
    keys.insert(item.key);
  }
  EXPECT_GT(keys.size(), 1950u);  // 2000 draws of some 324,000 keys: about 6 repeats
}

TEST_F(Arithmetic, OperandsCoverTheirRangeEvenly) {
  double sum = 0;
  for (std::uint64_t i = 0; i < 4000; ++i)
    sum += std::stod(task_.load("train", i).blob.substr(0, 3));
  EXPECT_NEAR(sum / 4000, 549.5, 4 * 259.8 / std::sqrt(4000));  // mean and spread of 100..999
}

TEST_F(Arithmetic, LoadIsAPureFunctionOfItsArguments) {
  std::vector<Item> forward;
  for (std::uint64_t i = 0; i < 200; ++i) forward.push_back(task_.load("train", i));
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::uint64_t i = 200; i-- > 0;) {
        EXPECT_EQ(task_.load("train", i).blob, forward[i].blob);
      }
    });
  }
}

// The quick start's runs depend on every byte: splits, prompts and the mix of demonstrations.
TEST_F(Arithmetic, TheDefaultsItemsAndDemonstrationsNeverChange) {
  const std::pair<int, std::uint32_t> cases[] = {
      {1, 2522376742u}, {3, 3698430289u}, {9, 2755567735u}};
  for (const auto& [digits, crc] : cases) {
    const Task task = make(digits, 0.4);
    std::string all;
    for (const std::string split : {"train", "test"}) {
      for (std::uint64_t i = 0; i < 2000; ++i) {
        const Item item = task.load(split, i);
        all += item.key + "|" + item.blob + "|" + task.render(item).text + "|||" +
               *task.demonstrate(item, "", i) + "\n";
      }
    }
    EXPECT_EQ(crc32(all), crc) << digits;
  }
}

// Every column of a scratchpad: "x op y op carry=CD", one "part+total" or "a*d" before a colon.
void expect_sound(const std::string& text, char op) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(",:;", at), text.size());
    const std::string piece = text.substr(at, end - at);
    long x = 0, y = 0, z = 0;
    char first = 0, second = 0, c = 0, d = 0;
    if (std::sscanf(piece.c_str(), "%ld%c%ld%c%ld=%c%c", &x, &first, &y, &second, &z, &c, &d) ==
        7) {
      const long value = (c - '0') * 10 + (d - '0');
      const long wanted = first == '+' ? x + y + z : first == '*' ? x * y + z : x - y - z;
      EXPECT_EQ(first == '-' ? (d - '0') - 10 * (c - '0') : value, wanted) << piece;
      ++columns;
    }
    at = end + 1;
  }
  EXPECT_GT(columns, 0u) << op << text;
}

TEST_F(Arithmetic, EveryOperatorHasARightScratchpad) {
  EXPECT_EQ(*task_.demonstrate({"", "737-184"}, "working", 0),
            "<think>7-4-0=03,3-8-0=15,7-1-1=05,=553</think><answer>553</answer>");
  EXPECT_EQ(*task_.demonstrate({"", "184-737"}, "working", 0),
            "<think>-,7-4-0=03,3-8-0=15,7-1-1=05,=-553</think><answer>-553</answer>");
  EXPECT_EQ(*task_.demonstrate({"", "23*45"}, "working", 0),
            "<think>23*5:3*5+0=15,2*5+1=11,=115;23*4:3*4+0=12,2*4+1=09,=92;920+115:0+5+0=05,"
            "2+1+0=03,9+1+0=10,=1035;=1035</think><answer>1035</answer>");
  for (const auto& [name, op] : std::map<std::string, char>{{"subtract", '-'}, {"multiply", '*'}}) {
    for (int digits = 1; digits <= 9; digits += 2) {
      const Task task = make({{"operator", name}, {"digits", digits}});
      for (std::uint64_t i = 0; i < 200; ++i) {
        const Item item = task.load("train", i);
        EXPECT_NE(item.blob.find(op), std::string::npos);
        const std::string text = *task.demonstrate(item, "working", i);
        if (item.blob != "0-0") expect_sound(text.substr(7, text.find("</think>") - 7), op);
        EXPECT_EQ(score(task, item, text).reward, 1) << text;
      }
    }
  }
}

TEST_F(Arithmetic, AMixHasAllOperatorsAndKeysFollowWhetherOrderMatters) {
  const Task task = make({{"operator", "mixed"}});
  std::map<char, int> counts;
  for (std::uint64_t i = 0; i < 900; ++i) {
    const Item item = task.load("train", i);
    ++counts[item.blob[3]];
    if (item.blob[3] == '-') {
      EXPECT_EQ(item.key, item.blob);
    } else {
      EXPECT_LE(item.key.substr(0, 3), item.key.substr(4));
    }
  }
  EXPECT_EQ(counts.size(), 3u);
  for (const auto& [op, n] : counts) EXPECT_NEAR(n, 300, 60) << op;
}

TEST_F(Arithmetic, TinyZerosOperandsHaveItsDistribution) {
  const Task task = make({{"operator", "multiply"}, {"operands", "tinyzero"}});
  double short_ones = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const int a = std::stoi(task.load("train", i).blob);
    EXPECT_LE(a, 999);
    if (a < 10) ++short_ones;
  }
  const double p = 0.25 + 0.25 * 0.1 + 0.5 * 0.01;  // r = 0, r = 1, r = 2 or 3
  EXPECT_NEAR(short_ones / 4000, p, 4 * std::sqrt(p * (1 - p) / 4000));
}

TEST_F(Arithmetic, TinyZerosPromptsAreThePublishedOnes) {
  const std::string head =
      "A conversation between User and Assistant. The user asks a question, and the Assistant "
      "solves "
      "it. The assistant first thinks about the reasoning process in the mind and then provides "
      "the "
      "user with the answer. The reasoning process and answer are enclosed within <think> </think> "
      "and <answer> </answer> tags, respectively, i.e., <think> reasoning process here </think> "
      "<answer> RESULT_NUMBER </answer>.";
  const Item item{"", "12*345"};
  const Prompt multiply = make({{"template", "tinyzero_multiply"}}).render(item);
  EXPECT_EQ(multiply.text + multiply.prefill,
            head +
                " User: Give me the answer of the following equation: 12 * 345 = Assistant: Ok let "
                "me think about it.\n<think>");
  const Prompt arth = make({{"template", "tinyzero_arth"}, {"reward", "tinyzero"}}).render(item);
  EXPECT_EQ(
      arth.text + arth.prefill,
      head +
          "\nUser: Give me the answer of the following equation: 12 * 345.\nAssistant: Let me "
          "solve this step by step.\n<think>");
  EXPECT_TRUE(arth.keep_special);
}

TEST_F(Arithmetic, DemonstrationsAreRightUnderEveryTemplateAndRule) {
  for (const std::string name : {"plain", "tinyzero_multiply", "tinyzero_arth"}) {
    for (const std::string rule : {"exact", "tinyzero", "tinyzero_len"}) {
      const Task task = make({{"template", name}, {"reward", rule}, {"operator", "mixed"}});
      for (std::uint64_t i = 0; i < 50; ++i) {
        const Item item = task.load("train", i);
        const Prompt prompt = task.render(item);
        const Score s = score_text(task, item, *task.demonstrate(item, "", i),
                                   prompt.text + prompt.prefill, prompt.prefill);
        EXPECT_EQ(s.verdict, QED_VERDICT_RIGHT) << name << rule << s.note;
      }
    }
  }
}

TEST_F(Arithmetic, TinyZeroReadsIntegersOfAnySize) {
  const Task task = make({{"reward", "tinyzero"}});
  const auto reward = [&](const std::string& gold, const std::string& answer) {
    return score(task, {"", gold}, "Assistant: <answer>" + answer + "</answer>").reward;
  };
  const std::string big(40, '7');
  EXPECT_EQ(reward("{\"answer\":" + big + "}", " +0" + big), 1);
  EXPECT_EQ(reward("{\"ground_truth\":\"56088\"}", "56_088"), 1);
  EXPECT_EQ(reward("{\"answer\":56088}", "56089"), 0.1);
  EXPECT_EQ(reward("{\"answer\":56088}", "56088.0"), 0);
  EXPECT_EQ(reward("12*3", "36"), 1);
}

}  // namespace
}  // namespace qed
