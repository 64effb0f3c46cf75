#pragma once

// What every part of a run works with: the pieces that live as long as the run.

#include "core/config/run_config.h"
#include "core/model/transformer.h"
#include "core/report/alarms.h"
#include "core/report/live_line.h"
#include "core/report/metrics.h"
#include "core/rollout/generate.h"
#include "core/run/engine.h"
#include "core/run/run_folder.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

#include "qed/philox.h"

#include <filesystem>
#include <optional>
#include <string>

namespace qed {

// [main] only.
class RunContext {
 public:
  // Opens the run folder, the tokenizer and the model (new, from a folder, or from the newest
  // checkpoint). Throws Error.
  explicit RunContext(const TrainRequest& request);

  const RunConfig& config;
  PluginHost& plugins;
  std::filesystem::path model_config;  // config.json of the model, its tokenizer beside it
  RunFolder folder;
  std::optional<ChatTemplate> chat;  // the run file's, else the model folder's
  Tokenizer tokenizer;               // knows the end of a turn of `chat`
  Transformer model;
  LiveLine live;
  const std::optional<double> max_time_s;
  bool is_out_of_time = false;  // max_time_s was over at the end of a step

  // Null where there is none.
  const ChatTemplate* chat_template() const { return chat ? &*chat : nullptr; }
  TrainerState& state() { return folder.state; }
  const Stage& stage() const { return config.stages[static_cast<std::size_t>(folder.state.stage)]; }
  const Component& component(const std::string& kind, const std::string& name) {
    return plugins.load(kind, name);
  }

  // The start of every random key: run seed, stream, stage.
  KeyHash key(std::string_view stream) const;

  // A metrics row that says where the run stands.
  MetricsRow row() const;
  // Adds a row to the logs, and says what is alarming about it.
  void write(const MetricsRow& row);

  // True when a minute has passed since it was, or since the start: time to show a completion.
  bool is_example_due();

  // Says, once, how long after the command the first update was done.
  void report_first_update();

 private:
  bool has_updated_ = false;
  double last_example_s_ = 0;
  Alarms alarms_;
};

// How the current stage generates. The run must outlive it.
GenerateOptions generate_options(const RunContext& run);

}  // namespace qed
