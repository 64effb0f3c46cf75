// The task `table` over real files.

#include "core/data/dataset_service.h"
#include "core/host/task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/host/host_fixture.h"
#include "tests/host/options.h"

namespace qed {
namespace {

using testing::HasSubstr;

class Table : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = testing::TempDir() + "table_test_" + test->name();  // tests run side by side
    std::filesystem::create_directories(folder_);
    host_.add_service(kDatasetService, dataset_service());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }
  Task open(const nlohmann::json& options) {
    const Component& component = host_.load("task", "table");
    return Task(component, options_with(component.spec, options), host_.abi());
  }
  static Score verify(const Task& task, const Item& item, const std::string& text) {
    const SampleView sample = {.item = &item,
                               .prompt = {},
                               .prefill = {},
                               .text = text,
                               .tokens = {},
                               .finish = QED_FINISH_STOP,
                               .group = 0,
                               .index = 0,
                               .max_new_tokens = 0};
    return task.verify({&sample, 1}, 0)[0];
  }

  std::string folder_;
  PluginHost host_{{product_plugins()}};
};

TEST_F(Table, RowsBecomePromptsAndGoldAnswers) {
  const Task task = open({{"data", file("a.jsonl",
                                        "{\"question\": \"1+1\", \"answer\": \"so #### 2\"}\n"
                                        "{\"question\": \"2+2\", \"answer\": \"#### 4\"}\n")},
                          {"gold_after", "####"},
                          {"system", "be brief"},
                          {"prompt", "Q: {question} {{x}}"},
                          {"prefill", "<answer>"},
                          {"verifier", "number"}});
  EXPECT_EQ(task.count("train"), 2u);
  EXPECT_EQ(task.count("test"), 0u);
  const Item item = task.load("train", 0);
  EXPECT_EQ(item.blob, R"({"prompt":"Q: 1+1 {x}","gold":"2"})");
  const Prompt prompt = task.render(item);
  EXPECT_EQ(prompt.messages, R"([{"role":"system","content":"be brief"},)"
                             R"({"role":"user","content":"Q: 1+1 {x}"}])");
  EXPECT_EQ(prompt.prefill, "<answer>");
  EXPECT_EQ(verify(task, item, "<answer> 2.0</answer>").reward, 1);
  EXPECT_EQ(verify(task, item, "<answer>3</answer>").verdict, QED_VERDICT_WRONG);
  EXPECT_EQ(verify(task, item, "2").note, "no answer");
}

TEST_F(Table, CsvAndJsonFilesAreRowsToo) {
  const Task csv = open({{"data", file("a.csv", "question,answer\n\"a, b\",B\n")},
                         {"verifier", "choice"},
                         {"answer", "last_line"}});
  EXPECT_EQ(verify(csv, csv.load("train", 0), "I think\n(b)").reward, 1);
  const Task json = open(
      {{"data", file("a.json", "[{\"question\": \"x\", \"answer\": 7}]")}, {"answer", "boxed"}});
  EXPECT_EQ(verify(json, json.load("train", 0), "so \\boxed{7}").reward, 1);
}

TEST_F(Table, ABadRowIsAnErrorWithFileLineAndField) {
  const Task task = open({{"data", file("a.jsonl",
                                        "{\"question\": \"x\", \"answer\": \"1\"}\n"
                                        "{\"question\": \"y\"}\n")}});
  task.load("train", 0);
  const Failure failure = failure_of([&] { task.load("train", 1); });
  EXPECT_THAT(failure.message, HasSubstr("a.jsonl:2: there is no `answer`; the row has question"));
}

TEST_F(Table, BadRowsAreLeftOutAndCountedWhereTheRunSaysSo) {
  const Task task = open({{"data", file("a.jsonl",
                                        "{\"question\": \"x\", \"answer\": \"one\"}\n"
                                        "{\"question\": \"y\", \"answer\": \"2\"}\n"
                                        "{\"question\": \n")},
                          {"bad_rows", "skip"},
                          {"verifier", "number"}});
  EXPECT_EQ(task.count("train"), 1u);
  EXPECT_EQ(task.load("train", 0).blob, R"({"prompt":"y","gold":"2"})");
}

TEST_F(Table, AMissingFileIsNamed) {
  EXPECT_THAT(failure_of([&] {
                open({{"data", folder_ + "/none.jsonl"}});
              }).message,
              HasSubstr("none.jsonl"));
}

TEST_F(Table, EqualQuestionsShareAKey) {
  const Task task = open({{"data", file("a.jsonl",
                                        "{\"question\": \"x\", \"answer\": \"1\"}\n"
                                        "{\"question\": \"x\", \"answer\": \"2\"}\n"
                                        "{\"question\": \"y\", \"answer\": \"2\"}\n")}});
  EXPECT_EQ(task.load("train", 0).key, task.load("train", 1).key);
  EXPECT_NE(task.load("train", 0).key, task.load("train", 2).key);
}

TEST_F(Table, PublishedGsm8kIsReadAsItIs) {
  const char* variable = std::getenv("QED_SHARED_DATA");
  const std::string path = (variable != nullptr ? std::string(variable)
                                                : std::string(QED_SOURCE_DIR "/../shared/data")) +
                           "/math/gsm8k.test.jsonl";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no real data: " << path << " is absent";
  const Task task = open({{"data", path}, {"gold_after", "####"}, {"verifier", "number"}});
  EXPECT_EQ(task.count("train"), 1319u);
  for (std::uint64_t i = 0; i < task.count("train"); i += 100) {
    const Item item = task.load("train", i);
    const std::string gold = nlohmann::json::parse(item.blob)["gold"];
    EXPECT_EQ(verify(task, item, "<answer>" + gold + "</answer>").reward, 1) << item.blob;
  }
}

}  // namespace
}  // namespace qed
