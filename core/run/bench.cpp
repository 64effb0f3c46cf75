// `qed bench`: how fast a model generates and scores on this machine.

#include "core/model/model_folder.h"
#include "core/model/transformer.h"
#include "core/ops/cpu_kernels.h"
#include "core/ops/select_rows.h"
#include "core/rollout/generate.h"
#include "core/run/engine.h"
#include "core/run/engine_call.h"
#include "core/train/packing.h"
#include "core/util/clock.h"
#include "core/util/error.h"
#include "core/util/parallel.h"

#include "qed/philox.h"

#include <ATen/core/grad_mode.h>
#include <nlohmann/json.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace qed {

namespace {

using Tokens = std::vector<std::int32_t>;

// What one repetition took.
struct Timing {
  double seconds = 0;
  // Generation: until every sequence has a token, and how many tokens there were then.
  double first_token_s = 0;
  std::int64_t first_tokens = 0;
};

// Sequences of random ids, the same for everyone who asks for as many.
std::vector<Tokens> random_sequences(std::int64_t count, std::int64_t length, std::int64_t vocab) {
  Rng rng(1);
  std::vector<Tokens> out(static_cast<std::size_t>(count));
  for (Tokens& tokens : out) {
    std::generate_n(std::back_inserter(tokens), length, [&] {
      return static_cast<std::int32_t>(rng.real() * static_cast<double>(vocab));
    });
  }
  return out;
}

Timing generate_once(Transformer& model, const BenchRequest& r,
                     const std::vector<Tokens>& prompts) {
  const DrawPlan plan = DrawPlan::at_temperature(r.temperature);
  std::vector<GenerateRequest> requests;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    requests.push_back({.prompt = prompts[i],
                        .samples = {{&plan, KeyHash().add("bench").add(i).value()}},
                        .max_new_tokens = r.tokens});
  }
  const Stopwatch watch;
  Timing out;
  std::size_t started = 0;
  std::int64_t drawn = 0;
  GenerateOptions options{.stop_ids = {}};
  options.schedule.max_batch = r.batch;
  options.names = {.max_new_tokens = "--tokens", .max_batch = "--batch", .dtype = "--dtype"};
  options.on_token = [&](std::size_t, std::size_t, const Completion& c) {
    ++drawn;
    if (c.tokens.size() > 1 || ++started < prompts.size()) return;
    out.first_token_s = watch.seconds();
    out.first_tokens = drawn;
  };
  generate(model, requests, options);
  out.seconds = watch.seconds();
  return out;
}

Timing score_once(Transformer& model, const BenchRequest& r, const std::vector<Tokens>& rows) {
  const at::NoGradGuard no_grad;
  std::vector<Sequence> sequences;
  for (const Tokens& row : rows) {
    const std::span<const std::int32_t> all = row;
    const auto prompt = static_cast<std::size_t>(r.prompt);
    sequences.push_back({.prompt = all.first(prompt), .completion = all.subspan(prompt)});
  }
  const Stopwatch watch;
  const Packed packed = pack(sequences);
  const at::Tensor h = model.forward(packed.id, packed.position, {.offset = packed.offset});
  model.token_logp(ops::select_rows(h, packed.row), packed.target, packed.inv_temperature,
                   packed.support);
  return {.seconds = watch.seconds()};
}

std::int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

void check(const BenchRequest& r, const ModelConfig& config) {
  const std::int64_t length = r.prompt + r.tokens;
  if (length <= config.max_position_embeddings) return;
  throw Error(cat("a prompt of ", r.prompt, " tokens and ", r.tokens,
                  " new ones exceed the model's window of ", config.max_position_embeddings),
              "lower --prompt or --tokens", kExitUsage);
}

// `start_s`: from the command to here, LibTorch loaded; `load_s`: reading the model.
void print(const BenchRequest& r, const Timing& best, double start_s, double load_s) {
  const auto new_tokens = static_cast<double>(r.batch * r.tokens);
  const auto all_tokens = static_cast<double>(r.batch * (r.prompt + r.tokens));
  const double rate = (r.kind == "generate" ? new_tokens : all_tokens) / best.seconds;
  if (r.is_json) {
    nlohmann::ordered_json out = {{"kind", r.kind},
                                  {"model", r.model.string()},
                                  {"dtype", std::string(dtype_name(r.dtype))},
                                  {"isa", ops::cpu_kernels().isa},
                                  {"threads", num_threads()},
                                  {"batch", r.batch},
                                  {"prompt", r.prompt},
                                  {"tokens", r.tokens},
                                  {"s", best.seconds},
                                  {"tokens_per_s", rate},
                                  {"start_s", start_s},
                                  {"load_s", load_s}};
    if (r.kind == "generate") {
      out["first_token_s"] = best.first_token_s;
      if (r.tokens > 1) {
        out["decode_tokens_per_s"] = (new_tokens - static_cast<double>(best.first_tokens)) /
                                     (best.seconds - best.first_token_s);
      }
    }
    out["peak_memory_bytes"] = peak_memory_bytes();
    std::printf("%s\n", out.dump().c_str());
    return;
  }
  std::printf("%.1f %s tokens/s   %lld sequences, prompt %lld, %lld tokens: %.3f s", rate,
              r.kind == "generate" ? "new" : "scored", static_cast<long long>(r.batch),
              static_cast<long long>(r.prompt), static_cast<long long>(r.tokens), best.seconds);
  if (r.kind == "generate") std::printf(", first tokens after %.3f s", best.first_token_s);
  std::printf("   (%s, %s, %d threads)\n", std::string(dtype_name(r.dtype)).c_str(),
              ops::cpu_kernels().isa, num_threads());
}

int run(const BenchRequest& r) {
  const double start_s = seconds_since_start();
  const Stopwatch loading;
  const ModelFolder folder = open_model_folder(r.model);
  check(r, folder.config);
  Transformer model(folder.config, {.dtype = r.dtype, .is_trainable = false});
  model.weights().load(folder.tensors);
  const double load_s = loading.seconds();

  const bool is_generate = r.kind == "generate";
  const auto rows = random_sequences(r.batch, is_generate ? r.prompt : r.prompt + r.tokens,
                                     folder.config.vocab_size);
  const auto once = [&] {
    return is_generate ? generate_once(model, r, rows) : score_once(model, r, rows);
  };
  Timing best = once();  // with one repetition, that is the one
  for (std::int64_t i = 1; i < r.repeats; ++i) {
    const Timing timing = once();
    if (timing.seconds < best.seconds) best = timing;
  }
  print(r, best, start_s, load_s);
  return kExitOk;
}

}  // namespace

}  // namespace qed

extern "C" __attribute__((visibility("default"))) int qed_engine_bench(
    const qed::BenchRequest& request) {
  return qed::engine_call([&] {
    qed::use_threads(request.threads);
    return qed::run(request);
  });
}
