#include "core/run/context.h"

#include "core/util/error.h"
#include "core/util/parallel.h"

#include <ATen/Parallel.h>

#include <thread>

namespace qed {

namespace {

namespace fs = std::filesystem;

fs::path find_model_config(const ModelTable& model) {
  return model.path.empty() ? fs::path(model.config) : fs::path(model.path) / "config.json";
}

int threads_to_use(std::int64_t asked) {
  return asked > 0 ? static_cast<int>(asked)
                   : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace

RunContext::RunContext(const TrainRequest& request)
    : config(request.config),
      plugins(request.plugins),
      model_config(find_model_config(config.model)),
      folder(request.run_folder, config, request.fresh),
      tokenizer(Tokenizer::open(model_config.parent_path())),
      model(read_model_config(model_config)) {
  set_num_threads(threads_to_use(config.run.threads));
  at::set_num_threads(1);  // what is left to LibTorch is too small for a second pool of threads
  if (tokenizer.vocab_size() > model.config().vocab_size) {
    throw Error(cat("the tokenizer beside ", model_config.string(), " has ", tokenizer.vocab_size(),
                    " tokens, but the model's vocabulary is ", model.config().vocab_size));
  }
  if (folder.resumed_from()) {
    read_weights(*folder.resumed_from(), model);
  } else if (!config.model.path.empty()) {
    model.weights().load(SafetensorsFile(fs::path(config.model.path) / "model.safetensors"));
  } else {
    model.weights().init(static_cast<std::uint64_t>(config.run.seed));
  }
}

KeyHash RunContext::key(std::string_view stream) const {
  KeyHash hash;
  hash.add(static_cast<std::uint64_t>(config.run.seed)).add(stream);
  return hash.add(static_cast<std::uint64_t>(folder.state.stage));
}

MetricsRow RunContext::row() const {
  MetricsRow row;
  row.add("stage", std::string_view(stage().kind));
  row.add("step", folder.state.stage_step);
  row.add("training/global_step", folder.state.global_step);
  return row;
}

GenerateOptions generate_options(const RunContext& run) {
  GenerateOptions options;
  options.stop_ids = run.tokenizer.stop_ids();
  options.schedule.max_batch = run.stage().rollout.max_batch;
  return options;
}

}  // namespace qed
