#include "core/run/rl_metrics.h"

#include "core/report/sample_log.h"
#include "core/util/error.h"

#include "qed/abi.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace qed {

namespace {

// Mean, largest and smallest of what was added.
struct Summary {
  double sum = 0, n = 0, max = -INFINITY, min = INFINITY;
  void add(double x) {
    sum += x;
    ++n;
    max = x > max || std::isnan(x) ? x : max;  // a NaN shows, and stays
    min = x < min || std::isnan(x) ? x : min;
  }
  double mean() const { return n > 0 ? sum / n : std::numeric_limits<double>::quiet_NaN(); }
};

struct StepSummary {
  Summary reward, length, prompt_length, entropy, adv, value, ret;
  std::vector<Summary> terms;
  double num_truncated = 0, num_right = 0, num_uniform_groups = 0;
};

bool is_uniform(const Experience& e, std::size_t begin, std::size_t end) {
  return std::all_of(begin + e.reward.begin(), e.reward.begin() + end,
                     [&](float r) { return r == e.reward[begin]; });
}

StepSummary summarise(const Rollout& r, const Experience& e, std::size_t num_terms) {
  StepSummary s;
  s.terms.resize(num_terms);
  for (std::size_t b = 0; b < e.num_seqs(); ++b) {
    s.length.add(static_cast<double>(e.sequences[b].completion.size()));
    s.prompt_length.add(static_cast<double>(e.sequences[b].prompt.size()));
    const Score& score = r.scored.scores[b];
    if (!std::isfinite(score.reward)) continue;
    s.reward.add(score.reward);
    s.num_right += score.verdict == QED_VERDICT_RIGHT ? 1 : 0;
    for (std::size_t i = 0; i < num_terms; ++i) {
      if (std::isfinite(score.terms[i])) s.terms[i].add(score.terms[i]);
    }
  }
  std::size_t b = 0;
  for (const auto& group : r.completions) {
    s.num_uniform_groups += is_uniform(e, b, b + group.size()) ? 1 : 0;
    for (const Completion& c : group) s.num_truncated += c.finish == QED_FINISH_LENGTH ? 1 : 0;
    b += group.size();
  }
  for (const float h : e.entropy) s.entropy.add(h);
  for (const float a : e.adv) s.adv.add(a);
  for (const float v : e.value) s.value.add(v);
  for (const float r : e.ret) s.ret.add(r);
  return s;
}

void add_summary(MetricsRow& row, const std::string& name, const Summary& s) {
  row.add(name + "/mean", s.mean());
  row.add(name + "/max", s.max);
  row.add(name + "/min", s.min);
}

// Of a mixture, what each task gave; of a window, what it left out.
void add_tasks(MetricsRow& row, const Stage& stage, const Rollout& r) {
  const auto has_window = [](const TaskTable& t) { return t.window != TaskTable().window; };
  if (std::ranges::any_of(stage.tasks, has_window)) {
    row.add("training/num_skipped_items", r.num_skipped_items);
  }
  if (stage.tasks.size() == 1) return;
  struct Sums {
    Summary reward, right;
    std::int64_t num_groups = 0;
  };
  std::vector<Sums> tasks(stage.tasks.size());
  std::size_t index = 0;
  for (std::size_t g = 0; g < r.prompts.size(); ++g) {
    Sums& sums = tasks[r.prompts[g].task];
    ++sums.num_groups;
    for (std::size_t s = 0; s < r.completions[g].size(); ++s) {
      const Score& score = r.scored.scores[index++];
      if (!std::isfinite(score.reward)) continue;
      sums.reward.add(score.reward);
      sums.right.add(score.verdict == QED_VERDICT_RIGHT ? 1 : 0);
    }
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const std::string name = "task/" + stage.tasks[i].label + "/";
    row.add(name + "num_groups", tasks[i].num_groups);
    row.add(name + "reward/mean", tasks[i].reward.mean());
    row.add(name + "right_frac", tasks[i].right.mean());
  }
}

void write_row(RunContext& run, const std::vector<std::string>& terms, const Rollout& rollout,
               const Experience& e, const StepSummary& s, const UpdateSummary& u, double step_s,
               double lr) {
  const auto num_seqs = static_cast<double>(e.num_seqs());
  MetricsRow row = run.row();
  add_summary(row, "critic/rewards", s.reward);
  add_summary(row, "critic/advantages", s.adv);
  for (std::size_t i = 0; i < s.terms.size(); ++i)
    row.add("reward/" + terms[i] + "/mean", s.terms[i].mean());
  row.add("reward/right_frac", s.num_right / s.reward.n);
  row.add("reward/error_rate", static_cast<double>(rollout.scored.num_failed) / num_seqs);
  row.add("group/frac_zero_std",
          s.num_uniform_groups / static_cast<double>(rollout.prompts.size()));
  add_summary(row, "response_length", s.length);
  row.add("response_length/clip_ratio", s.num_truncated / num_seqs);
  add_summary(row, "prompt_length", s.prompt_length);
  row.add("actor/entropy", s.entropy.mean());
  row.add("actor/lr", lr);
  row.add("actor/pg_loss", u.loss / static_cast<double>(u.num_planned));
  row.add("actor/grad_norm", u.num_done > 0 ? u.grad_norm / static_cast<double>(u.num_done) : 0.0);
  row.add("actor/num_updates", u.num_done);
  if (u.num_critic > 0) {
    const auto updates = static_cast<double>(u.num_critic);
    row.add("critic/vf_loss", u.value_loss / updates);
    row.add("critic/grad_norm", u.critic_grad_norm / updates);
    add_summary(row, "critic/values", s.value);
    add_summary(row, "critic/returns", s.ret);
  }
  for (const auto& [name, total] : u.metrics)
    row.add(name, total.second > 0 ? total.first / total.second : 0.0);
  if (run.stage().rollout.refill > 0) {
    row.add("train/num_gen_batches", rollout.num_rounds);
    row.add("train/num_gen_groups", rollout.num_generated);
  }
  row.add("training/num_dropped_items", rollout.num_dropped_items);
  add_tasks(row, run.stage(), rollout);
  row.add("training/num_tokens", static_cast<std::int64_t>(e.num_tokens()));
  row.add_clock("timing_s/gen", rollout.gen_s);
  row.add_clock("timing_s/reward", rollout.reward_s);
  row.add_clock("timing_s/old_log_prob", u.old_log_prob_s);
  row.add_clock("timing_s/ref", u.ref_s);
  row.add_clock("timing_s/values", u.values_s);
  row.add_clock("timing_s/adv", u.adv_s);
  row.add_clock("timing_s/update_actor", u.update_actor_s);
  row.add_clock("timing_s/step", step_s);
  row.add_clock("perf/throughput", (s.prompt_length.sum + s.length.sum) / step_s);
  run.write(row);
}

void write_samples(RunContext& run, const std::vector<std::string>& terms, const Rollout& r,
                   const Experience& e) {
  std::string lines;
  for (std::size_t b = 0; b < e.num_seqs(); ++b) {
    const std::size_t g = e.group[b], s = b - g * r.completions[0].size();
    const Completion& c = r.completions[g][s];
    const Score& score = r.scored.scores[b];
    double adv = 0;
    for (auto t = e.offset[b]; t < e.offset[b + 1]; ++t) adv += e.adv[t];
    SampleRecord record{.global_step = run.state().global_step,
                        .stage_step = run.state().stage_step,
                        .group = static_cast<std::int64_t>(g),
                        .sample = static_cast<std::int64_t>(s),
                        .task = run.stage().tasks[r.prompts[g].task].label,
                        .item = r.prompts[g].item.key,
                        .prompt = r.prompts[g].text,
                        .completion = r.texts[b],
                        .finish = c.finish == QED_FINISH_STOP ? "stop" : "length",
                        .num_tokens = static_cast<std::int64_t>(c.tokens.size()),
                        .reward = score.reward,
                        .verdict = score.verdict == QED_VERDICT_RIGHT   ? "right"
                                   : score.verdict == QED_VERDICT_WRONG ? "wrong"
                                                                        : "none",
                        .terms = {},
                        .advantage = adv / static_cast<double>(c.tokens.size()),
                        .note = score.note};
    for (std::size_t i = 0; i < terms.size(); ++i)
      record.terms.emplace_back(terms[i], score.terms[i]);
    lines += sample_line(record);
  }
  run.folder.samples().append(lines);
}

std::string live_text(const RunContext& run, const StepSummary& s, const Rollout& r,
                      const UpdateSummary& u, double step_s) {
  const std::int64_t step = run.folder.state.stage_step, steps = run.stage().steps;
  char text[192];
  std::snprintf(text, sizeof text,
                "rl %3lld/%lld  reward %.3f  right %3.0f%%  len %.1f  entropy %.3f  grad %.2f  gen "
                "%.2fs train %.2fs  "
                "%.1fk tok/s  eta %.0fs",
                static_cast<long long>(step), static_cast<long long>(steps), s.reward.mean(),
                100 * s.num_right / s.reward.n, s.length.mean(), s.entropy.mean(),
                u.num_done > 0 ? u.grad_norm / static_cast<double>(u.num_done) : 0.0, r.gen_s,
                u.old_log_prob_s + u.ref_s + u.adv_s + u.update_actor_s,
                (s.prompt_length.sum + s.length.sum) / step_s / 1000,
                static_cast<double>(steps - step) * step_s);
  return text;
}

}  // namespace

void log_step(RunContext& run, const std::vector<std::string>& terms, const Rollout& rollout,
              const Experience& experience, const UpdateSummary& updates, double step_s,
              double lr) {
  const StepSummary s = summarise(rollout, experience, terms.size());
  write_row(run, terms, rollout, experience, s, updates, step_s, lr);
  write_samples(run, terms, rollout, experience);
  const std::int64_t step = run.state().stage_step;
  run.live.update(live_text(run, s, rollout, updates, step_s));
  if (step == 1)
    run.live.milestone(cat("first rl step took ", std::to_string(step_s).substr(0, 4), " s"));
  if (updates.num_done == 0) {
    run.live.milestone(cat("step ", step, ": every advantage is 0, so no weight was changed"));
  }
}

}  // namespace qed
