// `qed bench train`: how long a step of reinforcement learning takes on this machine. The steps are
// those of a run, without its folder: prompts of a number game, completions of a fixed length, and
// a reward that costs nothing.

#include "core/model/model_folder.h"
#include "core/model/transformer.h"
#include "core/ops/cpu_kernels.h"
#include "core/rollout/generate.h"
#include "core/run/engine.h"
#include "core/run/engine_call.h"
#include "core/text/tokenizer.h"
#include "core/train/advantages.h"
#include "core/train/critic.h"
#include "core/train/experience.h"
#include "core/train/optimizer.h"
#include "core/train/policy_gradient.h"
#include "core/train/reference.h"
#include "core/util/clock.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include "qed/philox.h"

#include <nlohmann/json.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <set>

namespace qed {

namespace {

// What the parts of one step took, in seconds.
struct Phases {
  double gen = 0, reward = 0, ref = 0, values = 0, adv = 0, update_actor = 0, step = 0;
};

// Everything that lives between steps.
struct TrainBench {
  const BenchTrainRequest& request;
  ModelFolder folder;
  Tokenizer tokenizer;
  Transformer model;
  Algorithm algorithm;
  AdamW optimizer;
  std::unique_ptr<Reference> reference;  // null where the algorithm does not ask for one
  std::unique_ptr<Critic> critic;        // likewise
  std::int64_t num_prompt_tokens = 0;    // of the last step

  explicit TrainBench(const BenchTrainRequest& r)
      : request(r),
        folder(open_model_folder(r.model)),
        tokenizer(Tokenizer::open(r.model)),
        model(folder.config, {.dtype = r.dtype}),
        algorithm(r.plugins.load("algorithm", r.algorithm.name), r.algorithm.options.dump(),
                  r.plugins.abi()),
        optimizer(model.weights()) {
    algorithm.check_needs(QED_NEEDS_REF | QED_NEEDS_VALUE | QED_NEEDS_ENTROPY |
                          QED_NEEDS_UPDATE_LOGP);
    model.weights().load(folder.tensors);
    const std::uint64_t needs = algorithm.needs();
    if ((needs & QED_NEEDS_REF) != 0) reference = std::make_unique<Reference>(model);
    if ((needs & QED_NEEDS_VALUE) != 0) critic = std::make_unique<Critic>(model);
  }
};

std::vector<GenerateRequest> make_requests(TrainBench& bench, std::int64_t step,
                                           const DrawPlan& plan) {
  const BenchTrainRequest& r = bench.request;
  Rng rng(KeyHash().add("bench").add(static_cast<std::uint64_t>(step)).value());
  std::vector<GenerateRequest> out;
  bench.num_prompt_tokens = 0;
  for (std::int64_t i = 0; i < r.prompts; ++i) {
    const std::int64_t a = rng.integer(1, 99), b = rng.integer(1, 99), c = rng.integer(1, 99);
    GenerateRequest request{.prompt = bench.tokenizer.encode(
                                cat("Using the numbers [", a, ", ", b, ", ", c,
                                    "], create an equation that equals ", a + b * c, ". <think>")),
                            .samples = {},
                            .max_new_tokens = r.tokens};
    for (std::int64_t s = 0; s < r.group; ++s) request.samples.push_back({&plan, rng.next()});
    bench.num_prompt_tokens += static_cast<std::int64_t>(request.prompt.size());
    out.push_back(std::move(request));
  }
  const auto length = static_cast<std::int64_t>(out.front().prompt.size()) + r.tokens;
  if (length > bench.folder.config.max_position_embeddings) {
    throw Error(cat("a prompt and ", r.tokens, " new tokens exceed the model's window of ",
                    bench.folder.config.max_position_embeddings),
                "lower --tokens", kExitUsage);
  }
  return out;
}

// How many different characters a completion has, modulo 7: costs nothing and varies in a group.
std::vector<double> rewards(const TrainBench& bench,
                            const std::vector<std::vector<Completion>>& completions) {
  std::vector<double> out;
  for (const auto& group : completions) {
    for (const Completion& c : group) {
      const std::string text = bench.tokenizer.decode(c.tokens, DecodeMode::kKeepSpecial);
      out.push_back(static_cast<double>(std::set<char>(text.begin(), text.end()).size() % 7));
    }
  }
  return out;
}

Phases run_step(TrainBench& bench, std::int64_t step) {
  const BenchTrainRequest& r = bench.request;
  const auto number = static_cast<std::uint64_t>(step);
  Phases out;
  const Stopwatch whole;
  Stopwatch watch;
  const DrawPlan plan = DrawPlan::at_temperature(1);
  const std::vector<GenerateRequest> requests = make_requests(bench, step, plan);
  GenerateOptions options{.stop_ids = {}};
  options.schedule.max_batch = r.prompts * r.group;
  options.names = {.max_new_tokens = "--tokens", .max_batch = "--group", .dtype = "--model"};
  const auto completions = generate(bench.model, requests, options);
  out.gen = watch.lap();
  const std::vector<double> reward = rewards(bench, completions);
  out.reward = watch.lap();
  Experience e = make_experience(requests, completions, reward);
  if (bench.reference != nullptr) e.ref_logp = bench.reference->logp(e, r.train.micro_tokens);
  out.ref = watch.lap();
  if (bench.critic != nullptr) {
    e.value = bench.critic->values(e, r.train.micro_tokens);
    e.ret.assign(e.num_tokens(), 0);
  }
  out.values = watch.lap();
  MetricSums metrics;
  compute_advantages(bench.algorithm, e, number, number, metrics);
  out.adv = watch.lap();
  std::vector<std::size_t> rows(e.num_seqs());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  policy_gradient(bench.model, bench.algorithm, e, rows,
                  {.micro_tokens = r.train.micro_tokens,
                   .recompute = r.train.checkpointing,
                   .critic = bench.critic.get(),
                   .policy_is_old = true,
                   .step = number,
                   .seed = number},
                  metrics);
  bench.optimizer.step(r.train, r.train.lr);
  if (bench.critic != nullptr) bench.critic->optimizer().step(r.train, r.train.lr);
  out.update_actor = watch.lap();
  out.step = whole.seconds();
  return out;
}

// Floating-point operations of an update, prompts computed once: 2 per weight and row forward, 4
// backward, and the products of attention with the keys that a row sees. Embeddings are looked up,
// not multiplied; what is computed twice counts once.
double update_flops(const TrainBench& bench) {
  const BenchTrainRequest& r = bench.request;
  const ModelConfig& c = bench.folder.config;
  const auto q = static_cast<double>(c.num_attention_heads * c.head_dim);
  const auto kv = static_cast<double>(c.num_key_value_heads * c.head_dim);
  const auto d = static_cast<double>(c.hidden_size), ff = static_cast<double>(c.intermediate_size);
  const auto groups = static_cast<double>(r.prompts), size = static_cast<double>(r.group);
  const auto tokens = static_cast<double>(r.tokens);
  const double prompt = static_cast<double>(bench.num_prompt_tokens) / groups;
  const double rows = prompt + size * (tokens - 1);
  const double keys = prompt * prompt / 2 + size * (tokens - 1) * (prompt + tokens / 2);
  const double layer = rows * (d * (2 * q + 2 * kv) + 3 * d * ff) + 2 * keys * q;
  const double models = bench.critic != nullptr ? 2 : 1;  // a critic has no logits
  return 6 * groups *
         (models * static_cast<double>(c.num_hidden_layers) * layer +
          size * tokens * d * static_cast<double>(c.vocab_size));
}

double median(const std::vector<Phases>& all, double Phases::*member) {
  std::vector<double> values;
  for (const Phases& p : all) values.push_back(p.*member);
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

constexpr std::pair<const char*, double Phases::*> kPhases[] = {
    {"gen", &Phases::gen}, {"reward", &Phases::reward},
    {"ref", &Phases::ref}, {"values", &Phases::values},
    {"adv", &Phases::adv}, {"update_actor", &Phases::update_actor},
};

void print(const TrainBench& bench, const std::vector<Phases>& steps, double first_step_s) {
  const BenchTrainRequest& r = bench.request;
  const double step_s = median(steps, &Phases::step);
  const double flops = update_flops(bench);
  const double gflops = flops / median(steps, &Phases::update_actor) * 1e-9;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const std::int64_t memory = std::int64_t{usage.ru_maxrss} * 1024;
  if (r.is_json) {
    nlohmann::ordered_json timing, all = nlohmann::ordered_json::array();
    for (const auto& [name, member] : kPhases) timing[name] = median(steps, member);
    for (const Phases& p : steps) all.push_back(p.step);
    const nlohmann::ordered_json out = {{"kind", "train"},
                                        {"model", r.model.string()},
                                        {"dtype", std::string(dtype_name(r.dtype))},
                                        {"algorithm", r.algorithm.name},
                                        {"isa", ops::cpu_kernels().isa},
                                        {"threads", num_threads()},
                                        {"prompts", r.prompts},
                                        {"group", r.group},
                                        {"tokens", r.tokens},
                                        {"prompt_tokens", bench.num_prompt_tokens},
                                        {"step_s_median", step_s},
                                        {"step_s", all},
                                        {"timing_s", timing},
                                        {"first_step_s", first_step_s},
                                        {"update_flops", flops},
                                        {"update_gflops_per_s", gflops},
                                        {"peak_memory_bytes", memory}};
    std::printf("%s\n", out.dump().c_str());
    return;
  }
  std::printf("%.3f s a step   %lld prompts, %lld completions each, %lld tokens\n", step_s,
              static_cast<long long>(r.prompts), static_cast<long long>(r.group),
              static_cast<long long>(r.tokens));
  for (const auto& [name, member] : kPhases) {
    const double s = median(steps, member);
    std::printf("  %-14s %8.3f s  %4.1f %%\n", name, s, 100 * s / step_s);
  }
  std::printf(
      "first step after %.1f s; updates at %.0f GFLOP/s; %lld MB at most (%s, %s, %d threads)\n",
      first_step_s, gflops, static_cast<long long>(memory / 1000000),
      std::string(dtype_name(r.dtype)).c_str(), ops::cpu_kernels().isa, num_threads());
}

int run(const BenchTrainRequest& r) {
  TrainBench bench(r);
  std::vector<Phases> steps = {run_step(bench, 1)};
  const double first_step_s = seconds_since_start();
  if (r.steps > 1) steps.clear();  // the first one makes buffers
  for (std::int64_t step = 2; step <= r.steps; ++step) steps.push_back(run_step(bench, step));
  print(bench, steps, first_step_s);
  return kExitOk;
}

}  // namespace

}  // namespace qed

extern "C" __attribute__((visibility("default"))) int qed_engine_bench_train(
    const qed::BenchTrainRequest& request) {
  return qed::engine_call([&] {
    qed::use_threads(request.threads);
    return qed::run(request);
  });
}
