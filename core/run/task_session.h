#pragma once

// What `qed eval` and `qed sample` have in common, a model, its text, a task and how to draw; two
// parts of it serve `qed generate` too.

#include "core/data/items.h"
#include "core/host/sampler.h"
#include "core/host/task.h"
#include "core/model/model_folder.h"
#include "core/report/live_line.h"
#include "core/run/engine.h"
#include "core/run/scored_groups.h"
#include "core/util/clock.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace qed {

// A plan per sample of a group, outside of training.
std::vector<DrawPlan> make_plans(const Sampler& sampler, std::int64_t num_samples,
                                 std::int64_t vocab_size, std::uint64_t seed);

// The tokenizer of a model folder. Throws Error when it does not fit the model.
Tokenizer open_tokenizer(const std::filesystem::path& model, const ModelConfig& config);

// [main] only. The command must outlive it.
class TaskSession {
 public:
  // Opens everything but the weights. Throws Error.
  explicit TaskSession(const TaskCommand& command);

  const Task& task() const { return task_; }
  const Tokenizer& tokenizer() const { return tokenizer_; }
  const std::vector<DrawPlan>& plans() const { return plans_; }  // [num_samples]

  // The items as prompts that fit into the model's window. Throws Error with the item of one that
  // does not.
  std::vector<RenderedPrompt> prompts(const std::vector<Item>& items) const;

  // Plans the memory for these prompts, says it, and reads the weights.
  Transformer load_model(const std::vector<RenderedPrompt>& prompts) const;

  // How to generate; shows progress in a live line, out of `num_completions`.
  GenerateOptions generate_options(std::size_t num_completions);
  // Ends the live line.
  void clear() { live_.clear(); }
  bool is_cancelled() const { return *cancel_; }

 private:
  void show_progress(std::size_t num_completions);

  const TaskCommand& command_;
  ModelFolder folder_;
  Tokenizer tokenizer_;
  std::optional<ChatTemplate> chat_;
  Task task_;
  Sampler sampler_;
  std::vector<DrawPlan> plans_;
  const std::atomic<bool>* cancel_;
  LiveLine live_;
  Stopwatch watch_;
  double next_update_s_ = 0;
  std::size_t num_done_ = 0, num_tokens_ = 0;
};

}  // namespace qed
