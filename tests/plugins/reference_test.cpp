// grpo and reinforce_pp against numbers that other frameworks computed from the same input. The
// cases (verl_advantages.jsonl and its like, one JSON object per line) lie outside the tree, in
// <folder>/algorithms; QED_SHARED_DATA names the folder.

#include "core/host/algorithm.h"
#include "tests/host/host_fixture.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <numeric>

namespace qed {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;
using Rows = std::vector<std::vector<double>>;  // [sequence][token]

fs::path cases_folder() {
  if (const char* given = std::getenv("QED_SHARED_DATA")) return fs::path(given) / "algorithms";
  return fs::path(QED_SOURCE_DIR).parent_path() / "shared" / "data" / "algorithms";
}

// One case as a batch, its sequences put in the order of their groups.
struct Case {
  explicit Case(const json& line) : data(line) {
    const json& in = data["input"];
    const auto mask = in.value("mask", Rows(in.value("rewards", json()).size(), {1}));
    const auto groups = in.value("group", std::vector<std::uint64_t>(mask.size(), 0));
    order.resize(mask.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](std::size_t b) { return groups[b]; });
    for (const std::size_t b : order) {
      batch.add(groups[b], static_cast<float>(reward(in, b)), mask[b].size());
      ++group_size[groups[b]];
    }
    put(mask, batch.mask);
    if (in.contains("old_logp") && in["old_logp"].is_array()) put(in["old_logp"], batch.old_logp);
  }

  static double reward(const json& in, std::size_t b) {
    if (in.contains("rewards")) return in["rewards"][b];
    if (!in.contains("token_rewards")) return 0;
    const auto rewards = in["token_rewards"][b].get<std::vector<double>>();
    return std::accumulate(rewards.begin(), rewards.end(), 0.0);
  }

  // Flattens rows of the case into the order of the batch.
  template <class T>
  void put(const Rows& rows, std::vector<T>& out) const {
    out.clear();
    for (const std::size_t b : order) {
      for (const double x : rows[b]) out.push_back(static_cast<T>(x));
    }
  }

  std::vector<double> expected_tokens(const char* name) const {
    std::vector<double> out;
    put(data["expected"][name], out);
    return out;
  }

  const json& data;
  std::vector<std::size_t> order;
  std::map<std::uint64_t, std::size_t> group_size;
  TestBatch batch;
};

class Reference : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(cases_folder())) {
      GTEST_SKIP() << "no reference cases in " << cases_folder()
                   << "; set QED_SHARED_DATA to the folder that holds algorithms/";
    }
  }

  // Runs `body` on every case of a file for a function, and counts those for which it says true.
  template <class Body>
  int for_each(const std::string& file, const std::string& function, Body&& body) {
    std::ifstream in(cases_folder() / file);
    int used = 0;
    for (std::string line; std::getline(in, line);) {
      const json data = json::parse(line);
      if (data["function"] != function) continue;
      SCOPED_TRACE(data["id"].get<std::string>() + " " + data["kind"].get<std::string>());
      if (body(data)) ++used;
    }
    return used;
  }

  std::vector<float> advantage(const std::string& name, const std::string& options,
                               const TestBatch& batch) {
    const Algorithm algorithm(host_.load("algorithm", name), options, host_.abi());
    TestAdvantage out(batch);
    auto abi = out.abi();
    algorithm.advantage(batch.abi(), abi);
    return out.adv;
  }

  std::vector<float> grpo(const TestBatch& batch, double eps) {
    const json options = {{"clip_high", 0.2}, {"clip_low", 0.2}, {"eps", eps}};
    return advantage("grpo", options.dump(), batch);
  }

  // Our inputs and outputs are float32.
  static void expect_close(double got, double expected) {
    EXPECT_LE(std::abs(got - expected), 1e-5 * std::max(1.0, std::abs(expected)))
        << got << " instead of " << expected;
  }

  // A group of one has no common answer among the frameworks; ours is 0.
  static void expect_advantages(const Case& c, const std::vector<float>& got,
                                const std::vector<double>& expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t b = 0; b < c.batch.group.size(); ++b) {
      const bool is_alone = c.group_size.at(c.batch.group[b]) == 1;
      for (auto t = c.batch.offset[b]; t < c.batch.offset[b + 1]; ++t) {
        if (c.batch.mask[t] == 0) continue;
        expect_close(got[t], is_alone ? 0.0 : expected[t]);
      }
    }
  }

  void expect_loss(const Case& c, const std::string& name, double low, double high,
                   const std::vector<float>& weight) {
    json options = {{"clip_high", high}, {"clip_low", low}};
    if (name == "grpo") options["eps"] = 1e-6;
    const Algorithm algorithm(host_.load("algorithm", name), options.dump(), host_.abi());
    TestLoss args(c.batch);
    c.put(c.data["input"]["logp"], args.logp);
    c.put(c.data["input"]["advantages"], args.adv);
    args.weight = weight;
    auto abi = args.abi();
    MetricSums metrics;
    algorithm.loss(abi, metrics);
    expect_close(abi.loss, c.data["expected"]["loss"]);
    const auto expected = c.expected_tokens("grad_logp");
    for (std::size_t t = 0; t < expected.size(); ++t) expect_close(args.grad[t], expected[t]);
  }

  // weight[t] of an aggregation, as the engine makes it for one update.
  static std::vector<float> weights(const TestBatch& batch, bool per_sequence, double denominator) {
    std::vector<double> tokens;  // with mask 1, per sequence
    for (std::size_t b = 0; b < batch.group.size(); ++b) {
      tokens.push_back(std::accumulate(
          batch.mask.begin() + static_cast<std::ptrdiff_t>(batch.offset[b]),
          batch.mask.begin() + static_cast<std::ptrdiff_t>(batch.offset[b + 1]), 0.0));
    }
    const auto used = std::ranges::count_if(tokens, [](double n) { return n > 0; });
    const double all = std::accumulate(tokens.begin(), tokens.end(), 0.0);
    std::vector<float> out(batch.mask.size());
    for (std::size_t b = 0; b < batch.group.size(); ++b) {
      for (auto t = batch.offset[b]; t < batch.offset[b + 1]; ++t) {
        if (batch.mask[t] == 0) continue;
        const double divisor = per_sequence ? tokens[b] * static_cast<double>(used) : all;
        out[t] = static_cast<float>(1 / (denominator > 0 ? denominator : divisor));
      }
    }
    return out;
  }

  static bool is_extreme(const json& data) {
    return data["kind"].get<std::string>().starts_with("extreme");
  }

  PluginHost host_{{product_plugins()}};
};

TEST_F(Reference, GrpoAdvantagesAreVerls) {
  const int used = for_each("verl_advantages.jsonl", "grpo", [&](const json& data) {
    if (!data["params"]["norm_by_std"]) return false;
    const Case c(data);
    expect_advantages(c, grpo(c.batch, data["params"]["epsilon"]), c.expected_tokens("advantages"));
    return true;
  });
  EXPECT_EQ(used, 20);
}

TEST_F(Reference, GrpoAdvantagesAreOpenRlhfs) {
  const int used = for_each("openrlhf.jsonl", "group_norm", [&](const json& data) {
    if (data["params"].value("kl_coef", 0.0) != 0) return false;
    const Case c(data);
    expect_advantages(c, grpo(c.batch, 1e-9), c.expected_tokens("advantages"));
    return true;
  });
  EXPECT_EQ(used, 20);
}

TEST_F(Reference, GrpoAdvantagesAreTrls) {
  const int used = for_each("trl_advantages.jsonl", "grpo_advantages", [&](const json& data) {
    if (data["params"]["scale_rewards"] != "group") return false;
    const Case c(data);
    std::vector<double> expected;
    for (const std::size_t b : c.order) expected.push_back(data["expected"]["seq_advantages"][b]);
    expect_advantages(c, grpo(c.batch, 1e-4), expected);
    return true;
  });
  EXPECT_EQ(used, 17);
}

// With discount 1 and the whole reward on the last token that the model wrote, the return of every
// token is the sequence's reward.
TEST_F(Reference, ReinforcePpAdvantagesAreVerls) {
  const int used = for_each("verl_advantages.jsonl", "reinforce_plus_plus", [&](const json& data) {
    if (data["params"]["gamma"] != 1.0) return false;
    const json& in = data["input"];
    for (std::size_t b = 0; b < in["mask"].size(); ++b) {
      std::size_t last = 0;
      for (std::size_t t = 0; t < in["mask"][b].size(); ++t)
        last = in["mask"][b][t] == 1 ? t : last;
      for (std::size_t t = 0; t < in["mask"][b].size(); ++t) {
        if (t != last && in["token_rewards"][b][t] != 0.0) return false;
      }
    }
    Case c(data);
    for (auto& [group, size] : c.group_size) size = 2;  // groups play no part
    const auto got = advantage("reinforce_pp", R"({"clip_high":0.2,"clip_low":0.2})", c.batch);
    expect_advantages(c, got, c.expected_tokens("advantages"));
    return true;
  });
  EXPECT_GE(used, 10);
}

TEST_F(Reference, LossIsVerlsWhereItsDualClipIsNotActive) {
  const int used = for_each("verl_losses.jsonl", "loss/vanilla", [&](const json& data) {
    const json& p = data["params"];
    const std::string mode = p["loss_agg_mode"];
    const bool per_sequence = mode == "seq-mean-token-mean";
    if (p["use_is_weights"] || p.contains("global_batch_info")) return false;
    if (!per_sequence && mode != "token-mean") return false;
    const Case c(data);
    std::vector<double> logp, adv;
    c.put(data["input"]["logp"], logp);
    c.put(data["input"]["advantages"], adv);
    for (std::size_t t = 0; t < logp.size(); ++t) {
      const double ratio = std::exp(logp[t] - c.batch.old_logp[t]);
      if (c.batch.mask[t] != 0 && adv[t] < 0 && ratio > p["clip_ratio_c"]) return false;
    }
    const auto bound = [&](const char* name) {
      return p.value(name, json()).is_number() ? p[name].get<double>()
                                               : p["clip_ratio"].get<double>();
    };
    expect_loss(c, "grpo", bound("clip_ratio_low"), bound("clip_ratio_high"),
                weights(c.batch, per_sequence, 0));
    return true;
  });
  EXPECT_GE(used, 15);
}

TEST_F(Reference, LossIsOpenRlhfs) {
  const int used = for_each("openrlhf.jsonl", "loss/ppo", [&](const json& data) {
    const json& p = data["params"];
    if (!p["dual_clip"].is_null() || is_extreme(data)) return false;
    if (!p.value("vllm_is_correction_type", json()).is_null()) return false;
    const Case c(data);
    expect_loss(c, "reinforce_pp", p["clip_eps_low"], p["clip_eps_high"],
                weights(c.batch, !p["token_level_loss"].get<bool>(), 0));
    return true;
  });
  EXPECT_GE(used, 15);
}

TEST_F(Reference, LossIsTrlsDapo) {
  const int used = for_each("trl_losses.jsonl", "loss/dapo", [&](const json& data) {
    const json& p = data["params"];
    if (p.value("beta", 0.0) != 0 || !p.value("delta", json()).is_null() || is_extreme(data))
      return false;
    if (p.value("use_is_weights", false) || !data["input"].value("old_logp", json()).is_array())
      return false;
    const Case c(data);
    const double low = p["epsilon"];
    expect_loss(c, "grpo", low, p.value("epsilon_high", low),
                weights(c.batch, false, p.value("num_items_in_batch", 0.0)));
    return true;
  });
  EXPECT_GE(used, 8);
}

}  // namespace
}  // namespace qed
