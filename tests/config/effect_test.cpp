// Keys that can have no effect in a run are errors, unless a --set is the cause.

#include <gmock/gmock.h>

#include "tests/config/config_fixture.h"

namespace qed {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Effect = ConfigTest;

TEST_F(Effect, AKeyOfTheOtherKindOfStageIsReported) {
  EXPECT_EQ(error_of(head() + "[train]\nbatch_size = 4\n" + rl()),
            "error: `batch_size` in [train] has no effect in this run\n"
            "  --> x.toml:11:1\n"
            "   |\n"
            "11 | batch_size = 4\n"
            "   | ^^^^^^^^^^ only sft stages use it\n"
            "\n"
            "hint: remove it");
  EXPECT_THAT(error_of(head() + rl() + "demonstrations = 3\n"),
              HasSubstr("`demonstrations` in stage 1 has no effect in this run"));
}

TEST_F(Effect, AKeyThatOneStageUsesIsFine) {
  load(head() + "[train]\nbatch_size = 4\nmini_batches = 2\n" + sft() + rl());

  EXPECT_THAT(report_.notices, IsEmpty());
}

TEST_F(Effect, WholeTablesAreReportedOnce) {
  EXPECT_EQ(error_of(head() + sft()),
            "error: [algorithm] has no effect in this run\n"
            " --> x.toml:5:2\n"
            "  |\n"
            "5 | [algorithm]\n"
            "  |  ^^^^^^^^^ only rl stages use it\n"
            "\n"
            "hint: remove it\n"
            "\n"
            "error: [sampler] has no effect in this run\n"
            " --> x.toml:7:2\n"
            "  |\n"
            "7 | [sampler]\n"
            "  |  ^^^^^^^ only rl stages use it\n"
            "\n"
            "hint: remove it");
}

TEST_F(Effect, TokensOfSamplesThatAreNeverWrittenAreReported) {
  const std::string text = "[run]\nlog_tokens = true\n" + head();
  EXPECT_THAT(error_of(text + sft()),
              AllOf(HasSubstr("error: `log_tokens` in [run] has no effect in this run\n"),
                    HasSubstr("^^^^^^^^^^ only rl stages write samples")));
  EXPECT_EQ(load(text + sft() + rl()).run.log_tokens, true);
  EXPECT_THAT(report_.notices, IsEmpty());
}

TEST_F(Effect, AKeyWhoseSwitchIsOffIsReported) {
  EXPECT_THAT(error_of(head() + "[eval]\nitems = 4\n" + rl()),
              HasSubstr("^^^^^ `every` in [eval] is 0"));
  EXPECT_THAT(error_of(head() + "[checkpoint]\nkeep_best = 2\n" + rl()),
              HasSubstr("^^^^^^^^^ `every` in [eval] is 0"));
  EXPECT_THAT(error_of(head() + "[train]\nmin_lr_frac = 0.5\n" + rl()),
              HasSubstr("^^^^^^^^^^^ only the schedules \"linear\" and \"cosine\" use it"));
}

TEST_F(Effect, SamplesOfAGreedyEvaluationAreReported) {
  EXPECT_THAT(error_of(head() + "[eval]\nevery = 1\nsamples = 4\n" + rl()),
              HasSubstr("^^^^^^^ at temperature 0 all completions of an item are alike"));
  EXPECT_THAT(error_of(head() + "[eval]\nevery = 1\ntop_p = 0.9\n" + rl()),
              HasSubstr("^^^^^ at temperature 0 the likeliest token is taken"));
  load(head() + "[eval]\nevery = 1\nsamples = 4\ntop_p = 0.9\ntemperatures = [0, 1]\n" + rl());
}

TEST_F(Effect, ALimitOfRowsNeedsAFile) {
  EXPECT_THAT(error_of(head() + sft() + "max_tokens = 9\n"),
              HasSubstr("^^^^^^^^^^ only rows of `data` are cut"));
  EXPECT_THAT(error_of(head() + rl() + "data = \"rows.jsonl\"\n"),
              HasSubstr("^^^^ only sft stages use it"));
}

TEST_F(Effect, AKeyOfALossThatIsOffIsReported) {
  EXPECT_THAT(error_of(head() + "[train]\naggregation_length = 9\n" + rl()),
              HasSubstr("^^ only the aggregation \"constant\" uses it"));
  EXPECT_THAT(error_of(head() + "[kl]\nestimator = \"k1\"\n" + rl()),
              HasSubstr("^^^^^^^^^ `coef` in [kl] is 0"));
  EXPECT_THAT(error_of(head() + "[kl]\ncoef = 0.1\nhorizon = 9\n" + rl()),
              HasSubstr("^^^^^^^ `target` in [kl] is 0"));
  EXPECT_THAT(error_of(head() + "[mismatch]\ntoken_tis = 2\nsequence_tis = 5\n" + rl()),
              HasSubstr("^^^^^^^^^^^^ `token_tis` in [mismatch] weighs the tokens already"));
  EXPECT_THAT(error_of(head() + "[kl]\ncoef = 0.1\n[train]\nnll_coef = 0.1\n" + sft()),
              AllOf(HasSubstr("`coef` in [kl] has no effect"),
                    HasSubstr("`nll_coef` in [train] has no effect")));
  const RunConfig config =
      load(head() + "[kl]\ncoef = 0.1\ntarget = 0.1\nhorizon = 9\n" + sft() + rl());
  EXPECT_EQ(config.stages[1].kl.horizon, 9);
}

TEST_F(Effect, WhatSetSwitchesOffNeedsNoEditOfTheFile) {
  load(head() + "[eval]\nevery = 2\nitems = 4\n" + rl(), {"eval.every=0"});

  EXPECT_THAT(report_.notices, IsEmpty());
}

TEST_F(Effect, ASetThatEveryStageHidesIsReportedWithTheWayOut) {
  EXPECT_EQ(error_of(head() + rl() + "train = { lr = 1 }\n", {"train.lr=2"}),
            "error: `lr` in [train] has no effect in this run\n"
            " --> --set\n"
            "  |\n"
            "  | train.lr=2\n"
            "  |       ^^ the stage sets `lr` itself\n"
            "\n"
            "hint: set it for one stage: --set stage.1.train.lr=VALUE");
}

TEST_F(Effect, LimitsOfGenerationMayBeSetInAnSftRunWhichEvaluates) {
  const std::string file =
      "[model]\nconfig = \"model.json\"\n[task]\nname = \"sums\"\n"
      "[rollout]\nmax_new_tokens = 8\n";
  load(file + sft());

  EXPECT_THAT(error_of(file + "prompts = 2\n" + sft()),
              HasSubstr("`prompts` in [rollout] has no effect in this run"));
}

}  // namespace
}  // namespace qed
