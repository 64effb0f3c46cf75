#include "core/run/dry_run.h"

#include "core/run/evaluate.h"
#include "core/run/prompts.h"
#include "core/run/rl_rollout.h"
#include "core/run/rl_update.h"
#include "core/run/stages.h"
#include "core/util/error.h"
#include "core/util/numbers.h"
#include "core/util/words.h"

#include <cstdio>
#include <cstdlib>

namespace qed {

namespace {

namespace fs = std::filesystem;

void line(const char* name, const std::string& text) {
  std::printf("%-10s%s\n", name, text.c_str());
}

// A folder for what a run context opens; gone afterwards.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "qed-dry-run-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw Error(cat("cannot create ", name), "set TMPDIR to a folder that can be written to");
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void print_model(RunContext& run) {
  const ModelConfig& c = run.model.config();
  const ModelTable& table = run.config.model;
  line("model", cat(table.path.empty() ? table.config + ", random weights" : table.path, ": ",
                    c.model_type, ", ", grouped(run.model.weights().num_parameters()),
                    " parameters, ", c.num_hidden_layers, " layers, vocabulary ", c.vocab_size));
  line("memory", "at most " + plan_memory(run).text());
}

void print_task(const TaskSet& tasks, std::size_t i) {
  const Task& task = tasks.task(i);
  std::string splits;
  for (const std::string& split : task.splits()) {
    const std::uint64_t count = task.count(split);
    splits += cat(splits.empty() ? "" : ", ", split, " ",
                  count == QED_GENERATIVE ? "without end" : counted(count, "item"));
  }
  line("task", cat(tasks.label(i), ": ", splits));
}

// The first prompt that the stage trains on.
void print_prompt(RunContext& run, TaskSet& tasks) {
  Mixture::Pick pick = tasks.items().next();
  const RenderedPrompt p = render(tasks.task(pick.source), run.tokenizer, run.chat_template(),
                                  std::move(pick.item), run.stage().rollout.max_new_tokens);
  line("prompt", cat("the first, of ", p.tokens.size(), " tokens, item ", p.item.key, ":"));
  std::printf("%s\n", p.text.c_str());
}

void try_sft(RunContext& run) {
  const SftMaterial material(run);
  Evaluator(run, material.tasks);
  for (std::size_t i = 0; i < material.tasks.size(); ++i) print_task(material.tasks, i);
  std::size_t num_prompt = 0, num_completion = 0;
  for (const Demonstration& d : material.demonstrations) {
    num_prompt += d.prompt.size();
    num_completion += d.completion.size();
  }
  line("data", cat(run.stage().data.empty() ? "" : run.stage().data + ": ",
                   counted(material.demonstrations.size(), "demonstration"), ", ", num_prompt,
                   " tokens of prompts, ", num_completion, " to learn"));
}

void try_rl(RunContext& run) {
  const Learner learner(run);
  const Collector collector(run, learner.needs());
  Evaluator(run, collector.tasks());
  for (std::size_t i = 0; i < collector.tasks().size(); ++i) print_task(collector.tasks(), i);
  const Stage& stage = run.stage();
  const RolloutTable& r = stage.rollout;
  line("algorithm", stage.algorithm.name);
  line("sampler", stage.sampler.name);
  line("step", cat(r.prompts, " prompts x ", r.group_size, " completions of at most ",
                   r.max_new_tokens, " tokens"));
  TaskSet tasks(run);
  print_prompt(run, tasks);
}

}  // namespace

int dry_run(const TrainRequest& request) {
  if (!request.fresh) RunFolder::check_bound(request.run_folder, request.config);
  const ScratchFolder scratch;
  TrainRequest trial = request;
  trial.run_folder = scratch.path();
  RunContext run(trial);
  print_model(run);
  for (std::size_t i = 0; i < run.config.stages.size(); ++i) {
    run.state().stage = static_cast<std::int64_t>(i);
    const Stage& stage = run.stage();
    std::printf("\n");
    line(cat("stage ", i + 1).c_str(), cat(stage.kind, ", ", stage.steps, " steps"));
    stage.kind == "sft" ? try_sft(run) : try_rl(run);
  }
  const auto newest = latest_checkpoint(request.run_folder / "checkpoints");
  std::printf("\n");
  line("folder",
       cat(request.run_folder.string(), request.fresh ? ", to be started again"
                                        : newest      ? ", to be resumed from " + newest->string()
                                                      : ", new"));
  line("", "nothing was written");
  return kExitOk;
}

}  // namespace qed
