// plugins/<kind>/<name>/golden/: what first-party plugins give for given inputs, as computed by
// make_goldens.py from the published formulas.

#include "core/data/dataset_service.h"
#include "core/host/algorithm.h"
#include "core/host/reward.h"
#include "core/host/sampler.h"
#include "tests/host/options.h"
#include "tests/plugins/task_fixture.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>

namespace qed {
namespace {

namespace fs = std::filesystem;

const fs::path kPlugins = QED_SOURCE_DIR "/plugins";

class Goldens : public testing::Test {
 protected:
  Goldens() { host_.add_service(kDatasetService, dataset_service()); }

  static std::vector<Json> rows(const std::string& plugin, const char* file) {
    const std::vector<Json> out = read_jsonl(kPlugins / plugin / "golden" / file);
    EXPECT_FALSE(out.empty()) << plugin;
    return out;
  }
  // The folders of a kind, by name.
  static std::vector<std::string> names(const char* kind) {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(kPlugins / kind)) {
      if (entry.is_directory()) out.push_back(entry.path().filename());
    }
    EXPECT_FALSE(out.empty()) << kind;
    return out;
  }

  PluginHost host_{{product_plugins()}};
};

TEST_F(Goldens, EveryPluginHasSome) {
  for (const char* kind : {"tasks", "rewards", "algorithms", "samplers"}) {
    for (const std::string& name : names(kind)) {
      EXPECT_TRUE(fs::is_directory(kPlugins / kind / name / "golden")) << kind << "/" << name;
    }
  }
}

TEST_F(Goldens, TasksGiveTheirRewards) {
  const std::pair<std::string, const char*> kFiles[] = {{"arithmetic", "verify.jsonl"},
                                                        {"math", "verify.jsonl"},
                                                        {"math", "unsloth.jsonl"},
                                                        {"table", "verify.jsonl"}};
  for (const auto& [name, file] : kFiles) {
    for (const Json& row : rows("tasks/" + name, file)) {
      Json options = row["options"];
      if (name == "math") options["data"] = "";
      if (name == "table") options["data"] = kPlugins / "tasks/table/golden/verify.jsonl";
      const Json& blob = row["item"];
      const Item item{"golden", blob.is_string() ? blob.get<std::string>() : blob.dump()};
      const Score score =
          score_text(make_task(host_, name, options), item, row["completion"].get<std::string>());
      EXPECT_NEAR(score.reward, row["reward"].get<double>(), 1e-9) << row << score.note;
    }
  }
}

// ---- rewards ----

std::uint32_t verdict(const Json& sample) {
  const std::string word = sample.value("verdict", "none");
  return word == "right"   ? QED_VERDICT_RIGHT
         : word == "wrong" ? QED_VERDICT_WRONG
                           : QED_VERDICT_NONE;
}

// The samples of a row, all of one group.
struct Scorable {
  explicit Scorable(const Json& row) {
    for (const Json& s : row["samples"]) {
      texts.push_back(s["text"]);
      tokens.push_back(s.value("tokens", std::vector<std::int32_t>()));
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
      samples.push_back({.item = &item,
                         .prompt = {},
                         .prefill = {},
                         .text = texts[i],
                         .tokens = tokens[i],
                         .finish = QED_FINISH_STOP,
                         .group = 0,
                         .index = i,
                         .max_new_tokens = row["samples"][i].value("max_new_tokens", 0u)});
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
      views.push_back({&samples[i], 0, verdict(row["samples"][i]), {}, {}});
    }
  }
  Scorable(const Scorable&) = delete;

  Item item{"golden", "{}"};
  std::vector<std::string> texts;
  std::vector<std::vector<std::int32_t>> tokens;
  std::vector<SampleView> samples;
  std::vector<ScoredView> views;
};

TEST_F(Goldens, RewardsGiveTheirValues) {
  for (const std::string& name : names("rewards")) {
    for (const Json& row : rows("rewards/" + name, "rows.jsonl")) {
      const Component& component = host_.load("reward", row["component"]);
      const Reward reward(component, options_with(component.spec, row["options"]), host_.abi());
      const Scorable in(row);
      const auto scores = reward.score(in.views, 0);
      for (std::size_t i = 0; i < scores.size(); ++i) {
        ASSERT_EQ(scores[i].status, QED_OK) << row << scores[i].note;
        EXPECT_NEAR(scores[i].value, row["expected"][i].get<double>(), 1e-9) << row;
      }
      if (!row.contains("expected_tokens")) continue;
      EXPECT_THAT(scores[0].tokens,
                  testing::ElementsAreArray(row["expected_tokens"].get<std::vector<float>>()))
          << row;
    }
  }
}

// ---- algorithms ----

using Floats = std::vector<float>;

// golden_batch.json as the spans of a call.
struct GoldenBatch {
  explicit GoldenBatch(const Json& in)
      : baseline(in["baseline"].get<Floats>()),
        old_value(in["old_value"].get<Floats>()),
        value(in["value"].get<Floats>()) {
    for (std::size_t b = 0; b < in["lengths"].size(); ++b) {
      source.add(in["groups"][b], in["rewards"][b], in["lengths"][b]);
    }
    source.old_logp = source.behavior_logp = in["old_logp"].get<Floats>();
  }
  void complete(qed_batch& batch) const {
    batch.value = {old_value.data(), old_value.size()};
    batch.baseline = {baseline.data(), baseline.size()};
  }

  TestBatch source;
  Floats baseline, old_value, value;
};

void expect_near(const Floats& got, const Json& expected, const char* what, const Json& options) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t t = 0; t < got.size(); ++t) {
    const double e = expected[t];
    EXPECT_NEAR(got[t], e, 1e-6 * std::max(1.0, std::abs(e))) << what << t << options;
  }
}

void check_case(const Algorithm& algorithm, const Json& row, const Json& in) {
  const GoldenBatch golden(in);
  const std::size_t num_tokens = golden.value.size();
  MetricSums metrics;

  TestAdvantage out(golden.source);
  Floats ret(num_tokens);
  qed_batch batch = golden.source.abi();
  golden.complete(batch);
  qed_advantage advantage = out.abi();
  advantage.ret = {ret.data(), ret.size()};
  algorithm.advantage(batch, advantage, metrics, 0);
  expect_near(out.adv, row["adv"], "adv ", row["options"]);
  if (row.contains("ret")) expect_near(ret, row["ret"], "ret ", row["options"]);

  TestLoss loss(golden.source);
  golden.complete(loss.batch);
  loss.logp = in["logp"].get<Floats>();
  loss.weight.assign(num_tokens, in["weight"].get<float>());
  loss.adv = row["adv"].get<Floats>();
  Floats grad_value(num_tokens);
  qed_loss args = loss.abi();
  if (row.contains("ret")) ret = row["ret"].get<Floats>();
  args.ret = {ret.data(), ret.size()};
  args.value = {golden.value.data(), golden.value.size()};
  args.grad_value = {grad_value.data(), grad_value.size()};
  algorithm.loss(args, metrics, 0);
  EXPECT_NEAR(args.loss, row["loss"].get<double>(), 1e-6) << row["options"];
  expect_near(loss.grad, row["grad"], "grad ", row["options"]);
  if (!row.contains("grad_value")) return;
  EXPECT_NEAR(args.value_loss, row["value_loss"].get<double>(), 1e-6) << row["options"];
  expect_near(grad_value, row["grad_value"], "grad_value ", row["options"]);
}

TEST_F(Goldens, AlgorithmsGiveTheirAdvantagesLossesAndGradients) {
  const Json in = Json::parse(std::ifstream(QED_SOURCE_DIR "/tests/plugins/golden_batch.json"));
  for (const std::string& name : names("algorithms")) {
    SCOPED_TRACE(name);
    for (const Json& row : rows("algorithms/" + name, "cases.jsonl")) {
      const Component& component = host_.load("algorithm", name);
      const Algorithm algorithm(component, options_with(component.spec, row["options"]),
                                host_.abi());
      check_case(algorithm, row, in);
    }
  }
}

// ---- samplers ----

const std::map<std::uint32_t, std::string> kOps = {{QED_OP_TEMPERATURE, "temperature"},
                                                   {QED_OP_TOP_K, "top_k"},
                                                   {QED_OP_TOP_P, "top_p"},
                                                   {QED_OP_MIN_P, "min_p"},
                                                   {QED_OP_REPETITION, "repetition_penalty"},
                                                   {QED_OP_PRESENCE, "presence_penalty"},
                                                   {QED_OP_FREQUENCY, "frequency_penalty"}};

TEST_F(Goldens, SamplersGiveTheirPlans) {
  for (const std::string& name : names("samplers")) {
    for (const Json& row : rows("samplers/" + name, "plans.jsonl")) {
      const Component& component = host_.load("sampler", name);
      const Sampler sampler(component, options_with(component.spec, row["options"]), host_.abi());
      const qed_request request = {sizeof(qed_request),
                                   QED_STAGE_TRAIN,
                                   row["step"],
                                   row["num_steps"],
                                   row["index"],
                                   4,
                                   100};
      const auto ops = sampler.plan(request, 0);
      ASSERT_EQ(ops.size(), row["ops"].size()) << name << row;
      for (std::size_t i = 0; i < ops.size(); ++i) {
        EXPECT_EQ(kOps.at(ops[i].op), row["ops"][i][0]) << name << row;
        EXPECT_NEAR(ops[i].value, row["ops"][i][1].get<double>(), 1e-6) << name << row;
      }
    }
  }
}

}  // namespace
}  // namespace qed
