// Makes one update of a model from given completions, for comparison with a peer:
//   update_peer REQUEST.json
//
// REQUEST has model, reference and plugins (folders), algorithm and options, groups of
// {prompt, completions: [{tokens, old_logp, reward}]}, temperature, aggregation,
// aggregation_length, kl {coef, estimator, place}, entropy_coef, nll_coef, micro_tokens, lr, and
// out: a folder, which gets gradient.safetensors, and in updated/ the model after one step of
// AdamW. With critic, a folder, completions have old_value too, and out/critic gets the same.

#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "core/host/plugin_host.h"
#include "core/model/model_folder.h"
#include "core/train/advantages.h"
#include "core/train/critic.h"
#include "core/train/optimizer.h"
#include "core/train/policy_gradient.h"
#include "core/train/reference.h"
#include "core/util/files.h"
#include "tests/host/options.h"

namespace qed {
namespace {

using nlohmann::json;

// A model of a folder.
struct Loaded {
  explicit Loaded(const std::filesystem::path& folder) : Loaded(open_model_folder(folder)) {}
  explicit Loaded(const ModelFolder& files) : model(files.config) {
    model.weights().load(files.tensors);
  }
  Transformer model;
};

// What the experience borrows from.
struct Rollouts {
  std::vector<GenerateRequest> requests;
  std::vector<std::vector<Completion>> completions;
  std::vector<double> reward;

  explicit Rollouts(const json& request) {
    for (const json& group : request.at("groups")) {
      requests.push_back({.prompt = group.at("prompt"), .samples = {}, .max_new_tokens = 1});
      std::vector<Completion>& all = completions.emplace_back();
      for (const json& c : group.at("completions")) {
        Completion& out = all.emplace_back();
        out.tokens = c.at("tokens").get<std::vector<std::int32_t>>();
        out.behavior_logp = c.at("old_logp").get<std::vector<float>>();
        out.inv_temperature = static_cast<float>(1 / request.at("temperature").get<double>());
        reward.push_back(c.at("reward"));
      }
    }
  }
};

// The critic, where there is one; the experience gets its old values.
std::unique_ptr<Critic> open_critic(const json& request, Experience& e) {
  if (!request.contains("critic")) return nullptr;
  for (const json& group : request.at("groups")) {
    for (const json& c : group.at("completions")) {
      const auto values = c.at("old_value").get<std::vector<float>>();
      e.value.insert(e.value.end(), values.begin(), values.end());
    }
  }
  e.ret.assign(e.num_tokens(), 0);
  return std::make_unique<Critic>(std::filesystem::path(request.at("critic").get<std::string>()));
}

// Writes the gradient, makes one step of AdamW, and writes the model.
void step(Weights& weights, AdamW& optimizer, const json& request,
          const std::filesystem::path& config, const std::filesystem::path& out) {
  std::filesystem::create_directories(out / "updated");
  write_safetensors(out / "gradient.safetensors", weights.tensors(), Dtype::kFloat32,
                    weights.rows(weights.grad()));
  TrainTable train;
  train.clip_norm = 0;
  optimizer.step(train, request.at("lr"));
  write_model_folder(out / "updated", config, weights.tensors(), Dtype::kFloat32,
                     weights.rows(weights.flat()));
}

void update(const json& request) {
  const std::filesystem::path folder = request.at("model").get<std::string>();
  Loaded loaded(folder);
  Transformer& model = loaded.model;
  const Rollouts rollouts(request);
  Experience e = make_experience(rollouts.requests, rollouts.completions, rollouts.reward);
  const std::vector<std::filesystem::path> plugins = {request.at("plugins").get<std::string>()};
  PluginHost host(plugins);
  const Component& component = host.load("algorithm", request.at("algorithm"));
  const Algorithm algorithm(component, options_with(component.spec, request.at("options")),
                            host.abi());

  const json& kl = request.at("kl");
  UpdateOptions options{.micro_tokens = request.at("micro_tokens"),
                        .aggregation = request.at("aggregation"),
                        .aggregation_length = request.at("aggregation_length"),
                        .kl_estimator = kl_estimator(kl.at("estimator")),
                        .entropy_coef = request.at("entropy_coef"),
                        .nll_coef = request.at("nll_coef")};
  const double kl_coef = kl.at("coef");
  if (kl_coef != 0) {
    Loaded frozen(std::filesystem::path(request.at("reference").get<std::string>()));
    e.ref_logp = Reference(frozen.model).logp(e, options.micro_tokens);
    if (kl.at("place") == "loss") {
      options.kl_coef = kl_coef;
    } else {
      e.streams.push_back(
          {"kl", std::nullopt, kl_penalty(options.kl_estimator, kl_coef, e).reward});
    }
  }
  const std::unique_ptr<Critic> critic = open_critic(request, e);
  options.critic = critic.get();
  MetricSums metrics;
  compute_advantages(algorithm, e, 1, 0, metrics);

  std::vector<std::size_t> all(e.num_seqs());
  std::iota(all.begin(), all.end(), std::size_t{0});
  policy_gradient(model, algorithm, e, all, options, metrics);
  const std::filesystem::path out = request.at("out").get<std::string>();
  AdamW optimizer(model.weights());
  step(model.weights(), optimizer, request, folder / "config.json", out);
  if (critic != nullptr) {
    const std::filesystem::path from = request.at("critic").get<std::string>();
    step(critic->model().weights(), critic->optimizer(), request, from / "config.json",
         out / "critic");
  }
}

}  // namespace
}  // namespace qed

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: update_peer REQUEST.json\n");
    return 2;
  }
  try {
    qed::update(nlohmann::json::parse(qed::read_file(argv[1])));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "update_peer: %s\n", e.what());
    return 1;
  }
}
