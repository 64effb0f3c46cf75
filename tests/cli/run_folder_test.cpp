#include "core/cli/run_folder.h"

#include "tests/config/config_fixture.h"

namespace qed {
namespace {

class RunFolder : public ConfigTest {
 protected:
  std::string folder(const std::vector<std::string>& sets, const std::string& named = "") {
    const RunConfig config = load(head() + "[run]\nname = \"r\"\n" + rl(), sets);
    return run_folder(config, sets, named, plugins_).string();
  }
};

TEST_F(RunFolder, IsTheRunsNameBelowRuns) { EXPECT_EQ(folder({}), "runs/r"); }

TEST_F(RunFolder, CarriesTheOverridesThatChangeTheRun) {
  EXPECT_EQ(folder({"algorithm.name=plain"}), "runs/r+algorithm.name=plain");
  EXPECT_EQ(folder({"algorithm.name=grpo"}), "runs/r");  // what the file says already
}

TEST_F(RunFolder, DoesNotDependOnTheOrderOfTheOverrides) {
  EXPECT_EQ(folder({"train.lr=1", "run.seed=2"}), "runs/r+run.seed=2+train.lr=1");
  EXPECT_EQ(folder({"run.seed=2", "train.lr=1"}), "runs/r+run.seed=2+train.lr=1");
}

TEST_F(RunFolder, TakesTheNameThatSetGives) { EXPECT_EQ(folder({"run.name=other"}), "runs/other"); }

TEST_F(RunFolder, IsWhatRunSays) {
  EXPECT_EQ(folder({"train.lr=1"}, "fast"), "runs/fast");
  EXPECT_EQ(folder({}, "else/where"), "else/where");
}

TEST_F(RunFolder, HasASafeNameOfBoundedLength) {
  EXPECT_EQ(safe_file_name("eval.temperatures=[0, 1]/x"), "eval.temperatures=_0__1__x");

  const std::string a =
      folder({"eval.every=1", "eval.temperatures=[" + std::string(300, ' ') + "1]"});
  const std::string b =
      folder({"eval.every=1", "eval.temperatures=[" + std::string(300, ' ') + "2]"});

  EXPECT_LT(a.size(), 200u);
  EXPECT_NE(a, b);
}

}  // namespace
}  // namespace qed
