#pragma once

// A run file, resolved: every table typed, every default filled in, every plugin option checked.
// Each stage holds its own full copy of the tables that a stage may override. Defaults stand here,
// once; ranges and help stand in run_config.cpp.

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/config/option.h"

namespace qed {

struct RunTable {
  std::string name;  // default: the run file's stem
  std::int64_t seed = 1;
  std::string device = "auto";    // "auto", "cpu" or "cuda"
  std::string numerics = "fast";  // of a GPU: "exact" makes log-probs of rollout and training equal
  std::int64_t threads = 0;       // 0: one per core
  bool log_tokens = false;        // token ids and log-probs in samples.jsonl
};

struct ModelTable {
  std::string path;    // Hugging Face folder; or
  std::string config;  // config.json of a model to be made from nothing, its tokenizer beside it
  std::string chat_template;      // Jinja file; empty: the folder's own
  std::string dtype = "float32";  // of the weights
};

// A plugin chosen by name, with its checked options as canonical JSON (sorted keys, all of them).
struct PluginTable {
  std::string name;
  nlohmann::json options = nlohmann::json::object();
};

// A task of a stage, and its part in the mixture where there are several.
struct TaskTable : PluginTable {
  std::string label;                      // names it in metrics; by default the plugin's name
  double weight = 1.0;                    // share of the prompts, relative to the other tasks'
  std::array<double, 2> window = {0, 1};  // rl: items with another pass rate are left out
};

// An extra term of the reward, from a plugin of kind "reward": a key of [reward].
struct RewardTerm {
  std::string label;            // names the term in metrics
  std::string name;             // of the plugin; by default the label
  double weight = 1.0;          // of the term in the sum; never 0: such a term is left out
  std::optional<double> gamma;  // discount of the term's rewards per token; none: the algorithm's
  nlohmann::json options = nlohmann::json::object();
};

struct RolloutTable {
  std::int64_t prompts = 16;    // per step
  std::int64_t group_size = 8;  // completions per prompt
  std::int64_t max_new_tokens = 256;
  std::int64_t max_batch = 512;    // sequences generated at a time; changes no result
  std::int64_t max_support = 64;   // ids of a truncated distribution kept per token
  double max_failure_frac = 0.02;  // of a step's completions that may fail to be scored
  double verify_timeout_s = 600;   // of a call that scores completions
  std::int64_t refill = 0;         // > 0: groups of equal rewards are replaced, in so many rounds
  std::int64_t keep_groups = 0;  // > 0: only so many, those whose rewards vary most, are trained on
  std::string truncated = "keep";  // completions that max_new_tokens cut: "keep", "mask" or "zero"
};

struct TrainTable {
  std::int64_t batch_size = 32;      // sft: demonstrations per update
  std::int64_t mini_batches = 1;     // rl: updates per epoch over a step's completions
  std::int64_t epochs = 1;           // rl: passes over a step's completions
  std::int64_t micro_tokens = 2048;  // per forward and backward; changes no result but by rounding
  bool checkpointing = false;        // layers are computed again in the backward; changes no result
  double lr = 1e-6;
  std::string schedule = "constant";  // after warm-up: "constant", "linear" or "cosine"
  double min_lr_frac = 0.0;           // linear, cosine: the floor, as a part of lr
  std::int64_t warmup = 0;            // steps of linear warm-up
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0.0;
  double clip_norm = 1.0;                  // 0: no clipping
  std::string aggregation = "token-mean";  // rl; see core/train/aggregation.h
  std::int64_t aggregation_length = 0;     // "constant": 0 is rollout.max_new_tokens
  double entropy_coef = 0.0;               // rl: of the mean entropy, which is made larger
  double nll_coef = 0.0;                   // rl: of the mean -logp of completions with reward > 0
};

// The KL to the reference, which is the policy as it was when the stage began.
struct KlTable {
  double coef = 0.0;             // 0: no KL
  std::string estimator = "k3";  // see core/train/kl.h
  std::string place = "loss";    // or "reward"
  double target = 0.0;           // adapts coef to hold the KL here; 0: coef is fixed
  double horizon = 10000.0;      // completions over which it adapts
  std::int64_t sync_every = 0;   // steps after which the reference becomes the policy; 0: never
};

// The value model of an algorithm that asks for one; see core/train/critic.h.
struct CriticTable {
  std::string path;         // Hugging Face folder that it begins with; empty: the policy
  double lr = 1e-5;         // on the schedule of [train]
  std::int64_t warmup = 0;  // first steps of the stage in which the critic alone learns
};

// Corrections where rollout and training forward disagree; see core/train/mismatch.h.
struct MismatchTable {
  double token_tis = 0.0;                        // largest weight of a token; 0: off
  double sequence_tis = 0.0;                     // likewise of a sequence
  std::array<double, 2> icepop = {0, 0};         // a token's ratio within, or out; 0, 0: off
  std::array<double, 2> sequence_mask = {0, 0};  // the geometric mean of a sequence's, likewise
};

struct EvalTable {
  std::int64_t every = 0;  // steps; 0: never
  std::int64_t items = 256;
  std::int64_t samples = 1;                  // completions per item, at temperatures above 0
  std::vector<double> temperatures = {0.0};  // the first is the core metric; 0 is greedy
  double top_p = 1.0;                        // at temperatures above 0; 1: all tokens
};

struct CheckpointTable {
  std::int64_t every = 0;      // steps; 0: at the end of each stage only
  std::int64_t keep = 2;       // the newest; older ones are deleted, but for
  std::int64_t keep_best = 1;  // the best of those that were evaluated, by the first core metric
};

struct Stage {
  std::string kind;  // "sft" or "rl"
  std::int64_t steps = 0;
  std::string data;                 // sft: a file of demonstrations; empty: the task's
  std::int64_t demonstrations = 0;  // sft: how many there are in all; 0: all of the file
  std::int64_t max_tokens = 0;      // sft: longer rows of the file are cut; 0: refused
  std::vector<TaskTable> tasks;     // at least one, but for sft with `data`
  PluginTable algorithm, sampler;   // rl only
  double task_weight = 1.0;         // rl: of the task's own reward in the sum
  std::vector<RewardTerm> rewards;  // rl: what is added to it, by label
  RolloutTable rollout;
  TrainTable train;
  KlTable kl;              // rl
  CriticTable critic;      // rl
  MismatchTable mismatch;  // rl
  EvalTable eval;
  CheckpointTable checkpoint;
};

struct RunConfig {
  std::string file;  // the run file, as given
  RunTable run;
  ModelTable model;  // paths are absolute or relative to the working directory, not to the file
  std::vector<Stage> stages;

  // Everything that determines the run, in canonical form: what a run folder is bound to.
  nlohmann::json to_json() const;
};

}  // namespace qed
