#include "core/check/check_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace qed::check {
namespace {

using testing::HasSubstr;

CheckReport report() {
  CheckReport out;
  out.file = "build/x.so";
  out.components = {{"task", "x", 0}};
  out.rows = {{"", "static.loader", Level::kMust, "qed loads the file", {Outcome::kPassed, ""}},
              {"task `x`", "task.load", Level::kMust, "about", {Outcome::kFailed, "item 3 <&\">"}},
              {"task `x`", "task.gaming", Level::kShould, "about", {Outcome::kFailed, "cheap"}},
              {"task `x`", "task.unique", Level::kShould, "about", {Outcome::kSkipped, "why"}}};
  return out;
}

TEST(CheckReport, CountsAFailureOfLevelShouldAsAWarning) {
  EXPECT_EQ(report().count("passed"), 1u);
  EXPECT_EQ(report().count("failed"), 1u);
  EXPECT_EQ(report().count("warning"), 1u);
  EXPECT_EQ(report().count("skipped"), 1u);
}

TEST(CheckReport, IsReadableAndSaysHowToGoOn) {
  const std::string text = report_text(report());
  EXPECT_THAT(text, HasSubstr("  FAILED   task.load"));
  EXPECT_THAT(text, HasSubstr("item 3"));
  EXPECT_THAT(text, HasSubstr("1 passed, 1 failed, 1 warning, 1 skipped"));
  EXPECT_THAT(text, HasSubstr("qed plugin check build/x.so --in-process --include '^task.load$'"));
}

TEST(CheckReport, IsJson) {
  const auto json = nlohmann::json::parse(report_json(report()));
  EXPECT_EQ(json["failed"], 1);
  EXPECT_EQ(json["tests"][1]["name"], "task.load");
  EXPECT_EQ(json["tests"][2]["outcome"], "warning");
}

TEST(CheckReport, EscapesXml) {
  const std::string xml = report_junit(report());
  EXPECT_THAT(xml, HasSubstr("item 3 &lt;&amp;&quot;&gt;"));
  EXPECT_THAT(xml, HasSubstr("<testsuite name=\"task `x`\" tests=\"3\" failures=\"1\">"));
}

TEST(TestList, NamesLevelAndTest) { EXPECT_THAT(test_list(), HasSubstr("should  task.gaming")); }

}  // namespace
}  // namespace qed::check
