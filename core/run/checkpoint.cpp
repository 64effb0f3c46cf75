#include "core/run/checkpoint.h"

#include "core/model/model_folder.h"
#include "core/util/error.h"
#include "core/util/files.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace qed {

namespace fs = std::filesystem;

namespace {

constexpr char kUnfinished[] =
    ".unfinished-";  // prefix of a folder that is being written or deleted

// The float32 weights of a model that is trained in bfloat16, whose own files are rounded.
constexpr char kMaster[] = "master.safetensors";

// What a tokenizer may consist of, beside tokenizer.json.
constexpr const char* kTokenizerFiles[] = {"tokenizer.json",
                                           "tokenizer_config.json",
                                           "generation_config.json",
                                           "special_tokens_map.json",
                                           "chat_template.jinja",
                                           "vocab.json",
                                           "merges.txt"};

// Numbers of the complete checkpoints, ascending.
std::vector<std::int64_t> complete(const fs::path& folder) {
  std::vector<std::int64_t> out;
  if (!fs::exists(folder)) return out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool is_number = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return c >= '0' && c <= '9';
    });
    if (is_number && fs::exists(entry.path() / "DONE")) out.push_back(std::stoll(name));
  }
  std::sort(out.begin(), out.end());
  return out;
}

void delete_unfinished(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(kUnfinished)) found.push_back(entry.path());
  }
  for (const auto& path : found) fs::remove_all(path);
}

// Leaves no moment at which a half-deleted checkpoint looks complete.
void delete_checkpoint(const fs::path& folder, std::int64_t step) {
  const fs::path doomed = folder / cat(kUnfinished, "old-", step);
  fs::rename(folder / std::to_string(step), doomed);
  fs::remove_all(doomed);
}

nlohmann::ordered_json data_json(const std::string& data) {
  return data.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json::parse(data);
}

std::string state_json(const TrainerState& s) {
  return nlohmann::ordered_json{{"format", 1},
                                {"stage", s.stage},
                                {"stage_step", s.stage_step},
                                {"global_step", s.global_step},
                                {"data", data_json(s.data)},
                                {"optimizer_steps", s.optimizer_steps},
                                {"critic_steps", s.critic_steps},
                                {"kl_coef", s.kl_coef},
                                {"metrics_bytes", s.metrics_bytes},
                                {"samples_bytes", s.samples_bytes},
                                {"eval_bytes", s.eval_bytes},
                                {"events_bytes", s.events_bytes},
                                {"eval",
                                 {{"metric", s.eval.metric},
                                  {"value", s.eval.value},
                                  {"global_step", s.eval.global_step}}}}
             .dump(2) +
         "\n";
}

nlohmann::json read_state(const fs::path& checkpoint) {
  const fs::path path = checkpoint / "trainer.json";
  auto state = nlohmann::json::parse(read_file(path), nullptr, false);
  if (!state.is_object() || state.value("format", 0) != 1) {
    throw Error(cat(path.string(), " is not a trainer state that this qed can read"));
  }
  return state;
}

}  // namespace

std::optional<fs::path> latest_checkpoint(const fs::path& folder) {
  const auto steps = complete(folder);
  if (steps.empty()) return std::nullopt;
  return folder / std::to_string(steps.back());
}

Error damaged_checkpoint(const fs::path& checkpoint, const Error& why) {
  const std::int64_t step = std::stoll(checkpoint.filename().string());
  std::string way = cat("delete ", checkpoint.string(), ": then the same command ");
  std::int64_t before = -1;
  for (const std::int64_t other : complete(checkpoint.parent_path())) {
    if (other < step) before = other;
  }
  way += before < 0
             ? "starts again"
             : cat("goes on from ", (checkpoint.parent_path() / std::to_string(before)).string());
  return Error(cat("the run cannot go on from ", checkpoint.string(), ": ", why.what()), way);
}

TrainerState read_trainer_state(const fs::path& checkpoint) {
  try {
    const auto state = read_state(checkpoint);
    const auto& eval = state.at("eval");
    const auto& data = state.at("data");
    return {.stage = state.at("stage"),
            .stage_step = state.at("stage_step"),
            .global_step = state.at("global_step"),
            .data = data.is_null() ? "" : data.dump(),
            .optimizer_steps = state.at("optimizer_steps"),
            .critic_steps = state.value("critic_steps", std::int64_t{0}),
            .kl_coef = state.value("kl_coef", 0.0),
            .metrics_bytes = state.at("metrics_bytes"),
            .samples_bytes = state.at("samples_bytes"),
            .eval_bytes = state.at("eval_bytes"),
            .events_bytes = state.at("events_bytes"),
            .eval = {eval.at("metric"), eval.at("value"), eval.at("global_step")}};
  } catch (const nlohmann::json::exception& e) {
    throw damaged_checkpoint(checkpoint, Error(cat("trainer.json is damaged: ", e.what())));
  } catch (const Error& e) {
    throw damaged_checkpoint(checkpoint, e);
  }
}

namespace {

// Everything that a checkpoint consists of, DONE last.
void write_files(const fs::path& temporary, const fs::path& model_config,
                 const fs::path& chat_template, Transformer& model, const AdamW& optimizer,
                 const TrainerState& state, std::span<const CheckpointPart> parts) {
  for (const char* file : kTokenizerFiles) {
    const fs::path from = model_config.parent_path() / file;
    if (fs::exists(from)) write_file(temporary / file, read_file(from));
  }
  if (!chat_template.empty()) {
    write_file(temporary / "chat_template.jinja", read_file(chat_template));
  }
  write_weights(temporary, model_config, model);
  for (const CheckpointPart& part : parts) {
    fs::create_directory(temporary / part.name);
    part.write(temporary / part.name);
  }
  TrainerState now = state;
  now.optimizer_steps = optimizer.num_steps();
  optimizer.write(temporary / "optimizer.safetensors");
  write_file(temporary / "trainer.json", state_json(now));
  write_file(temporary / "DONE", "");
}

struct Scored {
  std::int64_t step;
  EvalScore eval;
};

// Checkpoints that were evaluated by the same metric as the newest of them, the best first.
std::vector<Scored> by_score(const fs::path& folder) {
  std::vector<Scored> found;
  for (const std::int64_t step : complete(folder)) {
    try {
      const EvalScore eval = read_trainer_state(folder / std::to_string(step)).eval;
      if (!eval.metric.empty() && eval.global_step == step) found.push_back({step, eval});
    } catch (const Error&) {  // a damaged one is not the best
    }
  }
  if (found.empty()) return found;
  const std::string metric = found.back().eval.metric;
  std::erase_if(found, [&](const Scored& s) { return s.eval.metric != metric; });
  std::sort(found.begin(), found.end(), [](const Scored& a, const Scored& b) {
    return std::pair(a.eval.value, a.step) > std::pair(b.eval.value, b.step);
  });
  return found;
}

void delete_others(const fs::path& folder, const CheckpointTable& keep) {
  const auto steps = complete(folder);
  const auto num_newest = std::min(steps.size(), static_cast<std::size_t>(keep.keep));
  std::set<std::int64_t> kept(steps.end() - static_cast<std::ptrdiff_t>(num_newest), steps.end());
  if (keep.keep_best > 0) {
    const auto best = by_score(folder);
    for (std::size_t i = 0; i < std::min(best.size(), static_cast<std::size_t>(keep.keep_best));
         ++i)
      kept.insert(best[i].step);
  }
  for (const std::int64_t step : steps) {
    if (!kept.contains(step)) delete_checkpoint(folder, step);
  }
}

}  // namespace

std::optional<fs::path> best_checkpoint(const fs::path& folder) {
  const auto best = by_score(folder);
  if (best.empty()) return std::nullopt;
  return folder / std::to_string(best.front().step);
}

void write_checkpoint(const fs::path& folder, const fs::path& model_config,
                      const fs::path& chat_template, Transformer& model, const AdamW& optimizer,
                      const TrainerState& state, const CheckpointTable& keep,
                      std::span<const CheckpointPart> parts) {
  fs::create_directories(folder);
  delete_unfinished(folder);
  const std::string name = std::to_string(state.global_step);
  const fs::path temporary = folder / (kUnfinished + name);
  fs::create_directory(temporary);
  try {
    write_files(temporary, model_config, chat_template, model, optimizer, state, parts);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);  // on a full disk every byte counts
    throw;
  }
  if (fs::exists(folder / name)) delete_checkpoint(folder, state.global_step);
  fs::rename(temporary, folder / name);
  sync_folder(folder);
  delete_others(folder, keep);
}

void write_weights(const fs::path& folder, const fs::path& model_config, Transformer& model) {
  Weights& weights = model.weights();
  write_model_folder(folder, model_config, weights.tensors(), weights.options().dtype,
                     weights.rows(weights.flat()));
  if (!weights.is_rounded()) return;
  write_safetensors(folder / kMaster, weights.tensors(), Dtype::kFloat32,
                    weights.rows(weights.flat()));
}

void read_weights(const fs::path& folder, Transformer& model) {
  const TensorSet set =
      model.weights().is_rounded() ? TensorSet(folder / kMaster) : TensorSet::open_folder(folder);
  set.check(model.weights().tensors());
  model.weights().load(set);
}

void read_optimizer(const fs::path& checkpoint, AdamW& optimizer) {
  try {
    optimizer.read(checkpoint / "optimizer.safetensors");
  } catch (const Error& e) {
    throw damaged_checkpoint(checkpoint, e);
  }
  optimizer.set_num_steps(read_trainer_state(checkpoint).optimizer_steps);
}

}  // namespace qed
