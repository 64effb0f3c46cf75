#include "core/host/algorithm.h"
#include "core/host/call_plugin.h"
#include "core/host/sampler.h"
#include "core/host/task.h"
#include "tests/host/host_fixture.h"
#include "tests/host/options.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <thread>

namespace qed {
namespace {

using testing::Each;
using testing::ElementsAre;

class Faces : public testing::Test {
 protected:
  std::unique_ptr<Algorithm> algorithm(const std::string& mode) {
    return std::make_unique<Algorithm>(
        host_.load("algorithm", "moody"),
        R"({"count":-1,"loud":true,"mode":")" + mode + R"(","scale":2.5})", host_.abi());
  }

  std::unique_ptr<Sampler> sampler(const std::string& mode) {
    return std::make_unique<Sampler>(host_.load("sampler", "moody"), R"({"mode":")" + mode + "\"}",
                                     host_.abi());
  }

  std::string path(const std::string& kind, const std::string& name) {
    return kind + " `" + name + "` (" + (test_plugins() / (kind + "s") / (name + ".so")).string() +
           "): ";
  }

  PluginHost host_{{product_plugins(), test_plugins()}};
  MetricSums metrics_;
};

TestBatch two_sequences() {
  TestBatch batch;
  batch.add(0, 1.0f, 2);
  batch.add(0, 0.5f, 3);
  return batch;
}

// ---- Algorithm ----

TEST_F(Faces, AlgorithmWritesIntoTheSpansOfTheHost) {
  const TestBatch batch = two_sequences();
  TestAdvantage out(batch);
  auto abi = out.abi();
  algorithm("good")->advantage(batch.abi(), abi, metrics_, 0);
  EXPECT_THAT(out.adv, ElementsAre(1, 0, 0.5, 0, 0));
  EXPECT_THAT(out.keep, ElementsAre(0, 1));
}

TEST_F(Faces, AlgorithmMayReportMetricsWithItsAdvantages) {
  const TestBatch batch = two_sequences();
  TestAdvantage out(batch);
  auto abi = out.abi();
  algorithm("good")->advantage(batch.abi(), abi, metrics_, 0);
  EXPECT_EQ(metrics_["moody/rewards"], std::pair(1.5, 2.0));
  EXPECT_EQ(abi.metrics, nullptr);
}

TEST_F(Faces, WhatAlgorithmPreparesGoesToItsLoss) {
  const auto moody = algorithm("good");
  ASSERT_TRUE(moody->has_prepare());
  TestLoss args(two_sequences());
  qed_update update = {.size = sizeof(qed_update),
                       .reserved = 0,
                       .batch = &args.batch,
                       .adv = {args.adv.data(), args.adv.size()},
                       .ret = {},
                       .weight = {args.weight.data(), args.weight.size()},
                       .logp = {},
                       .metrics = nullptr};
  const std::string prepared = moody->prepare(update, metrics_, 0);
  EXPECT_EQ(prepared, "5 tokens");
  EXPECT_EQ(metrics_["moody/updates"], std::pair(1.0, 1.0));
  auto abi = args.abi();
  abi.prepared = {reinterpret_cast<const std::uint8_t*>(prepared.data()), prepared.size()};
  moody->loss(abi, metrics_, 0);
  EXPECT_EQ(metrics_["moody/prepared"], std::pair(8.0, 1.0));
}

TEST_F(Faces, AlgorithmWithACriticWritesItsGradientsToo) {
  TestLoss args(two_sequences());
  std::vector<float> value(5, 0.5f), grad_value(5, 9), entropy(5, 0.25f), grad_entropy(5, 9);
  auto abi = args.abi();
  abi.value = {value.data(), 5};
  abi.grad_value = {grad_value.data(), 5};
  abi.entropy = {entropy.data(), 5};
  abi.grad_entropy = {grad_entropy.data(), 5};
  algorithm("good")->loss(abi, metrics_, 0);
  EXPECT_EQ(abi.value_loss, 0.5);
  EXPECT_THAT(grad_value, ElementsAre(1, 0, 0, 0, 0));
  EXPECT_THAT(grad_entropy, Each(0));
  const auto moody = algorithm("nan_value");
  const auto f = failure_of([&] { moody->loss(abi, metrics_, 0); });
  EXPECT_EQ(f.message, path("algorithm", "moody") +
                           "it gave the gradient of the value nan for token 2 of sequence 1");
}

TEST_F(Faces, AlgorithmLossClearsTheGradientAndAddsUpMetrics) {
  const auto moody = algorithm("good");
  TestLoss args(two_sequences());
  MetricSums metrics;
  for (int call = 0; call < 2; ++call) {
    auto abi = args.abi();
    moody->loss(abi, metrics, 0);
    EXPECT_EQ(abi.loss, 2.5);
    EXPECT_EQ(abi.metrics, nullptr);
    EXPECT_THAT(args.grad, ElementsAre(2.5, 0, 0, 0, 0));
  }
  EXPECT_EQ(metrics.size(), 1u);
  EXPECT_EQ(metrics["moody/calls"], std::pair(2.0, 2.0));
}

TEST_F(Faces, AlgorithmThatCannotBeMadeSaysWhy) {
  const auto f = failure_of([&] { algorithm("create"); });
  EXPECT_EQ(f.message, "algorithm `moody`: mode `create` cannot be made");
  EXPECT_EQ(f.exit_code, kExitUsage);
}

TEST_F(Faces, AlgorithmThatNeedsWhatIsNotProvidedIsRefused) {
  const auto moody = algorithm("needs_value");
  EXPECT_EQ(moody->needs(), QED_NEEDS_VALUE);
  moody->check_needs(QED_NEEDS_REF | QED_NEEDS_VALUE);
  const auto f = failure_of([&] { moody->check_needs(QED_NEEDS_REF); });
  EXPECT_EQ(f.message,
            path("algorithm", "moody") + "it needs a value model, which this qed does not have");
  EXPECT_EQ(f.hint,
            "choose an algorithm that works from rewards and log-probs alone, such as `grpo`");
  EXPECT_EQ(f.exit_code, kExitPlugin);
}

TEST_F(Faces, AlgorithmsAdvantageFailsWithItsOwnMessageOrAtTheTokenThatIsNotFinite) {
  const std::pair<std::string, std::string> cases[] = {
      {"advantage", "the batch is too small"},
      {"nan_advantage", "it gave the advantage nan for token 2 of sequence 1"},
  };
  for (const auto& [mode, why] : cases) {
    const TestBatch batch = two_sequences();
    TestAdvantage out(batch);
    auto abi = out.abi();
    const auto moody = algorithm(mode);
    const auto f = failure_of([&] { moody->advantage(batch.abi(), abi, metrics_, 0); });
    EXPECT_EQ(f.message, path("algorithm", "moody") + why);
    EXPECT_EQ(f.exit_code, kExitPlugin);
  }
}

TEST_F(Faces, AlgorithmsLossFailsWithItsOwnMessageOrWhereItIsNotFinite) {
  const std::pair<std::string, std::string> cases[] = {
      {"loss", "the loss is lost"},
      {"nan_loss", "it gave the loss nan"},
      {"inf_grad", "it gave the gradient inf for token 2 of sequence 1"},
      {"nan_metric", "metric `moody/calls` is not finite: nan / 1"},
  };
  for (const auto& [mode, why] : cases) {
    TestLoss args(two_sequences());
    auto abi = args.abi();
    MetricSums metrics;
    const auto moody = algorithm(mode);
    const auto f = failure_of([&] { moody->loss(abi, metrics, 0); });
    EXPECT_EQ(f.message, path("algorithm", "moody") + why);
    EXPECT_EQ(f.exit_code, kExitPlugin);
  }
}

TEST_F(Faces, APolicyThatDivergedIsNotTheAlgorithmsFault) {
  TestLoss args(two_sequences());
  args.logp[3] = NAN;
  auto abi = args.abi();
  const auto f = failure_of([&] { algorithm("good")->loss(abi, metrics_, 0); });
  EXPECT_EQ(f.message, "the policy's log-prob is nan for token 1 of sequence 1");
  EXPECT_EQ(f.hint, "its weights have diverged: lower train.lr, or set train.clip_norm");
  EXPECT_EQ(f.exit_code, kExitRunFailed);
}

TEST_F(Faces, AnExceptionThatIsNoneDoesNotCrossTheBoundary) {
  const Algorithm throws(host_.load("algorithm", "throws"), "{}", host_.abi());
  const TestBatch batch = two_sequences();
  TestAdvantage out(batch);
  auto abi = out.abi();
  const auto f = failure_of([&] { throws.advantage(batch.abi(), abi, metrics_, 0); });
  EXPECT_EQ(f.message, path("algorithm", "throws") + "unknown exception");
}

TEST_F(Faces, ABatchThatContradictsItselfIsOurBug) {
  TestBatch batch = two_sequences();
  batch.offset.back() = 4;
  TestAdvantage out(batch);
  auto abi = out.abi();
  const auto moody = algorithm("good");
  EXPECT_THROW(moody->advantage(batch.abi(), abi, metrics_, 0), std::logic_error);
}

// ---- Sampler ----

qed_request request(std::uint32_t stage) { return {sizeof(qed_request), stage, 3, 4, 5, 8, 50}; }

TEST_F(Faces, SamplerSeesTheRequestAndItsOpsKeepTheirOrder) {
  const auto ops = sampler("good")->plan(request(QED_STAGE_TRAIN), 0);
  ASSERT_EQ(ops.size(), 3u);
  EXPECT_EQ(ops[0].op, QED_OP_TEMPERATURE);
  EXPECT_EQ(ops[0].value, 0.75f);
  EXPECT_EQ(ops[1].op, QED_OP_TOP_K);
  EXPECT_EQ(ops[1].value, 7.0f);
  EXPECT_EQ(ops[2].op, QED_OP_TOP_P);
  EXPECT_EQ(ops[2].value, 0.5f);
  EXPECT_EQ(sampler("good")->plan(request(QED_STAGE_EVAL), 0).size(), 1u);
}

TEST_F(Faces, SamplerWhoseOpsCannotBeAppliedIsRefused) {
  const std::pair<std::string, std::string> cases[] = {
      {"throw", "no plan for sample 5"},
      {"hot", "its temperature is nan"},
      {"many", "it asks for more than 16 ops"},
      {"top_k", "its top-k is 0, at least 1 is needed"},
      {"top_p", "its top-p is 1.5, which is outside 0 to 1"},
      {"min_p", "its min-p is -1, which is outside 0 to 1"},
      {"repetition", "its repetition penalty is 0, more than 0 is needed"},
      {"presence", "its presence penalty is nan"},
      {"frequency", "its frequency penalty is inf"},
      {"bias", "its logit bias has 2 ids and 1 values"},
      {"nan_bias", "its logit bias adds nan"},
      {"ban", "its ban names the id 50; the vocabulary has 50"},
  };
  for (const auto& [mode, why] : cases) {
    const auto moody = sampler(mode);
    const auto f = failure_of([&] { moody->plan(request(QED_STAGE_TRAIN), 0); });
    EXPECT_EQ(f.message, path("sampler", "moody") + why);
    EXPECT_EQ(f.exit_code, kExitPlugin);
  }
}

TEST_F(Faces, SamplerWithAnUnknownOpIsRefused) {
  const Sampler later(host_.load("sampler", "unknown_op"), "{}", host_.abi());
  const auto f = failure_of([&] { later.plan(request(QED_STAGE_TRAIN), 0); });
  EXPECT_EQ(f.message,
            path("sampler", "unknown_op") + "it asks for op 999, which this qed does not know");
}

TEST_F(Faces, APluginMayBeWrittenInC) {
  const Component& component = host_.load("sampler", "plain_c");
  const auto ops = Sampler(component, "{}", host_.abi()).plan(request(QED_STAGE_TRAIN), 0);
  ASSERT_EQ(ops.size(), 1u);
  EXPECT_EQ(ops[0].value, 0.5f);
  const auto f = failure_of([&] { Sampler(component, R"({"a":1})", host_.abi()); });
  EXPECT_EQ(f.message, "sampler `plain_c`: options must be {}");
}

TEST_F(Faces, AComponentWhoseStateIsNotWholeIsRefused) {
  const Component& component = host_.load("sampler", "plain_state");
  const auto f = failure_of([&] { Sampler(component, "{}", host_.abi()); });
  EXPECT_EQ(f.message,
            path("sampler", "plain_state") + "its qed.state/1 lacks `save` or `restore`");
  EXPECT_EQ(f.exit_code, kExitPlugin);
}

TEST_F(Faces, WhatAnObjectRemembersGoesIntoAnotherOne) {
  const Component& component = host_.load("algorithm", "running_baseline");
  const std::string options = options_with(component.spec);
  const Algorithm first(component, options, host_.abi()), second(component, options, host_.abi());
  TestBatch data;
  data.add(0, 1, 2);
  data.add(0, 3, 1);
  const auto advantage = [&](const Algorithm& algorithm) {
    std::vector<float> adv(3);
    std::vector<std::uint8_t> keep(2, 1);
    const qed_batch batch = data.abi();
    qed_advantage out = {sizeof(qed_advantage), 0, {adv.data(), 3}, {}, {keep.data(), 2}, nullptr};
    MetricSums metrics;
    algorithm.advantage(batch, out, metrics, 0);
    return adv;
  };
  EXPECT_EQ(first.state().save(), "0");
  EXPECT_THAT(advantage(first), ElementsAre(1, 1, 3));
  EXPECT_EQ(first.state().save(), "1");  // half of the mean reward
  second.state().restore(first.state().save());
  EXPECT_THAT(advantage(second), ElementsAre(0, 0, 2));
  EXPECT_EQ(failure_of([&] { second.state().restore("x"); }).message,
            path("algorithm", "running_baseline") +
                "its state cannot be restored: the state is not a number");
  EXPECT_FALSE(Sampler(host_.load("sampler", "plain_c"), "{}", host_.abi()).state().is_kept());
}

TEST_F(Faces, SamplerMayBanBiasAndPenalise) {
  const auto ops = sampler("all")->plan(request(QED_STAGE_TRAIN), 0);
  ASSERT_EQ(ops.size(), 6u);
  EXPECT_EQ(ops[0].op, QED_OP_MIN_P);
  EXPECT_EQ(ops[0].value, 0.5f);
  EXPECT_EQ(ops[1].op, QED_OP_REPETITION);
  EXPECT_EQ(ops[2].op, QED_OP_PRESENCE);
  EXPECT_EQ(ops[3].op, QED_OP_FREQUENCY);
  EXPECT_EQ(ops[3].value, -0.5f);
  EXPECT_EQ(ops[4].op, QED_OP_LOGIT_BIAS);
  EXPECT_THAT(ops[4].ids, ElementsAre(0, 49));
  EXPECT_THAT(ops[4].values, ElementsAre(1.5f, -2.5f));
  EXPECT_EQ(ops[5].op, QED_OP_BAN);
  EXPECT_THAT(ops[5].ids, ElementsAre(3));
}

TEST_F(Faces, SamplerMayConstrainTokens) {
  const auto moody = sampler("good");
  ASSERT_TRUE(moody->has_mask());
  EXPECT_FALSE(Sampler(host_.load("sampler", "plain_c"), "{}", host_.abi()).has_mask());
  std::vector<std::uint8_t> allowed(7, 0xFF);
  qed_mask_row row = {sizeof(qed_mask_row), 0, 12, {}, {}, {allowed.data(), allowed.size()}};
  qed_mask_row* const rows[] = {&row};
  moody->mask(rows, 0);
  EXPECT_THAT(allowed, ElementsAre(1, 0, 0, 0, 0, 0, 0));
  const auto nothing = sampler("no_token");
  const auto f = failure_of([&] { nothing->mask(rows, 0); });
  EXPECT_EQ(f.message, path("sampler", "moody") + "its mask leaves no token to completion 12");
}

// ---- Task ----

class TaskFace : public Faces {
 protected:
  Score score(std::string_view text) {
    const SampleView view = {.item = &item_,
                             .prompt = "p",
                             .prefill = "",
                             .text = text,
                             .tokens = {},
                             .finish = QED_FINISH_STOP,
                             .group = 0,
                             .index = 4};
    return task_.verify(std::span(&view, 1), 1).front();
  }

  Item item_{"key", "blob"};
  Task task_{host_.load("task", "moody"), "{}", host_.abi()};
};

TEST_F(TaskFace, NamesItsSplitsAndTerms) {
  EXPECT_EQ(task_.name(), "moody");
  EXPECT_THAT(task_.splits(), ElementsAre("train", "test"));
  EXPECT_THAT(task_.terms(), ElementsAre("first", "second"));
}

TEST_F(TaskFace, CountsAndLoads) {
  EXPECT_EQ(task_.count("train"), 3u);
  const Item item = task_.load("train", 0);
  EXPECT_EQ(item.key, "key");
  EXPECT_EQ(item.blob, std::string("bl\0b", 4));
}

TEST_F(TaskFace, BadItemsAreRefusedWithTheirPlace) {
  const std::pair<std::uint64_t, std::string> cases[] = {
      {2, "its key is empty"},
      {3, "its key is not UTF-8"},
      {4, "it wrote more than 4096 bytes"},
  };
  for (const auto& [index, why] : cases) {
    const auto f = failure_of([&] { task_.load("test", index); });
    EXPECT_EQ(f.message,
              path("task", "moody") + "item " + std::to_string(index) + " of split `test`: " + why);
    EXPECT_EQ(f.exit_code, kExitPlugin);
  }
}

TEST_F(TaskFace, WhatTheUserGaveAndTheTaskRefusesIsNotBlamedOnThePlugin) {
  const auto torn = failure_of([&] { task_.load("test", 1); });
  EXPECT_EQ(torn.message, "task `moody`: item 1 of split `test`: row 1 is torn");
  EXPECT_EQ(torn.exit_code, kExitUsage);
  const auto f = failure_of([&] { task_.count("moon"); });
  EXPECT_EQ(f.message, "task `moody`: there is no split `moon`");
  EXPECT_EQ(f.exit_code, kExitUsage);
  const auto prompt = failure_of([&] { task_.render({"key", "throw"}); });
  EXPECT_EQ(prompt.message, "task `moody`: item `key`: the template is empty");
}

TEST_F(TaskFace, RendersAllPartsOfAPrompt) {
  const Prompt prompt = task_.render(item_);
  EXPECT_EQ(prompt.messages, R"([{"role":"user","content":"hi"}])");
  EXPECT_EQ(prompt.text, "");
  EXPECT_EQ(prompt.prefill, "<think>");
  EXPECT_THAT(prompt.stop, ElementsAre("\n\n", "\"end\""));
  EXPECT_EQ(prompt.max_new_tokens, 7u);
  EXPECT_TRUE(prompt.keep_special);
}

TEST_F(TaskFace, BadPromptsAreRefused) {
  const std::pair<std::string, std::string> cases[] = {
      {"both", "a prompt has either messages or text, not both, not neither"},
      {"neither", "a prompt has either messages or text, not both, not neither"},
      {"not json", "its messages are not a JSON array"},
  };
  for (const auto& [blob, why] : cases) {
    const auto f = failure_of([&] { task_.render({"key", blob}); });
    EXPECT_EQ(f.message, path("task", "moody") + "item `key`: " + why);
  }
}

TEST_F(TaskFace, AGoodScoreArrivesWhole) {
  const Score s = score("fine");
  EXPECT_EQ(s.status, QED_OK);
  EXPECT_EQ(s.reward, 0.25);
  EXPECT_EQ(s.verdict, QED_VERDICT_WRONG);
  EXPECT_THAT(s.terms, ElementsAre(1, 2));
  EXPECT_EQ(s.note, "a quarter");
}

TEST_F(TaskFace, AFailureIsNeverAReward) {
  const std::tuple<std::string, std::int32_t, std::string> cases[] = {
      {"nan", QED_INTERNAL, "the task gave the reward nan"},
      {"inf", QED_INTERNAL, "the task gave the reward inf"},
      {"nan term", QED_INTERNAL,
       "the task left out a term of the reward, or gave an unknown verdict"},
      {"odd verdict", QED_INTERNAL,
       "the task left out a term of the reward, or gave an unknown verdict"},
      {"throw", QED_DATA, "no verdict on sample 4"},
      {"throw int", QED_INTERNAL, "unknown exception"},
      {"untouched", QED_INTERNAL, "status INTERNAL without a message"},
      {"spoil the batch", QED_RESOURCE, "no sandbox is free"},
  };
  for (const auto& [text, status, note] : cases) {
    const Score s = score(text);
    EXPECT_EQ(s.status, status) << text;
    EXPECT_TRUE(std::isnan(s.reward)) << text;
    EXPECT_EQ(s.verdict, QED_VERDICT_NONE) << text;
    EXPECT_EQ(s.terms.size(), 2u) << text;
    for (const float term : s.terms) EXPECT_TRUE(std::isnan(term)) << text;
    EXPECT_EQ(s.note, note) << text;
  }
}

TEST_F(TaskFace, ABadSampleSpoilsOnlyItself) {
  std::vector<SampleView> views;
  for (const std::string_view text : {"fine", "throw", "nan", "fine", "throw int"}) {
    views.push_back({.item = &item_,
                     .prompt = "",
                     .prefill = "",
                     .text = text,
                     .tokens = {},
                     .finish = QED_FINISH_STOP,
                     .group = 0,
                     .index = views.size()});
  }
  const auto scores = task_.verify(views, 1);
  ASSERT_EQ(scores.size(), 5u);
  EXPECT_EQ(scores[0].reward, 0.25);
  EXPECT_EQ(scores[1].note, "no verdict on sample 1");
  EXPECT_EQ(scores[2].status, QED_INTERNAL);
  EXPECT_EQ(scores[3].reward, 0.25);
  EXPECT_EQ(scores[4].note, "unknown exception");
  EXPECT_TRUE(task_.verify({}, 1).empty());
}

TEST_F(TaskFace, APendingSampleIsAskedAgain) { EXPECT_EQ(score("pending").reward, 0.25); }

TEST_F(TaskFace, ACallThatIsNotBackInTwiceItsTimeEndsTheProgram) {
  const auto hang = [this] {
    const Task task(host_.load("task", "moody"), "{}", host_.abi(), 0.05);
    const SampleView view{.item = &item_,
                          .prompt = "",
                          .prefill = "",
                          .text = "sleep",
                          .tokens = {},
                          .finish = QED_FINISH_STOP,
                          .group = 0,
                          .index = 0};
    task.verify(std::span(&view, 1), 1);
  };
  EXPECT_EXIT(hang(), testing::ExitedWithCode(kExitPlugin),
              "^error: task `moody` \\(.*moody.so\\): `verify` is not back after 0.1 s, and its "
              "deadline was 0.05 s\n\nhint: a call must be back by qed_call.deadline_ns");
}

TEST_F(TaskFace, AnExceptionThatLeavesACallIsTheAuthorsMistake) {
  const Component& moody = host_.load("task", "moody");
  const auto f =
      failure_of([&] { call_plugin(moody, "verify", [] { throw std::runtime_error("torn"); }); });
  EXPECT_EQ(f.message, path("task", "moody") + "an exception left its `verify`: torn");
  EXPECT_EQ(f.hint, "this is a mistake in the plugin, not in the run file: tell its author");
  EXPECT_EQ(f.exit_code, kExitPlugin);
  const auto g = failure_of([&] { call_plugin(moody, "load", [] { throw 1; }); });
  EXPECT_EQ(g.message, path("task", "moody") + "an exception left its `load`");
}

TEST_F(TaskFace, NotesAreCutAndMadeUtf8) {
  EXPECT_EQ(score("long note").note, std::string(4096, 'n'));
  EXPECT_EQ(score("bad note").note, "n\uFFFD");
}

TEST_F(TaskFace, DemonstratesBySeed) {
  const auto first = task_.demonstrate(item_, "", 1);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first, task_.demonstrate(item_, "", 1));
  EXPECT_NE(first, task_.demonstrate(item_, "", 2));
  EXPECT_EQ(task_.demonstrate(item_, "none", 1), std::nullopt);
  const auto f = failure_of([&] { task_.demonstrate(item_, "bad", 1); });
  EXPECT_EQ(f.message, "task `moody`: item `key`: there is no style `bad`");
}

TEST_F(TaskFace, CallsAreSerialisedUnlessTheComponentIsConcurrent) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int call = 0; call < 5; ++call) EXPECT_EQ(score("overlap").status, QED_OK);
    });
  }
  threads.clear();
  EXPECT_EQ(score("overlap").reward, 1.0);
}

}  // namespace
}  // namespace qed
