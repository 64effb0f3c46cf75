// `qed eval`: a model on a task's held-out items, outside a run.

#include "core/run/engine_call.h"
#include "core/run/evaluate.h"
#include "core/run/task_session.h"
#include "core/util/error.h"

#include <cmath>
#include <cstdio>
#include <memory>

namespace qed {

namespace {

nlohmann::ordered_json number(double x) {
  return std::isfinite(x) ? nlohmann::ordered_json(x) : nlohmann::ordered_json();
}

void print_json(const TaskCommand& command, const std::string& split, const EvalResult& r) {
  nlohmann::ordered_json out = {{"model", command.model.string()},
                                {"task", command.task.name},
                                {"split", split},
                                {"items", r.num_items},
                                {"samples", command.num_samples}};
  for (const EvalValue& v : r.values) {
    out[v.name] = number(v.mean);
    out[v.name + "_se"] = number(v.standard_error);
  }
  out["reward"] = number(r.reward);
  out["response_length"] = number(r.length);
  out["num_failed"] = r.num_failed;
  std::printf("%s\n", out.dump().c_str());
}

void print_text(const TaskCommand& command, const std::string& split, const EvalResult& r) {
  std::printf("%s, split %s: %lld items x %lld\n", command.task.name.c_str(), split.c_str(),
              static_cast<long long>(r.num_items), static_cast<long long>(command.num_samples));
  for (const EvalValue& v : r.values) {
    std::printf("  %-16s %.4f ± %.4f\n", v.name.c_str(), v.mean, v.standard_error);
  }
  std::printf("  %-16s %.4f\n  %-16s %.1f tokens\n", "reward", r.reward, "response length",
              r.length);
  if (r.num_failed > 0) {
    std::printf("  %-16s %lld completions\n", "not scored", static_cast<long long>(r.num_failed));
  }
}

int run_eval(const TaskCommand& command) {
  TaskSession session(command);
  const std::string split =
      command.split.empty()
          ? evaluation_split(session.task(), "name one of its splits with --split")
          : command.split;
  const auto prompts = session.prompts(evaluation_items(session.task(), split, command.num_items));
  Transformer model = session.load_model(prompts);

  std::unique_ptr<AppendFile> file;
  if (!command.output.empty()) file = std::make_unique<AppendFile>(command.output, 0);
  EvalOptions options;
  options.generate = session.generate_options(prompts.size() * session.plans().size());
  options.seed = command.seed;
  options.label = command.task.name;
  options.max_failure_frac = command.max_failure_frac;
  options.head = {{"model", command.model.string()}, {"task", command.task.name}};
  if (file) options.on_line = [&](const std::string& line) { file->append(line); };
  const EvalResult result =
      evaluate(model, session.tokenizer(), session.task(), prompts, session.plans(), options);
  session.clear();
  if (session.is_cancelled()) {
    std::fprintf(stderr, "stopped: %lld of %zu items are done\n",
                 static_cast<long long>(result.num_items), prompts.size());
    return kExitInterrupted;
  }
  command.is_json ? print_json(command, split, result) : print_text(command, split, result);
  return kExitOk;
}

}  // namespace

}  // namespace qed

extern "C" __attribute__((visibility("default"))) int qed_engine_eval(
    const qed::TaskCommand& command) {
  return qed::engine_call([&] {
    qed::use_threads(command.threads);
    return qed::run_eval(command);
  });
}
