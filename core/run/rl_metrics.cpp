#include "core/run/rl_metrics.h"

#include "core/report/length_split.h"
#include "core/run/step_samples.h"
#include "core/util/error.h"
#include "core/util/memory.h"

#include "qed/abi.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace qed {

namespace {

// Mean, largest and smallest of what was added.
struct Summary {
  double sum = 0, squares = 0, n = 0, max = -INFINITY, min = INFINITY;
  void add(double x) {
    sum += x;
    squares += x * x;
    ++n;
    max = x > max || std::isnan(x) ? x : max;  // a NaN shows, and stays
    min = x < min || std::isnan(x) ? x : min;
  }
  double std() const {
    if (n == 0) return mean();
    return std::sqrt(std::max(0.0, squares / n - mean() * mean()));
  }
  double mean() const { return n > 0 ? sum / n : std::numeric_limits<double>::quiet_NaN(); }
};

struct StepSummary {
  Summary reward, length, prompt_length, entropy, adv, value, ret;
  Summary thinking, answer;  // tokens, of the completions that mark them
  std::vector<Summary> terms;
  double num_truncated = 0, num_right = 0, num_positive = 0;
  double num_uniform_groups = 0, num_groups_all_right = 0, num_groups_mixed = 0,
         num_groups_all_wrong = 0;
};

bool is_uniform(const Experience& e, std::size_t begin, std::size_t end) {
  return std::all_of(begin + e.reward.begin(), e.reward.begin() + end,
                     [&](float r) { return r == e.reward[begin]; });
}

// Verdicts of a group's completions; failed ones count for neither side.
void add_group(std::span<const Score> scores, StepSummary& s) {
  double num_scored = 0, num_right = 0;
  for (const Score& score : scores) {
    if (!std::isfinite(score.reward)) continue;
    ++num_scored;
    num_right += score.verdict == QED_VERDICT_RIGHT ? 1 : 0;
  }
  if (num_scored == 0) return;
  ++(num_right == num_scored ? s.num_groups_all_right
     : num_right == 0        ? s.num_groups_all_wrong
                             : s.num_groups_mixed);
}

void add_split(const Tokenizer& tokenizer, std::span<const std::int32_t> completion,
               StepSummary& s) {
  std::vector<std::string_view> bytes;
  for (const std::int32_t id : completion) bytes.push_back(tokenizer.bytes(id));
  const auto num_thinking = num_thinking_tokens(bytes);
  if (!num_thinking) return;
  s.thinking.add(static_cast<double>(*num_thinking));
  s.answer.add(static_cast<double>(completion.size() - *num_thinking));
}

StepSummary summarise(const Tokenizer& tokenizer, const Rollout& r, const Experience& e,
                      std::size_t num_terms) {
  StepSummary s;
  s.terms.resize(num_terms);
  for (std::size_t b = 0; b < e.num_seqs(); ++b) {
    s.length.add(static_cast<double>(e.sequences[b].completion.size()));
    s.prompt_length.add(static_cast<double>(e.sequences[b].prompt.size()));
    add_split(tokenizer, e.sequences[b].completion, s);
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
    add_group(std::span(r.scored.scores).subspan(b, group.size()), s);
    for (const Completion& c : group) s.num_truncated += c.finish == QED_FINISH_LENGTH ? 1 : 0;
    b += group.size();
  }
  for (const float h : e.entropy) s.entropy.add(h);
  for (const float a : e.adv) {
    s.adv.add(a);
    s.num_positive += a > 0 ? 1 : 0;
  }
  for (const float v : e.value) s.value.add(v);
  for (const float r : e.ret) s.ret.add(r);
  return s;
}

void add_summary(MetricsRow& row, const std::string& name, const Summary& s) {
  row.add(name + "/mean", s.mean());
  row.add(name + "/max", s.max);
  row.add(name + "/min", s.min);
}

// The value that a share of all is not above.
double percentile(std::vector<double> values, double share) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::ranges::sort(values);
  const double at = std::ceil(share * static_cast<double>(values.size()));
  return values[static_cast<std::size_t>(std::max(1.0, at)) - 1];
}

// Tokens and seconds. One device: a second of it is a second.
void add_speed(MetricsRow& row, const StepSummary& s, double gen_s, double update_s,
               double step_s) {
  const double num_all = s.prompt_length.sum + s.length.sum;
  row.add_clock("timing_per_token_ms/gen", 1000 * gen_s / s.length.sum);
  row.add_clock("timing_per_token_ms/update_actor", 1000 * update_s / num_all);
  row.add_clock("perf/total_num_tokens", num_all);
  row.add_clock("perf/time_per_step", step_s);
  row.add_clock("perf/throughput", num_all / step_s);
  row.add_clock("perf/decode_tok_s", s.length.sum / gen_s);
  row.add_clock("perf/train_tok_s", num_all / update_s);
  row.add_clock("perf/rollout_frac", gen_s / step_s);
  row.add_clock("perf/cpu_memory_used_gb", static_cast<double>(memory_used_bytes()) / 1e9);
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
  row.add("adv/std", s.adv.std());
  row.add("adv/pos_frac", s.num_positive / s.adv.n);
  for (std::size_t i = 0; i < s.terms.size(); ++i) {
    row.add("reward/" + terms[i] + "/mean", s.terms[i].mean());
    row.add("reward/" + terms[i] + "/std", s.terms[i].std());
  }
  row.add("reward/right_frac", s.num_right / s.reward.n);
  row.add("reward/error_rate", static_cast<double>(rollout.scored.num_failed) / num_seqs);
  const auto num_groups = static_cast<double>(rollout.prompts.size());
  row.add("group/frac_zero_std", s.num_uniform_groups / num_groups);
  row.add("group/frac_all_1", s.num_groups_all_right / num_groups);
  row.add("group/frac_mixed", s.num_groups_mixed / num_groups);
  row.add("group/frac_all_0", s.num_groups_all_wrong / num_groups);
  add_summary(row, "response_length", s.length);
  row.add("response_length/clip_ratio", s.num_truncated / num_seqs);
  if (s.thinking.n > 0) {
    row.add("response_length/think/mean", s.thinking.mean());
    row.add("response_length/answer/mean", s.answer.mean());
  }
  add_summary(row, "prompt_length", s.prompt_length);
  row.add("actor/entropy", s.entropy.mean());
  row.add("actor/lr", lr);
  row.add("actor/pg_loss", u.loss / static_cast<double>(u.num_planned));
  row.add("actor/grad_norm", u.num_done > 0 ? u.grad_norm / static_cast<double>(u.num_done) : 0.0);
  row.add(
      "grad/clipped_frac",
      u.num_done > 0 ? static_cast<double>(u.num_clipped) / static_cast<double>(u.num_done) : 0.0);
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
  row.add_clock("timing_s/reward_p50", percentile(rollout.score_s, 0.5));
  row.add_clock("timing_s/reward_p99", percentile(rollout.score_s, 0.99));
  row.add_clock("timing_s/old_log_prob", u.old_log_prob_s);
  row.add_clock("timing_s/ref", u.ref_s);
  row.add_clock("timing_s/values", u.values_s);
  row.add_clock("timing_s/adv", u.adv_s);
  row.add_clock("timing_s/update_actor", u.update_actor_s);
  row.add_clock("timing_s/step", step_s);
  add_speed(row, s, rollout.gen_s, u.update_actor_s, step_s);
  run.write(row);
}

// To the reference where there is one, else to the policy that made the rollout.
double kl_of(const UpdateSummary& u) {
  for (const char* name : {"actor/kl_loss", "actor/ppo_kl"}) {
    const auto found = u.metrics.find(name);
    if (found != u.metrics.end() && found->second.second > 0)
      return found->second.first / found->second.second;
  }
  return 0;
}

std::string live_text(const RunContext& run, const StepSummary& s, const Rollout& r,
                      const UpdateSummary& u, double step_s) {
  const std::int64_t step = run.folder.state.stage_step, steps = run.stage().steps;
  char text[256];
  std::snprintf(text, sizeof text,
                "rl %3lld/%lld  reward %.3f  right %3.0f%%  len %.1f  entropy %.3f  kl %.1e  grad "
                "%.2f  gen %.2fs train %.2fs  %.1fk tok/s  eta %.0fs",
                static_cast<long long>(step), static_cast<long long>(steps), s.reward.mean(),
                100 * s.num_right / s.reward.n, s.length.mean(), s.entropy.mean(), kl_of(u),
                u.num_done > 0 ? u.grad_norm / static_cast<double>(u.num_done) : 0.0, r.gen_s,
                u.old_log_prob_s + u.ref_s + u.adv_s + u.update_actor_s,
                (s.prompt_length.sum + s.length.sum) / step_s / 1000,
                static_cast<double>(steps - step) * step_s);
  return text;
}

// A completion for the eye, another one each time.
std::string example(const Rollout& r, std::int64_t step) {
  const std::size_t b = static_cast<std::size_t>(step) % r.texts.size();
  const Score& score = r.scored.scores[b];
  char reward[32];
  std::snprintf(reward, sizeof reward, "%.2f", score.reward);
  return cat("   e.g. reward ", score.status == QED_OK ? reward : "none", ":  ",
             r.prompts[b / r.completions[0].size()].text, r.texts[b]);
}

}  // namespace

void log_step(RunContext& run, const std::vector<std::string>& terms, const Rollout& rollout,
              const Experience& experience, const UpdateSummary& updates, double step_s,
              double lr) {
  const StepSummary s = summarise(run.tokenizer, rollout, experience, terms.size());
  write_row(run, terms, rollout, experience, s, updates, step_s, lr);
  run.folder.samples().append(
      sample_lines({run, terms, rollout, &experience}, run.config.run.log_tokens));
  const std::int64_t step = run.state().stage_step;
  run.live.update(live_text(run, s, rollout, updates, step_s));
  if (step == 1)
    run.live.milestone(cat("first rl step took ", std::to_string(step_s).substr(0, 4), " s"));
  if (run.is_example_due()) run.live.milestone(example(rollout, step));
}

}  // namespace qed
