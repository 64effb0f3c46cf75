#include "core/run/context.h"

#include "core/model/model_folder.h"
#include "core/run/engine_call.h"
#include "core/util/clock.h"
#include "core/util/error.h"

namespace qed {

namespace {

namespace fs = std::filesystem;

fs::path find_model_config(const ModelTable& model) {
  return model.path.empty() ? fs::path(model.config) : fs::path(model.path) / "config.json";
}

std::optional<ChatTemplate> find_chat_template(const ModelTable& model, const fs::path& folder) {
  return model.chat_template.empty() ? ChatTemplate::find(folder)
                                     : ChatTemplate::read(model.chat_template, folder);
}

}  // namespace

RunContext::RunContext(const TrainRequest& request)
    : config(request.config),
      plugins(request.plugins),
      model_config(find_model_config(config.model)),
      folder(request.run_folder, config, request.fresh),
      chat(find_chat_template(config.model, model_config.parent_path())),
      tokenizer(Tokenizer::open(model_config.parent_path())),
      model(read_model_config(model_config), {.dtype = *dtype_of_name(config.model.dtype)}),
      max_time_s(request.max_time_s) {
  use_threads(config.run.threads);
  if (chat) tokenizer.add_end_of_turn(*chat);
  check_vocabulary(model_config.parent_path(), model.config(), tokenizer.vocab_size());
  if (folder.resumed_from()) {
    alarms_.replay(folder.metrics_file());
    try {
      read_weights(*folder.resumed_from(), model);
    } catch (const Error& e) {
      throw damaged_checkpoint(*folder.resumed_from(), e);
    }
  } else if (!config.model.path.empty()) {
    model.weights().load(open_model_folder(config.model.path).tensors);
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

bool RunContext::is_example_due() {
  constexpr double kEveryS = 60;
  const double now_s = seconds_since_start();
  if (now_s - last_example_s_ < kEveryS) return false;
  last_example_s_ = now_s;
  return true;
}

void RunContext::write(const MetricsRow& row) {
  folder.write(row);
  for (const std::string& sentence : alarms_.add(stage().kind, row.numbers())) {
    live.milestone(cat("step ", folder.state.stage_step, ": ", sentence));
  }
}

GenerateOptions generate_options(const RunContext& run) {
  GenerateOptions options;
  options.stop_ids = run.tokenizer.stop_ids();
  options.token_bytes = [&run](std::int32_t id) { return run.tokenizer.bytes(id); };
  options.schedule.max_batch = run.stage().rollout.max_batch;
  return options;
}

}  // namespace qed
