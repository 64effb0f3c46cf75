#include "core/report/report_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/report/run_table.h"
#include "core/util/files.h"
#include "tests/model/temporary_folder.h"

namespace qed {
namespace {

using testing::HasSubstr;
using testing::Not;

RunData run(const std::string& name, double reward) {
  RunData data;
  data.name = name;
  data.curves.step = {1, 2};
  data.curves.stage = {"rl", "rl"};
  data.curves.series = {{"critic/rewards/mean", {0.25, reward}},
                        {"val-core/t/mean@1", {0.5, 0.25}}};
  return data;
}

TEST(ReportPage, NeedsNoOtherFileAndNoNetwork) {
  const std::vector<RunData> runs = {run("a", 0.5)};
  const std::string page = report_page(runs);
  EXPECT_THAT(page, HasSubstr("var uPlot="));
  EXPECT_THAT(page, Not(HasSubstr("<link rel=\"stylesheet\"")));
  EXPECT_THAT(page, Not(HasSubstr("<script src")));
  EXPECT_THAT(page, HasSubstr("\"critic/rewards/mean\":[0.25,0.5]"));
  EXPECT_EQ(page, report_page(runs));
}

TEST(ReportPage, TextOfAModelCannotBecomePartOfThePage) {
  RunData data = run("a", 0.5);
  data.samples = {{{"prompt", "</script><script>alert(1)</script>"}}};
  EXPECT_THAT(report_page(std::span(&data, 1)), Not(HasSubstr("alert(1)</script>")));
}

TEST(RunTable, HasALinePerRunAndOnlyColumnsThatSomeRunFills) {
  const std::vector<RunData> runs = {run("quickstart", 0.5), run("slöw", 0.125)};
  EXPECT_EQ(run_table(runs),
            "run         steps   eval      best  reward\n"
            "quickstart      2  0.250  0.500 @1   0.500\n"
            "slöw            2  0.250  0.500 @1   0.125\n");
}

TEST(WriteReport, WritesThePageIntoTheRunFolder) {
  TemporaryFolder folder;
  write_file(folder / "metrics.jsonl", "");
  write_report(folder.path());
  EXPECT_THAT(read_file(folder / "report.html"), HasSubstr("<!doctype html>"));
}

}  // namespace
}  // namespace qed
