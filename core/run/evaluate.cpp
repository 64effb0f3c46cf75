#include "core/run/evaluate.h"

#include "core/data/items.h"
#include "core/reward/scoring.h"
#include "core/rollout/generate.h"
#include "core/run/prompts.h"
#include "core/util/clock.h"
#include "core/util/error.h"

#include <cmath>
#include <cstdio>

namespace qed {

namespace {

std::string number(const char* format, double x) {
  char text[32];
  std::snprintf(text, sizeof text, format, x);
  return text;
}

// "" when greedy, else "_t" and the temperature.
std::string suffix(double temperature) {
  return temperature == 0 ? "" : number("_t%g", temperature);
}

EvalResult evaluate_at(RunContext& run, const Task& task,
                       const std::vector<RenderedPrompt>& prompts, double temperature) {
  const DrawPlan plan = DrawPlan::at_temperature(temperature);
  std::vector<GenerateRequest> requests;
  for (const RenderedPrompt& p : prompts) {
    const std::uint64_t key = KeyHash()
                                  .add(run.config.run.seed)
                                  .add("eval")
                                  .add(task.name())
                                  .add(p.item.key)
                                  .add(0)
                                  .value();
    requests.push_back({p.tokens, {{&plan, key}}, p.max_new_tokens, 0, p.stop});
  }
  const auto completions = generate(run.model, requests, generate_options(run));

  std::vector<std::string> texts;
  std::vector<SampleView> samples;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    texts.push_back(
        completion_text(run.tokenizer, completions[i][0], prompts[i].stop, prompts[i].decode));
  }
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const Completion& c = completions[i][0];
    samples.push_back({&prompts[i].item, prompts[i].text, prompts[i].prefill, texts[i], c.tokens,
                       c.finish, i, 0, static_cast<std::uint64_t>(prompts[i].max_new_tokens)});
  }
  const Scores scored = Scorer(task).score(samples, 0, run.stage().rollout.max_failure_frac);

  double right = 0, reward = 0, length = 0;
  const auto n = static_cast<double>(static_cast<std::int64_t>(samples.size()) - scored.num_failed);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (scored.scores[i].status != QED_OK) continue;
    right += scored.scores[i].verdict == QED_VERDICT_RIGHT ? 1 : 0;
    reward += scored.scores[i].reward;
    length += static_cast<double>(samples[i].tokens.size());
  }
  const double mean = right / n;
  return {temperature, mean,       std::sqrt(mean * (1 - mean) / n),
          reward / n,  length / n, prompts[0].text + texts[0]};
}

// One line for people.
std::string summary(const std::vector<EvalResult>& results) {
  std::string out;
  for (const EvalResult& r : results) {
    out += out.empty() ? "" : "   ";
    out += r.temperature == 0 ? "greedy" : number("temperature %g:", r.temperature);
    out += number(" %.3f", r.mean) + number(" ± %.3f", r.standard_error) +
           number(", %.1f tokens", r.length);
  }
  return out;
}

// One result per temperature of eval.temperatures; adds a row to metrics.jsonl.
std::vector<EvalResult> evaluate(RunContext& run, const Task& task,
                                 const std::vector<Item>& items) {
  const Stopwatch watch;
  std::vector<RenderedPrompt> prompts;
  for (const Item& item : items) {
    prompts.push_back(
        render(task, run.tokenizer, run.chat_template(), item, run.stage().rollout.max_new_tokens));
  }
  std::vector<EvalResult> results;
  MetricsRow row = run.row();
  for (const double temperature : run.stage().eval.temperatures) {
    const EvalResult r = results.emplace_back(evaluate_at(run, task, prompts, temperature));
    const std::string core = (results.size() == 1 ? "val-core/" : "val-aux/") + task.name() + "/";
    const std::string aux = "val-aux/" + task.name() + "/", end = suffix(temperature);
    row.add(core + "mean@1" + end, r.mean);
    row.add(core + "mean@1" + end + "_se", r.standard_error);
    row.add(aux + "reward" + end, r.reward);
    row.add(aux + "response_length" + end, r.length);
  }
  row.add_clock("timing_s/testing", watch.seconds());
  run.write(row);
  return results;
}

}  // namespace

Evaluator::Evaluator(RunContext& run, const Task& task) : run_(run), task_(task) {
  if (run.stage().eval.every == 0) return;
  if (task.splits().size() < 2) {
    throw Error(cat("task `", task.name(), "` has no evaluation split"), "set eval.every to 0",
                kExitUsage);
  }
  items_ = evaluation_items(task, task.splits()[1], run.stage().eval.items);
}

void Evaluator::before_first_step() {
  if (run_.state().stage_step == 0 && run_.stage().eval.every > 0) evaluate();
}

void Evaluator::after_step() {
  const std::int64_t step = run_.state().stage_step, every = run_.stage().eval.every;
  if (every > 0 && (step % every == 0 || step == run_.stage().steps)) evaluate();
}

void Evaluator::evaluate() {
  run_.live.update("evaluating");
  const auto results = qed::evaluate(run_, task_, items_);
  run_.live.milestone(cat("eval at step ", run_.state().stage_step, "   ", summary(results)));
  run_.live.milestone(cat("   e.g. ", results.back().example));
}

std::unordered_set<std::string> held_out_keys(const Task& task, std::int64_t num_items) {
  std::unordered_set<std::string> keys;
  if (task.splits().size() < 2) return keys;
  const std::string& split = task.splits()[1];
  const std::uint64_t count = task.count(split);
  const std::int64_t all = count == QED_GENERATIVE ? num_items : static_cast<std::int64_t>(count);
  if (all == 0) return keys;
  for (Item& item : evaluation_items(task, split, all)) keys.insert(std::move(item.key));
  return keys;
}

}  // namespace qed
