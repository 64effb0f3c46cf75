#include "core/host/task.h"
#include "qed/hash.h"
#include "qed/philox.h"
#include "tests/host/host_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <thread>

namespace qed {
namespace {

class Arithmetic : public testing::Test {
 protected:
  Task make(int digits, double working) {
    return Task(host_.load("task", "arithmetic"),
                R"({"digits":)" + std::to_string(digits) + R"(,"operator":"add","working":)" +
                    std::to_string(working) + "}",
                host_.abi());
  }

  static Score score(const Task& task, const Item& item, std::string_view text,
                     std::uint32_t finish = QED_FINISH_STOP) {
    const SampleView view = {.item = &item,
                             .prompt = {},
                             .prefill = {},
                             .text = text,
                             .tokens = {},
                             .finish = finish,
                             .group = 0,
                             .index = 0};
    return task.verify(std::span(&view, 1), 0).front();
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

}  // namespace
}  // namespace qed
