#pragma once

// The door between the program, which is free of LibTorch and starts in milliseconds, and
// libqed_engine.so, which the program opens for train and its like. Both are built together, so
// this boundary is plain C++; it is not part of the plugin ABI.

#include "core/config/run_config.h"
#include "core/cuda/kernel_table.h"
#include "core/host/plugin_host.h"
#include "core/model/dtype.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace qed {

// A GPU to compute on, with the kernels that run there.
struct GpuChoice {
  cuda::KernelTable table;
  std::int32_t number;  // the driver's
  std::string name;
};

struct TrainRequest {
  const RunConfig& config;
  PluginHost& plugins;
  std::filesystem::path run_folder;
  bool fresh = false;    // delete what the run folder holds, and start again
  bool dry_run = false;  // print what it would do, and write nothing into the run folder
  std::optional<double> max_time_s;   // since the command; the step in which it ends is finished
  std::string program;                // how the user calls qed, for commands to be printed
  std::string command;                // the whole command that resumes the run
  std::optional<GpuChoice> gpu = {};  // none: the CPU
};

// Trains, resumes or says that the run is finished. Returns an exit code; throws Error.
using EngineTrain = int (*)(const TrainRequest& request);
inline constexpr char kEngineTrainSymbol[] = "qed_engine_train";  // extern "C", of type EngineTrain

// Log-probs of given completions, a line of output per row of the input.
struct ScoreRequest {
  std::filesystem::path model;  // a Hugging Face folder
  std::string input;            // a data file; see core/data/dataset.h
  Dtype dtype = Dtype::kFloat32;
  std::int64_t threads = 0;        // 0: one per core
  std::int64_t max_tokens = 2048;  // per forward; changes no result
  bool is_json = false;
};

// Writes to stdout. Returns an exit code; throws Error.
using EngineScore = int (*)(const ScoreRequest& request);
inline constexpr char kEngineScoreSymbol[] = "qed_engine_score";  // extern "C", of type EngineScore

// Completions of prompts, printed to stdout. The prompts are one text, the rows of a file, or items
// of a task.
struct GenerateCommand {
  std::filesystem::path model;  // a Hugging Face folder
  PluginHost& plugins;
  std::optional<std::string> prompt;  // or
  std::string input;                  // a data file; see core/data/dataset.h; or
  PluginTable task;
  std::string split = "train";
  std::int64_t num_items = 1;
  std::int64_t num_samples = 1;  // per prompt
  PluginTable sampler;
  std::uint64_t seed = 1;
  std::optional<std::int64_t> max_new_tokens;  // none: the task's, or 256 where the window allows
  std::int64_t min_new_tokens = 0;
  std::vector<std::string> stop;
  bool keeps_stop = false;
  bool is_json = false;
  Dtype dtype = Dtype::kFloat32;
  std::int64_t threads = 0;      // 0: one per core
  std::int64_t max_batch = 256;  // sequences at a time; changes no result
};

// Returns an exit code; throws Error.
using EngineGenerate = int (*)(const GenerateCommand& command);
inline constexpr char kEngineGenerateSymbol[] = "qed_engine_generate";  // extern "C"

// Completions of a task's items, scored: `qed eval` and `qed sample`.
struct TaskCommand {
  std::filesystem::path model;  // a Hugging Face folder
  PluginHost& plugins;
  PluginTable task;
  std::string split;  // empty: the evaluation split; of `qed sample`, the first
  std::int64_t num_items = 256;
  std::int64_t num_samples = 1;  // per item
  PluginTable sampler;
  std::uint64_t seed = 1;
  std::optional<std::int64_t> max_new_tokens;  // none: the task's, or 256 where the window allows
  double max_failure_frac = 0.02;              // of completions that may fail to be scored
  std::filesystem::path output;  // rows; empty: none of `qed eval`, of `qed sample` stdout
  bool is_json = false;          // eval: the result as one object
  bool only_right = false;       // sample: leave the others out
  Dtype dtype = Dtype::kFloat32;
  std::int64_t threads = 0;      // 0: one per core
  std::int64_t max_batch = 256;  // sequences at a time; changes no result
};

// Return an exit code; throw Error.
using EngineTask = int (*)(const TaskCommand& command);
inline constexpr char kEngineEvalSymbol[] = "qed_engine_eval";  // extern "C", of type EngineTask
inline constexpr char kEngineSampleSymbol[] = "qed_engine_sample";  // likewise

// How fast a model generates or scores random tokens.
struct BenchRequest {
  std::string kind;             // "generate" or "score"
  std::filesystem::path model;  // a Hugging Face folder
  Dtype dtype = Dtype::kFloat32;
  std::int64_t threads = 0;  // 0: one per core
  std::int64_t batch = 1, prompt = 64, tokens = 64;
  std::int64_t repeats = 3;  // the fastest counts
  double temperature = 1;    // 0: greedy
  bool is_json = false;
};

// Writes to stdout. Returns an exit code; throws Error.
using EngineBench = int (*)(const BenchRequest& request);
inline constexpr char kEngineBenchSymbol[] = "qed_engine_bench";  // extern "C", of type EngineBench

// How fast steps of reinforcement learning are: real ones, on prompts and rewards of its own.
struct BenchTrainRequest {
  std::filesystem::path model;  // a Hugging Face folder with its tokenizer
  PluginHost& plugins;
  PluginTable algorithm;
  std::int64_t prompts = 8, group = 8;  // completions of each prompt
  std::int64_t tokens = 64;             // of each completion
  std::int64_t steps = 5;               // the first is counted apart
  Dtype dtype = Dtype::kFloat32;
  std::int64_t threads = 0;  // 0: one per core
  TrainTable train;
  bool is_json = false;
};

// Writes to stdout. Returns an exit code; throws Error.
using EngineBenchTrain = int (*)(const BenchTrainRequest& request);
inline constexpr char kEngineBenchTrainSymbol[] = "qed_engine_bench_train";  // extern "C"

// A conversation on the terminal.
struct ChatRequest {
  std::filesystem::path model;          // a Hugging Face folder
  std::filesystem::path chat_template;  // Jinja file; empty: the folder's own
  std::string system;                   // empty: no system message
  double temperature = 1;               // 0: greedy
  std::int64_t max_new_tokens = 1024;   // of an answer
  std::uint64_t seed = 1;
  Dtype dtype = Dtype::kFloat32;
  std::int64_t threads = 0;  // 0: one per core
};

// Reads messages from stdin, a line each, and writes answers to stdout. Returns an exit code;
// throws Error.
using EngineChat = int (*)(const ChatRequest& request);
inline constexpr char kEngineChatSymbol[] = "qed_engine_chat";  // extern "C", of type EngineChat

}  // namespace qed
