// [[task]]: several tasks with weights.

#include <gmock/gmock.h>

#include "core/config/difference.h"
#include "tests/config/config_fixture.h"

namespace qed {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Tasks : public ConfigTest {
 protected:
  // A run with this in the place of [task]; its first line is line 3.
  static std::string file(const std::string& tasks, const std::string& end = "") {
    return "[model]\nconfig = \"model.json\"\n" + tasks +
           "[algorithm]\nname = \"grpo\"\n[sampler]\nname = \"standard\"\n" + rl() + end;
  }
  static std::string two() {
    return "[[task]]\nname = \"sums\"\nweight = 2\ndigits = 2\n"
           "[[task]]\nname = \"sums\"\nlabel = \"hard\"\ndigits = 5\nwindow = [0.1, 0.9]\n";
  }
};

TEST_F(Tasks, OneTaskIsATable) {
  const RunConfig config = load(head() + rl());
  const std::vector<TaskTable>& tasks = config.stages[0].tasks;
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks[0].label, "sums");
  EXPECT_EQ(tasks[0].weight, 1);
  EXPECT_EQ(config.to_json()["stage"][0]["task"],
            nlohmann::json({{"name", "sums"}, {"digits", 3}, {"working", 0.5}}));
}

TEST_F(Tasks, SeveralHaveWeightsLabelsAndOptionsOfTheirOwn) {
  const RunConfig config = load(file(two()));
  const std::vector<TaskTable>& tasks = config.stages[0].tasks;
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(tasks[0].label, "sums");
  EXPECT_EQ(tasks[0].weight, 2);
  EXPECT_EQ(tasks[0].options["digits"], 2);
  EXPECT_EQ(tasks[1].label, "hard");
  EXPECT_EQ(tasks[1].weight, 1);
  EXPECT_EQ(tasks[1].options["digits"], 5);
  EXPECT_EQ(tasks[1].window, (std::array<double, 2>{0.1, 0.9}));
  EXPECT_THAT(report_.notices, IsEmpty());
}

TEST_F(Tasks, AreOverriddenBySet) {
  const RunConfig config = load(file(two()), {"task.2.weight=3", "stage.1.task.1.digits=4"});
  EXPECT_EQ(config.stages[0].tasks[1].weight, 3);
  EXPECT_EQ(config.stages[0].tasks[0].options["digits"], 4);
  EXPECT_THAT(error_of(file(two()), {"task.weight=3"}),
              HasSubstr("there is no task `weight` among several"));
  EXPECT_THAT(error_of(file(two()), {"task.3.weight=3"}),
              HasSubstr("tasks count from 1: --set task.1.weight=2"));
}

TEST_F(Tasks, AStagesOwnStandForAllOfThem) {
  const std::string own =
      "[[stage.task]]\nname = \"words\"\npath = \"w\"\n"
      "[[stage.task]]\nname = \"sums\"\n";
  const RunConfig config = load(file(two(), rl() + own + rl() + "task = { name = \"sums\" }\n"));
  EXPECT_EQ(config.stages[0].tasks.size(), 2u);
  EXPECT_EQ(config.stages[1].tasks[0].name, "words");
  EXPECT_EQ(config.stages[1].tasks[1].options["digits"], 3);
  ASSERT_EQ(config.stages[2].tasks.size(), 1u);
  EXPECT_EQ(config.stages[2].tasks[0].options["digits"], 3);
}

TEST_F(Tasks, BindTheRunFolderOneByOne) {
  const nlohmann::json before = load(file(two())).to_json();
  const auto found = differences(before, load(file(two()), {"task.2.weight=3"}).to_json());
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].key, "task.2.weight");
}

TEST_F(Tasks, AWrongTableIsReportedWithItsPlace) {
  EXPECT_THAT(error_of(file("[[task]]\nname = \"sums\"\n[[task]]\nname = \"sums\"\n")),
              HasSubstr("two tasks are called `sums`"));
  EXPECT_THAT(error_of(file("[[task]]\nname = \"sums\"\n[[task]]\nweight = 2\n")),
              HasSubstr("missing key `name` in [task.2]"));
  EXPECT_THAT(error_of(file("[[task]]\nname = \"sums\"\ndigit = 2\n[[task]]\nname = \"words\"\n"
                            "path = \"w\"\n")),
              HasSubstr("unknown key `digit` in [task.1]"));
  EXPECT_THAT(error_of(file("[task]\nname = \"sums\"\nwindow = [0.9, 0.1]\n")),
              HasSubstr("`window` ends below where it begins"));
  EXPECT_THAT(error_of(file("[task]\nname = \"sums\"\nlabel = \"my sums\"\n")),
              HasSubstr("a label has letters, digits, _ and - only"));
  EXPECT_THAT(error_of(file("[task]\nname = \"sums\"\nweight = 2\n")),
              HasSubstr("there is one task; several are written [[task]]"));
}

TEST_F(Tasks, AStageThatLearnsFromAFileNeedsNone) {
  const std::string stage = "[[stage]]\nkind = \"sft\"\nsteps = 4\ndata = \"rows.jsonl\"\n";
  const RunConfig config = load("[model]\nconfig = \"model.json\"\n" + stage);
  EXPECT_THAT(config.stages[0].tasks, IsEmpty());
  EXPECT_EQ(config.stages[0].data, "rows.jsonl");
  EXPECT_EQ(config.stages[0].demonstrations, 0);
  EXPECT_FALSE(config.to_json()["stage"][0].contains("task"));
  EXPECT_THAT(error_of(head() + sft() + "max_tokens = 9\n"),
              HasSubstr("only rows of `data` are cut"));
  EXPECT_THAT(error_of("[model]\nconfig = \"model.json\"\n[[stage]]\nkind = \"sft\"\nsteps = 4\n"),
              HasSubstr("missing key `demonstrations` in stage 1"));
}

}  // namespace
}  // namespace qed
