#include "core/report/sample_analysis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/report/analysis_text.h"
#include "core/util/error.h"
#include "core/util/files.h"
#include "tests/model/temporary_folder.h"

namespace qed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string row(int step, int group, const std::string& completion, int tokens,
                const std::string& result, const std::string& finish = "stop") {
  return cat("{\"training/global_step\":", step, ",\"step\":", step, ",\"task\":\"t\",\"item\":\"i",
             group, "\",\"group\":", group,
             ",\"sample\":0,\"turn\":0,\"prompt\":\"What is it?\",\"completion\":\"", completion,
             "\",\"finish\":\"", finish, "\",\"num_tokens\":", tokens, ",", result,
             ",\"advantage\":0.5,\"note\":\"x\"}\n");
}

const std::string kRight = R"("reward":1.0,"verdict":"right","terms":{"correct":1.0,"format":1.0})";
const std::string kFormatted =
    R"("reward":0.1,"verdict":"wrong","terms":{"correct":0.0,"format":1.0})";
const std::string kIncorrect =
    R"("reward":0.0,"verdict":"wrong","terms":{"correct":0.0,"format":-1})";
const std::string kFailed = R"("reward":null,"verdict":"none","terms":{})";

// Two steps of three groups; the numbers below are worked out by hand.
std::string two_steps() {
  return row(1, 0, R"(<think>wait</think>\\boxed{7})", 10, kRight) +
         row(1, 0, "no \u7b49", 20, kFormatted) + row(1, 1, "recheck", 30, kIncorrect, "length") +
         row(1, 1, "however", 4, kFailed) + row(2, 0, "rethink, recheck", 6, kRight) +
         row(2, 0, "ok", 2, kRight);
}

class SampleAnalysisTest : public testing::Test {
 protected:
  FileAnalysis analyze(const std::string& text) {
    write_file(file_, text);
    return analyze_file(file_);
  }
  SampleAnalysis of_run(const std::string& text) {
    FileAnalysis found = analyze(text);
    EXPECT_EQ(found.parts.size(), 1u);
    return found.parts.begin()->second;
  }
  std::string failure_of(const std::string& text) {
    try {
      analyze(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.hint(), "mend or delete the line, or resume the run from its checkpoint");
      return error.what();
    }
    return "";
  }
  TemporaryFolder folder_;
  const std::filesystem::path file_ = folder_ / "samples.jsonl";
};

double value_of(const SampleTally& tally, const std::string& name) {
  for (const auto& [known, value] : tally_numbers(tally)) {
    if (known == name) return value;
  }
  ADD_FAILURE() << name;
  return std::nan("");
}

TEST_F(SampleAnalysisTest, NumbersAreThoseWorkedOutByHand) {
  const SampleTally total = of_run(two_steps()).total();
  const std::pair<const char*, double> expected[] = {{"num_samples", 6},
                                                     {"num_groups", 3},
                                                     {"num_failed", 1},
                                                     {"share/correct", 3.0 / 5},
                                                     {"share/formatted", 1.0 / 5},
                                                     {"share/incorrect", 1.0 / 5},
                                                     {"length/mean", 12},
                                                     {"length/correct", 6},
                                                     {"length/formatted", 20},
                                                     {"length/incorrect", 30},
                                                     {"length/wrong", 25},
                                                     {"length/thinking_chars", 19},
                                                     {"length/answer_chars", 9},
                                                     {"clip_ratio", 1.0 / 6},
                                                     {"repeat_ratio", 0},
                                                     {"box_ratio", 1.0 / 6},
                                                     {"mixed_frac", 1.0 / 6},
                                                     {"foreign_letters_frac", 1.0 / 52},
                                                     {"letters/latin", 51.0 / 52},
                                                     {"letters/han", 1.0 / 52},
                                                     {"pass@1", (0.5 + 0 + 1) / 3},
                                                     {"pass@2", 1},
                                                     {"simplerl/frac", 4.0 / 6},
                                                     {"simplerl/per_sample", 5.0 / 6},
                                                     {"simplerl/right_with", 2.0 / 3},
                                                     {"simplerl/right_without", 1.0 / 2},
                                                     {"simplerl/reflection@k", 1},
                                                     {"simplerl/precision", 2.0 / 3},
                                                     {"simplerl/recall", 1},
                                                     {"oat_zero_qwen/frac", 2.0 / 6},
                                                     {"oat_zero_qwen/reflection@k", 2.0 / 3},
                                                     {"oat_zero_qwen/precision", 1.0 / 2},
                                                     {"oat_zero_qwen/recall", 1.0 / 2},
                                                     {"steps/frac", 0}};
  for (const auto& [name, value] : expected) {
    EXPECT_DOUBLE_EQ(value_of(total, name), value) << name;
  }
}

TEST_F(SampleAnalysisTest, StepsHaveNumbersOfTheirOwn) {
  const SampleAnalysis analysis = of_run(two_steps());
  ASSERT_EQ(analysis.steps.size(), 2u);
  EXPECT_DOUBLE_EQ(value_of(analysis.steps.at(1), "share/correct"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(value_of(analysis.steps.at(2), "share/correct"), 1);
  EXPECT_TRUE(std::isnan(value_of(analysis.steps.at(2), "length/wrong")));
}

TEST_F(SampleAnalysisTest, SharesSumToOne) {
  const SampleAnalysis analysis = of_run(two_steps());
  for (const auto& [step, tally] : analysis.steps) {
    double kinds = 0, letters = 0;
    for (const auto& [name, value] : tally_numbers(tally)) {
      if (name.starts_with("share/")) kinds += value;
      if (name.starts_with("letters/")) letters += value;
    }
    EXPECT_DOUBLE_EQ(kinds, 1);
    EXPECT_DOUBLE_EQ(letters, 1);
  }
}

TEST_F(SampleAnalysisTest, PartsOfAFileAddUpToTheWhole) {
  std::string text;
  std::vector<std::size_t> ends = {0};
  for (int group = 0; group < 12; ++group) {
    for (int i = 0; i <= group % 4; ++i) {
      const std::string result =
          std::array{kRight, kFormatted, kIncorrect, kFailed}[(group * 5 + i * 3) % 4];
      text += row(1 + group / 3, group, cat("wait 1. recheck ", group * i), 3 * i + group, result);
    }
    ends.push_back(text.size());
  }
  const SampleTally whole = of_run(text).total();
  for (const std::size_t end : ends) {
    SampleTally sum;
    for (const auto& part : {text.substr(0, end), text.substr(end)}) {
      if (!part.empty()) sum += of_run(part).total();
    }
    EXPECT_EQ(sum, whole) << end;
  }
}

TEST_F(SampleAnalysisTest, WithoutAFormatTermTheVerdictSaysWhetherThereWasAnAnswer) {
  const SampleTally t =
      of_run(row(1, 0, "a", 1, R"("reward":0,"verdict":"wrong","terms":{"answered":0})") +
             row(1, 0, "a", 1, R"("reward":0,"verdict":"wrong","terms":{"x":0})") +
             row(1, 0, "a", 1, R"("reward":0,"verdict":"none","terms":{})"))
          .total();
  EXPECT_THAT(t.num_of_kind, ElementsAre(2, 1, 0));
}

TEST_F(SampleAnalysisTest, LatinIsAtHomeInAPromptWithoutLetters) {
  const std::string row_start = R"({"item":"i","prompt":"1+1=?","completion":")";
  const std::string row_end = R"(","finish":"stop","num_tokens":1,"reward":1,"verdict":"right"})";
  const SampleTally t =
      of_run(row_start + "two" + row_end + "\n" + row_start + "\u4e8c" + row_end + "\n").total();
  EXPECT_EQ(t.num_mixed, 1);
}

TEST_F(SampleAnalysisTest, EvaluationsAreToldApartByTemperature) {
  const std::string sample = R"("finish":"stop","num_tokens":4,"reward":1.0,"verdict":"right"})";
  std::string text;
  for (const char* temperature : {"0.0", "1.0"}) {
    text += cat(R"({"training/global_step":10,"stage":"rl","step":0,"task":"t","temperature":)",
                temperature, R"(,"item":"i","prompt":"p","samples":[{"completion":"wait",)", sample,
                R"(,{"completion":"no","terms":{"format":{}},)", sample, "]}\n");
  }
  const FileAnalysis found = analyze(text + text);
  ASSERT_EQ(found.parts.size(), 2u);
  for (const auto& [temperature, analysis] : found.parts) {
    ASSERT_TRUE(temperature);
    EXPECT_EQ(analysis.total().num_samples, 4);
    EXPECT_EQ(analysis.total().num_groups(), 2);  // a line each
    EXPECT_EQ(analysis.steps.begin()->first, 10);
  }
}

TEST_F(SampleAnalysisTest, RowsOfQedSampleAreGroupedByItem) {
  std::string text;
  for (const char* item : {"a", "a", "b"}) {
    text += cat(R"({"task":"t","item":")", item, R"(","sample":0,"prompt":[{"role":"user",)",
                R"("content":"\u95ee"}],"completion":"\u7b49","finish":"stop","num_tokens":4,)",
                R"("reward":1.0,"verdict":"right","terms":{}})", "\n");
  }
  const SampleTally t = of_run(text).total();
  EXPECT_EQ(t.num_groups(), 2);
  EXPECT_EQ(t.num_mixed, 0);  // the message is in Chinese too
}

TEST_F(SampleAnalysisTest, AnUnfinishedLastLineIsLeftOut) {
  const std::string text = two_steps();
  const FileAnalysis found = analyze(text + text.substr(0, 100));
  EXPECT_TRUE(found.has_unfinished_line);
  EXPECT_EQ(found.parts.begin()->second.total().num_samples, 6);
  EXPECT_FALSE(analyze(text).has_unfinished_line);
}

TEST_F(SampleAnalysisTest, ADamagedLineIsNamed) {
  const std::string where = cat(file_.string(), ", line 2, is no row of samples"),
                    good = row(1, 0, "a", 1, kRight);
  for (const std::string& bad :
       {good.substr(0, 60), good.substr(0, good.size() - 1) + "}", std::string("7"),
        std::string("[]"), std::string("{}"), std::string(), std::string(R"({"completion":"a"})"),
        std::string(R"({"samples":[{"verdict":"right"}]})"),
        std::string("{\"completion\":\"\xff\",\"verdict\":\"right\"}")}) {
    EXPECT_EQ(failure_of(good + bad + "\n" + good), where) << bad;
  }
}

TEST_F(SampleAnalysisTest, TheTableHasARowPerRangeOfSteps) {
  std::string text;
  for (int step = 1; step <= 5; ++step) text += row(step, 0, "a", step, kRight);
  const std::string table = analysis_tables(of_run(text), 2);
  EXPECT_THAT(table, HasSubstr("\n1-2    "));
  EXPECT_THAT(table, HasSubstr("\n3-5    "));
  EXPECT_THAT(table, HasSubstr("\ntotal  "));
  EXPECT_THAT(analysis_tables(of_run(text), 9), HasSubstr("\n5      "));
}

TEST_F(SampleAnalysisTest, JsonHasTheSameNumbers) {
  const nlohmann::ordered_json json = analysis_json(of_run(two_steps()));
  EXPECT_EQ(json.at("total").at("num_samples"), 6);
  EXPECT_EQ(json.at("total").at("share/correct"), 0.6);
  EXPECT_TRUE(json.at("steps").at(1).at("length/wrong").is_null());
  EXPECT_EQ(json.at("steps").at(1).at("training/global_step"), 2);
  EXPECT_EQ(json.at("words").at("recheck"),
            nlohmann::ordered_json({{"count", 2}, {"num_samples", 2}}));
}

}  // namespace
}  // namespace qed
