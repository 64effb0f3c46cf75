#include "core/report/run_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/util/error.h"
#include "core/util/files.h"
#include "tests/model/temporary_folder.h"

namespace qed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string metrics_row(int step, const std::string& members) {
  return cat("{\"stage\": \"rl\", \"step\": ", step, ", \"training/global_step\": ", step, ", ",
             members, "}\n");
}

std::string sample(int step, int group, int index, const std::string& text = "text") {
  return cat("{\"training/global_step\":", step, ",\"step\":", step,
             ",\"task\":\"t\",\"item\":\"i\",\"group\":", group, ",\"sample\":", index,
             ",\"prompt\":\"p\",\"completion\":\"", text, "\",\"reward\":1.0}\n");
}

struct Failure {
  std::string message, hint;
  int exit_code = kExitOk;
};

template <class Body>
Failure failure_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return {error.what(), error.hint(), error.exit_code()};
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

class RunDataTest : public testing::Test {
 protected:
  Curves curves(const std::string& text) {
    write_file(metrics_, text);
    return read_curves(metrics_);
  }
  // With `count` steps that have samples.
  Curves steps(int count) {
    std::string text;
    for (int i = 1; i <= count; ++i) text += metrics_row(i, "\"response_length/mean\": 1");
    return curves(text);
  }
  TemporaryFolder folder_;
  const std::filesystem::path metrics_ = folder_ / "metrics.jsonl",
                              samples_ = folder_ / "samples.jsonl";
};

TEST_F(RunDataTest, RowsOfAStepBecomeOneEntryOfTheCurves) {
  const Curves c = curves(metrics_row(1, "\"a\": 0.5") + metrics_row(1, "\"b\": 2") +
                          metrics_row(3, "\"a\": null"));
  EXPECT_THAT(c.step, ElementsAre(1, 3));
  EXPECT_THAT(c.stage, ElementsAre("rl", "rl"));
  EXPECT_EQ(c.series.at("a")[0], 0.5);
  EXPECT_TRUE(std::isnan(c.series.at("a")[1]));
  EXPECT_EQ(c.last("a"), 0.5);
  EXPECT_EQ(c.last("b"), 2);
  EXPECT_TRUE(std::isnan(c.last("none")));
}

TEST_F(RunDataTest, AnUnfinishedLastLineIsLeftOutAndABadOneNamed) {
  EXPECT_THAT(curves(metrics_row(1, "\"a\": 1") + "{\"sta").step, ElementsAre(1));
  const Failure f = failure_of([&] { curves(metrics_row(1, "\"a\": 1") + "oops\n"); });
  EXPECT_EQ(f.message, metrics_.string() + ", line 2, is no row of metrics");
}

TEST_F(RunDataTest, ThinningKeepsEvaluationsAndTheEnd) {
  std::string text;
  for (int i = 1; i <= 100; ++i) {
    text += metrics_row(i, i == 42 ? "\"val-core/t/mean@1\": 1" : "\"a\": 1");
  }
  const Curves c = thinned(curves(text), 10);
  EXPECT_THAT(c.step, testing::IsSupersetOf({1, 11, 42, 91, 100}));
  EXPECT_EQ(c.step.size(), 12u);
  EXPECT_EQ(c.series.at("a").size(), 12u);
}

TEST_F(RunDataTest, SamplesAreGroupedByPromptForEvenlyChosenSteps) {
  const Curves c = steps(9);
  std::string text;
  for (int step = 1; step <= 9; ++step) {
    for (int i = 0; i < 4; ++i) text += sample(step, i / 2, i % 2);
  }
  write_file(samples_, text);
  const auto groups = read_samples(samples_, c, {.steps = 3});
  ASSERT_EQ(groups.size(), 6u);
  EXPECT_EQ(groups[0]["global_step"], 1);
  EXPECT_EQ(groups[2]["global_step"], 5);
  EXPECT_EQ(groups[5]["global_step"], 9);
  EXPECT_EQ(groups[5]["group"], 1);
  EXPECT_EQ(groups[5]["prompt"], "p");
  ASSERT_EQ(groups[5]["samples"].size(), 2u);
  EXPECT_EQ(groups[5]["samples"][1],
            nlohmann::ordered_json({{"sample", 1}, {"completion", "text"}, {"reward", 1.0}}));
}

TEST_F(RunDataTest, AStepIsCutAfterWholeGroups) {
  const Curves c = steps(1);
  std::string text;
  for (int i = 0; i < 30; ++i) text += sample(1, i / 10, i % 10);
  write_file(samples_, text);
  const auto groups = read_samples(samples_, c, {.bytes_per_step = 1});
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0]["samples"].size(), 10u);
}

TEST_F(RunDataTest, TheAnalysisHasWholeGroupsOfChosenSteps) {
  std::string text;
  for (int step = 1; step <= 3; ++step) {
    for (int group = 0; group < 4; ++group) {
      for (int i = 0; i < 2; ++i) {
        std::string line = sample(step, group, i, std::string(400, 'x'));
        text += line.replace(line.find("\"reward\""), 0, "\"verdict\":\"right\",");
      }
    }
  }
  write_file(samples_, text);
  const SampleAnalysis some =
      read_analysis(samples_, steps(3), {.steps = 2, .analyzed_bytes_per_step = 1800});
  ASSERT_EQ(some.steps.size(), 2u);  // the first and the last
  for (const int step : {1, 3}) {
    EXPECT_EQ(some.steps.at(step).num_samples, 4);  // the limit lies in the second group
    EXPECT_EQ(some.steps.at(step).num_groups(), 2);
  }
  EXPECT_EQ(read_analysis(samples_, steps(3)).total().num_samples, 24);
}

TEST_F(RunDataTest, LongTextLosesItsMiddleBetweenCharacters) {
  const Curves c = steps(1);
  std::string text;
  for (int i = 0; i < 50; ++i) text += "€";
  write_file(samples_, sample(1, 0, 0, text));
  const auto groups = read_samples(samples_, c, {.bytes_per_text = 20});
  EXPECT_EQ(groups[0]["samples"][0]["completion"], "€€€\n[… 132 bytes left out …]\n€€€");
}

TEST_F(RunDataTest, AFolderWithoutMetricsIsRefused) {
  const Failure f = failure_of([&] { read_run(folder_.path()); });
  EXPECT_THAT(f.message, HasSubstr("is no run folder: it has no metrics.jsonl"));
  EXPECT_EQ(f.hint, "name the folder of a run, for example runs/quickstart");
  EXPECT_EQ(f.exit_code, kExitUsage);
  EXPECT_THAT(failure_of([&] { read_run(folder_ / "no"); }).message, HasSubstr("does not exist"));
}

}  // namespace
}  // namespace qed
