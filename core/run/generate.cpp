// `qed generate`: completions of prompts, with exact log-probs.

#include "core/rollout/generate.h"

#include "core/model/model_facts.h"
#include "core/model/model_folder.h"
#include "core/run/engine.h"
#include "core/run/engine_call.h"
#include "core/run/generate_output.h"
#include "core/run/generate_prompts.h"
#include "core/run/interrupt.h"
#include "core/run/task_session.h"
#include "core/util/error.h"
#include "core/util/numbers.h"
#include "core/util/terminal.h"

#include "qed/philox.h"

#include <unistd.h>

#include <cstdio>
#include <map>

namespace qed {

namespace {

namespace fs = std::filesystem;

// A random key belongs to what is completed, not to where it stands: the seed, the prompt's tokens,
// how often the same prompt came before, and the sample's index.
std::vector<GenerateRequest> make_requests(const GenerateCommand& command,
                                           std::span<const PromptToComplete> prompts,
                                           std::span<const DrawPlan> plans) {
  std::map<std::vector<std::int32_t>, std::uint64_t> occurrences;
  std::vector<GenerateRequest> requests;
  for (const PromptToComplete& p : prompts) {
    KeyHash key = KeyHash().add(command.seed).add("generate").add(p.tokens.size());
    for (const std::int32_t id : p.tokens) key.add(static_cast<std::uint64_t>(id));
    key.add(occurrences[p.tokens]++);
    GenerateRequest& r = requests.emplace_back();
    r.prompt = p.tokens;
    r.max_new_tokens = p.max_new_tokens;
    r.min_new_tokens = command.min_new_tokens;
    r.stop = p.stop;
    r.stop.insert(r.stop.end(), command.stop.begin(), command.stop.end());
    r.text = p.text;
    for (std::size_t s = 0; s < plans.size(); ++s) {
      r.samples.push_back({&plans[s], KeyHash(key).add(s).value()});
    }
  }
  return requests;
}

int run_generate(const GenerateCommand& command) {
  const ModelFolder folder = open_model_folder(command.model);
  std::optional<Tokenizer> tokenizer;
  if (fs::exists(command.model / "tokenizer.json")) {
    tokenizer = open_tokenizer(command.model, folder.config);
  }
  const Tokenizer* text = tokenizer ? &*tokenizer : nullptr;
  if (text == nullptr && !command.stop.empty()) {
    throw Error(cat(command.model.string(), " has no tokenizer.json, which stop strings need"),
                "put one there, or leave --stop out", kExitUsage);
  }
  const auto prompts = read_prompts(command, folder.config, text);
  const Sampler sampler(command.plugins.load("sampler", command.sampler.name),
                        command.sampler.options.dump(), command.plugins.abi());
  const auto plans =
      make_plans(sampler, command.num_samples, folder.config.vocab_size, command.seed);
  const auto requests = make_requests(command, prompts, plans);

  GenerateOptions options;
  if (tokenizer) options.stop_ids = tokenizer->stop_ids();
  options.schedule.max_batch = command.max_batch;
  options.names = {"--max-new-tokens", "--max-batch", "--dtype"};
  options.keep_support = false;
  options.token_bytes = [&](std::int32_t id) { return tokenizer->bytes(id); };
  if (sampler.has_mask()) options.mask = &sampler;
  options.mask_seed = command.seed;
  const std::int64_t available = ops::available_bytes();
  const MemoryPlan plan =
      plan_memory(folder.config, weights_bytes(folder.config, command.dtype),
                  sample_groups(requests), options.schedule, available, options.names);
  std::fprintf(stderr, "memory    %s; %s free\n", plan.text(options.schedule.block_size).c_str(),
               bytes_text(available).c_str());
  options.schedule.num_blocks = plan.num_blocks;

  Transformer model(folder.config, {.dtype = command.dtype, .is_trainable = false});
  model.weights().load(folder.tensors);
  const bool is_single = requests.size() == 1 && command.num_samples == 1;
  GenerateOutput output(
      prompts, requests, text,
      {.is_json = command.is_json,
       .keeps_stop = command.keeps_stop,
       .is_streaming = is_single && !command.is_json && tokenizer && is_terminal(STDOUT_FILENO)});
  options.on_token = [&](std::size_t request, std::size_t sample, const Completion& c) {
    output.on_token(request, sample, c);
  };
  options.cancel = &catch_interrupts();
  generate(model, requests, options);
  return output.finish() ? kExitOk : kExitInterrupted;
}

}  // namespace

}  // namespace qed

extern "C" __attribute__((visibility("default"))) int qed_engine_generate(
    const qed::GenerateCommand& command) {
  return qed::engine_call([&] {
    qed::use_threads(command.threads);
    return qed::run_generate(command);
  });
}
