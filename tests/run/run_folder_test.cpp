#include "core/run/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config/load.h"
#include "core/config/resolved.h"
#include "core/report/event_file.h"
#include "tests/host/host_fixture.h"
#include "tests/model/model_fixture.h"

namespace qed {
namespace {

namespace fs = std::filesystem;

class Folder : public testing::Test {
 protected:
  // The quick start, with --set.
  RunConfig config(const std::vector<std::string>& sets = {}) {
    return load_run_config(QED_SOURCE_DIR "/configs/quickstart.toml", sets, host_);
  }
  // The quick start's folder with a row.
  void begin() {
    MetricsRow row;
    row.add("step", std::int64_t{1});
    RunFolder(path_, config(), false).write(row);
  }
  fs::path model_config() const { return QED_SOURCE_DIR "/configs/quickstart/config.json"; }

  PluginHost host_{{product_plugins()}};
  TemporaryFolder temporary_;
  const fs::path path_ = temporary_ / "runs" / "a";
};

TEST_F(Folder, ResolvedConfigComesBackFromTomlAsItWas) {
  for (const auto& sets :
       {std::vector<std::string>{}, {"train.lr=1.2345678901234567e-7", "run.seed=3"}}) {
    const nlohmann::json resolved = config(sets).to_json();
    EXPECT_EQ(from_toml(to_toml(resolved), "config.toml"), resolved);
  }
}

TEST_F(Folder, StartsEmptyWithItsConfig) {
  const RunConfig c = config();
  RunFolder folder(path_, c, false);
  EXPECT_EQ(folder.resumed_from(), std::nullopt);
  EXPECT_EQ(folder.state.global_step, 0);
  EXPECT_EQ(read_file(path_ / "metrics.jsonl"), "");
  EXPECT_EQ(from_toml(read_file(path_ / "config.toml"), ""), c.to_json());
}

TEST_F(Folder, TakesOneProcessAtATime) {
  const RunConfig c = config();
  {
    RunFolder first(path_, c, false);
    const Failure f = failure_of([&] { RunFolder second(path_, c, false); });
    EXPECT_EQ(f.message, "another qed is at work in " + path_.string());
    EXPECT_EQ(f.hint, "wait for it, or name another folder with --run");
    EXPECT_EQ(f.exit_code, kExitUsage);
  }
  EXPECT_NO_THROW(RunFolder(path_, c, false));
}

TEST_F(Folder, RefusesAnotherConfigWithTheKeysThatDiffer) {
  begin();
  const RunConfig other =
      config({"stage.2.train.lr=3e-4", "run.seed=2", "eval.every=5", "checkpoint.keep=7"});
  const Failure f = failure_of([&] { RunFolder folder(path_, other, false); });
  EXPECT_EQ(f.message, path_.string() + " belongs to a run with another config" +
                           "\n   = run.seed: 1 -> 2\n   = stage.2.train.lr: 2e-4 -> 3e-4");
  EXPECT_EQ(f.hint, "name another folder with `--run NAME`, or start this one again with --fresh");
  EXPECT_EQ(f.exit_code, kExitUsage);
  // A refusal keeps neither the lock nor the other config.
  EXPECT_NO_THROW(RunFolder(path_, config(), false));
}

TEST_F(Folder, TakesAnotherConfigAsLongAsNothingWasDone) {
  { RunFolder folder(path_, config(), false); }
  const RunConfig other = config({"run.seed=2"});
  EXPECT_NO_THROW(RunFolder(path_, other, false));
  EXPECT_EQ(from_toml(read_file(path_ / "config.toml"), ""), other.to_json());
}

TEST_F(Folder, StepsEvaluationCheckpointsAndLimitsMayChange) {
  begin();
  const RunConfig other = config({"stage.2.steps=50", "eval.every=5", "checkpoint.keep=7",
                                  "rollout.max_failure_frac=0.1", "rollout.verify_timeout_s=9"});
  EXPECT_NO_THROW(RunFolder(path_, other, false));
  EXPECT_EQ(from_toml(read_file(path_ / "config.toml"), ""), other.to_json());
}

TEST_F(Folder, ADamagedConfigIsNamedWithTheWayOut) {
  begin();
  write_file(path_ / "config.toml", "[run]\nseed = \n");
  const Failure f = failure_of([&] { RunFolder folder(path_, config(), false); });
  EXPECT_THAT(f.message,
              testing::HasSubstr((path_ / "config.toml").string() + " is damaged at line 2"));
  EXPECT_EQ(f.hint, "start again with --fresh");
}

class ResumedFolder : public Folder {
 protected:
  ResumedFolder() {
    model_.weights().init(1);
    AdamW optimizer(model_.weights());
    RunFolder folder(path_, config_, false);
    folder.state = {.stage = 1, .stage_step = 3, .global_step = 7, .data = R"({"position":5})"};
    folder.write(row(1));
    folder.samples().append("first sample\n");
    folder.checkpoint(model_config(), {}, model_, optimizer, {});
    folder.write(row(2));  // after the checkpoint: a resumed run writes it again
    folder.samples().append("second sample\n");
  }

  static MetricsRow row(std::int64_t number) {
    MetricsRow row;
    row.add("val-core/t/mean@1", number);
    return row;
  }

  RunConfig config_ = config();
  Transformer model_{tiny_config()};
};

TEST_F(ResumedFolder, GoesOnFromTheNewestCheckpointWithItsLogsCutBack) {
  RunFolder folder(path_, config_, false);
  EXPECT_EQ(folder.resumed_from(), path_ / "checkpoints" / "7");
  EXPECT_EQ(folder.state.stage, 1);
  EXPECT_EQ(folder.state.stage_step, 3);
  EXPECT_EQ(folder.state.data, R"({"position":5})");
  EXPECT_EQ(folder.state.eval.metric, "val-core/t/mean@1");
  EXPECT_EQ(folder.state.eval.value, 1);
  EXPECT_EQ(folder.state.eval.global_step, 7);
  EXPECT_EQ(read_file(path_ / "metrics.jsonl"), row(1).line());
  const auto events = fs::file_size(path_ / "events.out.tfevents.qed");
  EXPECT_EQ(read_file(path_ / "samples.jsonl"), "first sample\n");
  folder.write(row(2));
  EXPECT_EQ(read_file(path_ / "metrics.jsonl"), row(1).line() + row(2).line());
  EXPECT_EQ(fs::file_size(path_ / "events.out.tfevents.qed") - events,
            event_record(0, 7, row(2).numbers()).size());
}

TEST_F(ResumedFolder, RefusesALogThatLostWhatTheCheckpointCounts) {
  fs::resize_file(path_ / "metrics.jsonl", 2);
  const Failure f = failure_of([&] { RunFolder folder(path_, config_, false); });
  EXPECT_EQ(f.message, (path_ / "metrics.jsonl").string() +
                           cat(" has 2 bytes, but the checkpoint was made when it had ",
                               row(1).line().size()));
}

TEST_F(ResumedFolder, FreshStartsAgainWithAnyConfig) {
  RunFolder folder(path_, config({"run.seed=2"}), true);
  EXPECT_EQ(folder.resumed_from(), std::nullopt);
  EXPECT_EQ(folder.state.global_step, 0);
  EXPECT_FALSE(fs::exists(path_ / "checkpoints"));
  EXPECT_EQ(read_file(path_ / "metrics.jsonl"), "");
  EXPECT_EQ(read_file(path_ / "samples.jsonl"), "");
}

}  // namespace
}  // namespace qed
