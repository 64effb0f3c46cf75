// The task `math`: rows of the published data sets, prompts, rewards, and what bad input is told.

#include "core/data/dataset_service.h"
#include "tests/plugins/task_fixture.h"

#include <gmock/gmock.h>

namespace qed {
namespace {

using testing::HasSubstr;

class MathTask : public testing::Test {
 protected:
  MathTask() { host_.add_service(kDatasetService, dataset_service()); }

  Task make(const std::vector<Json>& rows, Json options = {}) {
    std::ofstream out(path_);
    for (const Json& row : rows) out << row << '\n';
    out.close();
    options["data"] = path_;
    return make_task(host_, "math", options);
  }
  static Json gold(const Item& item) { return Json::parse(item.blob)["gold"]; }

  const std::string path_ = testing::TempDir() + "math_" +
                            testing::UnitTest::GetInstance()->current_test_info()->name() +
                            ".jsonl";
  PluginHost host_{{product_plugins()}};
};

TEST_F(MathTask, ReadsTheRowsOfPublishedDataSets) {
  const Task task = make({
      {{"problem", "a"}, {"answer", "\\frac{1}{2}"}, {"level", "Level 3"}},        // MATH
      {{"question", "b"}, {"answer", "2*9=<<2*9=18>>18\n#### 18"}},                // GSM8K
      {{"problem", "c"}, {"solution", "so $x = \\boxed{1.77e-6} \\mathrm{~m}$"}},  // Minerva
      {{"question", "d"}, {"final_answer", {"$1$", "$2$"}}, {"unit", nullptr}},    // Olympiad
      {{"question", "e"}, {"final_answer", {"17.5"}}, {"unit", "%"}},
  });
  const auto at = [&](std::uint64_t i) { return gold(task.load("train", i)); };
  EXPECT_EQ(at(0), Json::array({"\\frac{1}{2}"}));
  EXPECT_EQ(at(1), Json::array({"18"}));
  EXPECT_EQ(at(2), Json::array({"1.77e-6"}));
  EXPECT_EQ(at(3), Json::array({"$1$", "$2$"}));
  EXPECT_EQ(at(4), Json::array({"17.5\\%"}));
}

TEST_F(MathTask, TakesOnlyTheLevelsThatAreAskedFor) {
  const std::vector<Json> rows = {{{"problem", "a"}, {"answer", "1"}, {"level", 1}},
                                  {{"problem", "b"}, {"answer", "2"}, {"level", "Level 3"}},
                                  {{"problem", "c"}, {"answer", "3"}, {"level", "5"}}};
  EXPECT_EQ(make(rows, {{"levels", "3-5"}}).count("train"), 2u);
  EXPECT_EQ(make(rows, {{"levels", "1"}}).count("train"), 1u);
  EXPECT_EQ(make(rows, {{"levels", "1"}, {"eval_data", path_}}).count("test"), 3u);
}

TEST_F(MathTask, PaysAsItsOptionsSay) {
  const Task task = make({{{"problem", "a"}, {"answer", "1"}}},
                         {{"verifier", "simplerl_v0"}, {"wrong", -0.5}, {"missing", -1}});
  const Item item{"k", R"({"gold":"1"})"};
  EXPECT_EQ(score_text(task, item, "\\boxed{2/2}").reward, 1);
  EXPECT_EQ(score_text(task, item, "\\boxed{3}").reward, -0.5);
  EXPECT_EQ(score_text(task, item, "no idea").reward, -1);
  const Score unread = score_text(task, {"k", R"({"gold":"see the proof above"})"}, "\\boxed{3}");
  EXPECT_NE(unread.status, QED_OK);
  EXPECT_THAT(unread.note, HasSubstr("cannot be compared: it is no expression"));
}

TEST_F(MathTask, SaysWhatIsWrongWithARow) {
  const auto message = [&](const Json& row, Json options = {}) {
    try {
      make({row}, std::move(options)).load("train", 0);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(message({{"text", "a"}, {"answer", "1"}}),
              HasSubstr("no column with the question; the row has answer, text; name it by the "
                        "option `question`"));
  EXPECT_THAT(message({{"problem", "a"}}), HasSubstr("no column with the gold"));
  EXPECT_THAT(message({{"problem", "a"}, {"answer", "1"}}, {{"gold", "target"}}),
              HasSubstr("field `target`: missing or empty"));
  EXPECT_THAT(message({{"problem", "a"}, {"answer", "\\boxed{}"}}),
              HasSubstr("the gold answer is empty"));
  EXPECT_THAT(message({{"problem", "a"}, {"answer", "1"}}, {{"levels", "3"}}),
              HasSubstr("field `level`: missing"));
  EXPECT_THAT(message({{"problem", "a"}, {"answer", "1"}}, {{"levels", "3-x"}}),
              HasSubstr("`levels` is \"3-x\"; write one level, \"5\", or two, \"3-5\""));
}

}  // namespace
}  // namespace qed
