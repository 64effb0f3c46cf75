#include "core/report/sample_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace qed {
namespace {

SampleRecord record() {
  return {.global_step = 1020,
          .stage_step = 20,
          .group = 2,
          .sample = 5,
          .seed = 0x1a2b,
          .task = "arithmetic",
          .item = "1+2",
          .prompt = "1+2=?",
          .completion = "a\n\"b\"",
          .finish = "stop",
          .num_tokens = 7,
          .reward = 0.5,
          .verdict = "wrong",
          .terms = {{"correct", 0.0f}, {"format", 0.5f}},
          .advantage = -1.25,
          .note = ""};
}

TEST(SampleLog, ALineHoldsTheSampleAndWhereItCameFrom) {
  EXPECT_EQ(
      sample_line(record()),
      R"({"training/global_step":1020,"step":20,"task":"arithmetic","item":"1+2","group":2,)"
      R"("sample":5,"turn":0,"seed":"0000000000001a2b","prompt":"1+2=?","completion":"a\n\"b\"","finish":"stop","num_tokens":7,)"
      R"("reward":0.5,"verdict":"wrong","terms":{"correct":0.0,"format":0.5},"advantage":-1.25})"
      "\n");
}

TEST(SampleLog, TokensAreThereOnRequestUnderTheNamesOfGenerate) {
  const std::vector<std::int32_t> prompt = {1, 2}, completion = {3};
  const std::vector<float> logp = {-0.1f}, behavior_logp = {-0.3f};
  EXPECT_FALSE(nlohmann::json::parse(sample_line(record())).contains("completion_ids"));
  SampleRecord r = record();
  r.prompt_ids = prompt;
  r.completion_ids = completion;
  r.logp = logp;
  r.behavior_logp = behavior_logp;
  EXPECT_NE(sample_line(r).find(R"("prompt_ids":[1,2],"completion_ids":[3],"logp":[-0.1],)"
                                R"("behavior_logp":[-0.3])"),
            std::string::npos);
}

TEST(SampleLog, ANoteIsThereOnlyWhenThereIsOne) {
  SampleRecord r = record();
  EXPECT_FALSE(nlohmann::json::parse(sample_line(r)).contains("note"));
  r.note = "no answer";
  EXPECT_EQ(nlohmann::json::parse(sample_line(r))["note"], "no answer");
}

TEST(SampleLog, AFailedScoreIsNull) {
  SampleRecord r = record();
  r.reward = NAN;
  r.terms[1].second = NAN;
  const auto line = nlohmann::json::parse(sample_line(r));
  EXPECT_TRUE(line["reward"].is_null());
  EXPECT_TRUE(line["terms"]["format"].is_null());
}

TEST(SampleLog, TextThatIsNotUtf8IsMended) {
  SampleRecord r = record();
  r.completion = "ok \xC3( \xFF";
  const std::string text = nlohmann::json::parse(sample_line(r))["completion"];
  EXPECT_EQ(text, "ok \uFFFD( \uFFFD");
}

TEST(SampleLog, ALineIsOneLine) {
  SampleRecord r = record();
  r.prompt = "two\nlines\r\n";
  const std::string line = sample_line(r);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

}  // namespace
}  // namespace qed
