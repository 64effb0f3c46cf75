#include "core/report/run_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/report/text_table.h"

namespace qed {
namespace {

std::string number(const char* format, double value) {
  if (std::isnan(value)) return "-";
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// The first evaluation metric by name that is a share of right answers; "" where there is none.
std::string core_metric(const Curves& curves) {
  for (const auto& [name, column] : curves.series) {
    if (name.starts_with("val-core/") && !name.ends_with("_se")) return name;
  }
  return "";
}

// The highest value of a series and its step.
std::pair<double, std::int64_t> best(const Curves& curves, const std::string& name) {
  std::pair<double, std::int64_t> found{std::nan(""), 0};
  const auto series = curves.series.find(name);
  if (series == curves.series.end()) return found;
  for (std::size_t i = 0; i < curves.step.size(); ++i) {
    const double value = series->second[i];
    if (!std::isnan(value) && !(value <= found.first)) found = {value, curves.step[i]};
  }
  return found;
}

// Mean of a series over the steps where `where` has a value.
double mean(const Curves& curves, const std::string& name, const std::string& where) {
  const auto series = curves.series.find(name), gate = curves.series.find(where);
  if (series == curves.series.end() || gate == curves.series.end()) return std::nan("");
  double sum = 0, n = 0;
  for (std::size_t i = 0; i < curves.step.size(); ++i) {
    if (std::isnan(gate->second[i])) continue;
    sum += series->second[i];
    ++n;
  }
  return sum / n;
}

}  // namespace

std::vector<Figure> final_figures(const RunData& run) {
  const Curves& c = run.curves;
  const std::string core = core_metric(c);
  const auto [best_value, best_step] = best(c, core);
  const std::string step = c.step.empty() ? "0" : std::to_string(c.step.back());
  const std::string tested = core.empty() ? "held-out items" : core;
  const bool is_rl = c.series.contains("timing_s/gen");  // a warm-up's steps are of another kind
  const double step_s = mean(c, "timing_s/step", is_rl ? "timing_s/gen" : "timing_s/step");
  return {
      {"steps", step, "steps done in all stages"},
      {"eval", number("%.3f", c.last(core)), tested + ", at the end"},
      {"best",
       std::isnan(best_value) ? "-" : number("%.3f", best_value) + " @" + std::to_string(best_step),
       tested + ", at its highest, and the step"},
      {"reward", number("%.3f", c.last("critic/rewards/mean")), "mean of the last step"},
      {"solved", number("%.3f", c.last("reward/right_frac")), "share right in the last step"},
      {"length", number("%.1f", c.last("response_length/mean")),
       "tokens of a completion, last step"},
      {"entropy", number("%.3f", c.last("actor/entropy")), "nats per token, last step"},
      {"loss", number("%.4f", c.last("sft/loss")), "of the last supervised step, nats per token"},
      {"s/step", number("%.3g", step_s), "seconds of a step, mean"},
  };
}

std::string run_table(std::span<const RunData> runs) {
  std::vector<std::vector<std::string>> lines(runs.size() + 1);
  lines[0].push_back("run");
  for (std::size_t r = 0; r < runs.size(); ++r) lines[r + 1].push_back(runs[r].name);
  std::vector<std::vector<Figure>> figures;
  for (const RunData& run : runs) figures.push_back(final_figures(run));
  for (std::size_t f = 0; !figures.empty() && f < figures[0].size(); ++f) {
    lines[0].push_back(figures[0][f].name);
    for (std::size_t r = 0; r < runs.size(); ++r) lines[r + 1].push_back(figures[r][f].text);
  }
  return text_table(lines);
}

}  // namespace qed
