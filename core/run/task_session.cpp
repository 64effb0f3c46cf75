#include "core/run/task_session.h"

#include "core/model/model_facts.h"
#include "core/run/interrupt.h"
#include "core/util/error.h"
#include "core/util/numbers.h"
#include "core/util/words.h"

#include <algorithm>
#include <cstdio>
#include <limits>

namespace qed {

namespace {

constexpr std::int64_t kDefaultNewTokens = 256;

const PluginHost& with_threads(PluginHost& plugins) {
  plugins.add_service(kThreadsService, threads_service());  // one pool for all
  return plugins;
}

}  // namespace

std::vector<DrawPlan> make_plans(const Sampler& sampler, std::int64_t num_samples,
                                 std::int64_t vocab_size, std::uint64_t seed) {
  qed_request request{};
  request.stage = QED_STAGE_EVAL;
  request.group_size = static_cast<std::uint64_t>(num_samples);
  request.vocab_size = static_cast<std::uint64_t>(vocab_size);
  return plan_group(sampler, request, KeyHash().add(seed).add("sampler"),
                    std::numeric_limits<std::int64_t>::max());
}

Tokenizer open_tokenizer(const std::filesystem::path& model, const ModelConfig& config) {
  Tokenizer tokenizer = Tokenizer::open(model);
  check_vocabulary(model, config, tokenizer.vocab_size());
  return tokenizer;
}

TaskSession::TaskSession(const TaskCommand& command)
    : command_(command),
      folder_(open_model_folder(command.model)),
      tokenizer_(open_tokenizer(command.model, folder_.config)),
      chat_(ChatTemplate::find(command.model)),
      task_(command.plugins.load("task", command.task.name), command.task.options.dump(),
            with_threads(command.plugins).abi()),
      sampler_(command.plugins.load("sampler", command.sampler.name),
               command.sampler.options.dump(), command.plugins.abi()),
      plans_(make_plans(sampler_, command.num_samples, folder_.config.vocab_size, command.seed)),
      cancel_(&catch_interrupts()) {
  if (plans_.size() > 1 && std::ranges::all_of(plans_, &DrawPlan::is_greedy)) {
    throw Error(cat("all ", plans_.size(), " completions of an item would be alike: the sampler `",
                    sampler_.name(), "` is greedy"),
                "give --temperature, or leave -n at 1", kExitUsage);
  }
}

std::vector<RenderedPrompt> TaskSession::prompts(const std::vector<Item>& items) const {
  std::vector<RenderedPrompt> out;
  const std::int64_t window = folder_.config.max_position_embeddings;
  for (const Item& item : items) {
    RenderedPrompt& p =
        out.emplace_back(render(task_, tokenizer_, chat_ ? &*chat_ : nullptr, item, 0));
    const auto length = static_cast<std::int64_t>(p.tokens.size());
    if (command_.max_new_tokens) p.max_new_tokens = *command_.max_new_tokens;
    if (p.max_new_tokens == 0) {
      p.max_new_tokens = std::clamp<std::int64_t>(window - length, 1, kDefaultNewTokens);
    }
    if (length + p.max_new_tokens <= window) continue;
    throw Error(cat("the prompt of item ", item.key, " has ", counted(p.tokens.size(), "token"),
                    ", and ", p.max_new_tokens, " new ones exceed the model's window of ", window),
                length < window
                    ? cat("lower --max-new-tokens to ", window - length)
                    : std::string("choose shorter items, or a model with more positions"),
                kExitUsage);
  }
  return out;
}

Transformer TaskSession::load_model(const std::vector<RenderedPrompt>& prompts) const {
  std::vector<SampleGroup> groups;
  for (const RenderedPrompt& p : prompts) {
    groups.push_back(
        {static_cast<std::int64_t>(p.tokens.size()), command_.num_samples, p.max_new_tokens});
  }
  ScheduleOptions schedule;
  schedule.max_batch = command_.max_batch;
  const std::int64_t available = ops::available_bytes();
  const MemoryPlan plan =
      plan_memory(folder_.config, weights_bytes(folder_.config, command_.dtype), groups, schedule,
                  available, {"--max-new-tokens", "--max-batch", "--dtype"});
  std::fprintf(stderr, "memory    %s; %s free\n", plan.text(schedule.block_size).c_str(),
               bytes_text(available).c_str());
  Transformer model(folder_.config, {.dtype = command_.dtype, .is_trainable = false});
  model.weights().load(folder_.tensors);
  return model;
}

GenerateOptions TaskSession::generate_options(std::size_t num_completions) {
  GenerateOptions options;
  options.stop_ids = tokenizer_.stop_ids();
  options.schedule.max_batch = command_.max_batch;
  options.names = {"--max-new-tokens", "--max-batch", "--dtype"};
  options.keep_support = false;
  options.token_bytes = [this](std::int32_t id) { return tokenizer_.bytes(id); };
  if (sampler_.has_mask()) options.mask = &sampler_;
  options.mask_seed = command_.seed;
  options.on_token = [this, num_completions](std::size_t, std::size_t, const Completion& c) {
    ++num_tokens_;
    num_done_ += c.finish != 0 ? 1 : 0;
    show_progress(num_completions);
  };
  options.cancel = cancel_;
  return options;
}

// The text takes longer than a token of a small model.
void TaskSession::show_progress(std::size_t num_completions) {
  if (watch_.seconds() < next_update_s_) return;
  next_update_s_ = watch_.seconds() + 0.1;
  char text[96];
  std::snprintf(text, sizeof text, "%zu/%zu completions  %.0f tokens/s", num_done_, num_completions,
                static_cast<double>(num_tokens_) / watch_.seconds());
  live_.update(text);
}

}  // namespace qed
