#include "core/run/evaluate.h"

#include "core/data/items.h"
#include "core/run/result_rows.h"
#include "core/util/clock.h"
#include "core/util/error.h"

#include <cstdio>
#include <limits>

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

DrawPlan eval_plan(double temperature, double top_p) {
  if (temperature == 0 || top_p == 1) return DrawPlan::at_temperature(temperature);
  return DrawPlan({{QED_OP_TEMPERATURE, static_cast<float>(temperature)},
                   {QED_OP_TOP_P, static_cast<float>(top_p)}},
                  std::numeric_limits<std::int64_t>::max());
}

// The statistics of completions that were scored.
EvalResult summarise(const ScoredGroups& g, std::int64_t k) {
  EvalResult out{.values = {},
                 .reward = 0,
                 .length = 0,
                 .example = g.prompts[0].text + g.texts[0],
                 .num_items = static_cast<std::int64_t>(g.prompts.size()),
                 .num_failed = g.scored.num_failed};
  std::vector<std::vector<EvalVote>> votes(g.prompts.size());
  std::size_t index = 0;
  for (std::size_t i = 0; i < g.prompts.size(); ++i) {
    for (const Completion& c : g.completions[i]) {
      const Score& score = g.scored.scores[index];
      const std::string& text = g.texts[index++];
      if (score.status != QED_OK) continue;
      votes[i].push_back({score.verdict == QED_VERDICT_RIGHT, k > 1 ? answer_text(text) : ""});
      out.reward += score.reward;
      out.length += static_cast<double>(c.tokens.size());
    }
  }
  const auto n = static_cast<double>(static_cast<std::int64_t>(index) - g.scored.num_failed);
  out.reward /= n;
  out.length /= n;
  out.values = eval_statistics(votes, k);
  return out;
}

// "greedy 0.993 ± 0.004, 12.1 tokens", for people; with several samples all values.
std::string summary(const EvalResult& r, double temperature) {
  std::string out = temperature == 0 ? "greedy" : number("temperature %g:", temperature);
  const EvalValue& mean = r.values.front();
  out += number(" %.3f", mean.mean) + number(" ± %.3f", mean.standard_error) +
         number(", %.1f tokens", r.length);
  if (r.values.size() == 1) return out;
  for (const EvalValue* v : {&r.values[r.values.size() - 2], &r.values.back()}) {
    out += cat(", ", v->name, number(" %.3f", v->mean));
  }
  return out;
}

void add_metrics(MetricsRow& row, const EvalResult& r, const std::string& task, bool is_core,
                 double temperature) {
  const std::string aux = "val-aux/" + task + "/", end = suffix(temperature);
  const std::string core = is_core ? "val-core/" + task + "/" : aux;
  for (const EvalValue& v : r.values) {
    row.add(core + v.name + end, v.mean);
    row.add(core + v.name + end + "_se", v.standard_error);
  }
  row.add(aux + "reward" + end, r.reward);
  row.add(aux + "response_length" + end, r.length);
}

}  // namespace

EvalResult evaluate(Transformer& model, const Tokenizer& tokenizer, const Task& task,
                    const std::vector<RenderedPrompt>& prompts, std::span<const DrawPlan> plans,
                    const EvalOptions& options) {
  ScoredGroups groups;
  groups.prompts = prompts;
  for (const RenderedPrompt& p : prompts) {
    GenerateRequest& request = groups.requests.emplace_back(request_of(p));
    for (std::size_t s = 0; s < plans.size(); ++s) {
      const std::uint64_t key =
          KeyHash().add(options.seed).add("eval").add(options.label).add(p.item.key).add(s).value();
      request.samples.push_back({&plans[s], key});
    }
  }
  const Scorer scorer(task);
  complete(model, tokenizer, std::vector<const Scorer*>(prompts.size(), &scorer), options.generate,
           0, groups);
  check_failures(groups.scored, task.name(), options.max_failure_frac);
  if (options.on_line) {
    std::size_t first = 0;
    for (std::size_t i = 0; i < groups.prompts.size(); ++i) {
      options.on_line(eval_line(options.head, groups, i, first, scorer.terms()));
      first += groups.completions[i].size();
    }
  }
  if (groups.prompts.empty()) return {};
  return summarise(groups, static_cast<std::int64_t>(plans.size()));
}

const std::string& evaluation_split(const Task& task, const std::string& hint) {
  if (task.splits().size() > 1) return task.splits()[1];
  throw Error(cat("task `", task.name(), "` has no evaluation split"), hint, kExitUsage);
}

Evaluator::Evaluator(RunContext& run, const TaskSet& tasks) : run_(run), tasks_(tasks) {
  if (run.stage().eval.every == 0) return;
  if (tasks.size() == 0) {
    throw Error("[eval] needs a task, and the stage that learns from a file has none",
                "add [task], or set eval.every to 0", kExitUsage);
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const Task& task = tasks.task(i);
    const std::string& split = evaluation_split(task, "set eval.every to 0");
    items_.push_back(evaluation_items(task, split, run.stage().eval.items));
  }
}

void Evaluator::before_first_step() {
  if (run_.state().stage_step == 0 && run_.stage().eval.every > 0) evaluate();
}

void Evaluator::after_step() {
  const std::int64_t step = run_.state().stage_step, every = run_.stage().eval.every;
  if (every > 0 && (step % every == 0 || step == run_.stage().steps)) evaluate();
}

void Evaluator::evaluate() {
  const Stopwatch watch;
  const Stage& stage = run_.stage();
  run_.live.update("evaluating");
  MetricsRow row = run_.row();
  std::string lines;
  EvalOptions options;
  options.generate = generate_options(run_);
  options.max_failure_frac = stage.rollout.max_failure_frac;
  options.seed = static_cast<std::uint64_t>(run_.config.run.seed);
  options.on_line = [&](const std::string& line) { lines += line; };
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const Task& task = tasks_.task(i);
    const std::string& label = options.label = tasks_.label(i);
    std::vector<RenderedPrompt> prompts;
    for (const Item& item : items_[i]) {
      prompts.push_back(
          render(task, run_.tokenizer, run_.chat_template(), item, stage.rollout.max_new_tokens));
    }
    std::string said, example;
    for (const double temperature : stage.eval.temperatures) {
      const bool is_first = said.empty();
      const std::int64_t k =
          temperature == 0 ? 1 : stage.eval.samples;  // greedy ones are all alike
      const std::vector<DrawPlan> plans(static_cast<std::size_t>(k),
                                        eval_plan(temperature, stage.eval.top_p));
      options.head = {{"training/global_step", run_.state().global_step},
                      {"stage", stage.kind},
                      {"step", run_.state().stage_step},
                      {"task", label},
                      {"temperature", temperature}};
      const EvalResult r = qed::evaluate(run_.model, run_.tokenizer, task, prompts, plans, options);
      add_metrics(row, r, label, is_first, temperature);
      said += (is_first ? "" : "   ") + summary(r, temperature);
      example = r.example;
    }
    const std::string name = tasks_.size() > 1 ? cat("   ", label) : "";
    run_.live.milestone(cat("eval at step ", run_.state().stage_step, name, "   ", said));
    run_.live.milestone(cat("   e.g. ", example));
  }
  row.add_clock("timing_s/testing", watch.seconds());
  run_.write(row);
  run_.folder.evals().append(lines);
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
