#include "core/report/run_data.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "core/report/lines.h"
#include "core/util/error.h"
#include "core/util/files.h"

namespace qed {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr char kStep[] = "training/global_step";

void add_row(const json& row, Curves& to) {
  const auto step = row.at(kStep).get<std::int64_t>();
  if (to.step.empty() || to.step.back() != step) {
    to.step.push_back(step);
    to.stage.emplace_back();
  }
  to.stage.back() = row.value("stage", "");
  for (const auto& [name, value] : row.items()) {
    if (!value.is_number() || name == kStep || name == "step") continue;
    std::vector<double>& column = to.series[name];
    column.resize(to.step.size(), kNaN);
    column.back() = value.get<double>();
  }
}

// Steps that have completions, evenly chosen: the key is one, the value what may still be taken.
std::unordered_map<std::int64_t, std::int64_t> choose_steps(const Curves& curves, std::size_t most,
                                                            std::size_t bytes_per_step) {
  std::vector<std::int64_t> with_samples;
  const auto found = curves.series.find("response_length/mean");
  if (found == curves.series.end()) return {};
  for (std::size_t i = 0; i < curves.step.size(); ++i) {
    if (!std::isnan(found->second[i])) with_samples.push_back(curves.step[i]);
  }
  std::unordered_map<std::int64_t, std::int64_t> chosen;
  const std::size_t n = with_samples.size(), count = std::min(n, most);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = count == 1 ? n - 1 : i * (n - 1) / (count - 1);
    chosen[with_samples[at]] = static_cast<std::int64_t>(bytes_per_step);
  }
  return chosen;
}

// The number that a line of samples.jsonl begins with: its global step. -1: it is no such line.
std::int64_t step_of(std::string_view line) {
  const std::size_t colon = line.find(':'), digit = line.find_first_not_of(' ', colon + 1);
  std::int64_t step = -1;
  if (colon != line.npos && digit != line.npos)
    std::from_chars(line.data() + digit, line.data() + line.size(), step);
  return step;
}

bool is_inside_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Text without its middle where it is longer than `most` bytes.
std::string shortened(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t head = most / 2, tail = text.size() - most / 2;
  while (head > 0 && is_inside_character(text[head])) --head;
  while (tail < text.size() && is_inside_character(text[tail])) ++tail;
  return cat(text.substr(0, head), "\n[… ", tail - head, " bytes left out …]\n", text.substr(tail));
}

ordered_json shortened_sample(ordered_json line, std::size_t most) {
  for (const char* key : {kStep, "step", "task", "item", "group", "prompt"}) line.erase(key);
  for (const char* key : {"prompt_ids", "completion_ids", "logp", "behavior_logp"}) line.erase(key);
  line["completion"] = shortened(line.value("completion", ""), most);
  return line;
}

ordered_json group_of(const ordered_json& line, std::size_t most) {
  return {
      {"global_step", line.value(kStep, 0)}, {"step", line.value("step", 0)},
      {"task", line.value("task", "")},      {"item", line.value("item", "")},
      {"group", line.value("group", 0)},     {"prompt", shortened(line.value("prompt", ""), most)},
      {"samples", ordered_json::array()}};
}

}  // namespace

double Curves::last(const std::string& name) const {
  const auto found = series.find(name);
  if (found == series.end()) return kNaN;
  const auto& column = found->second;
  const auto at =
      std::find_if(column.rbegin(), column.rend(), [](double x) { return !std::isnan(x); });
  return at == column.rend() ? kNaN : *at;
}

Curves read_curves(const fs::path& metrics_file) {
  Curves curves;
  for_each_line(metrics_file, [&](const std::string& line, std::size_t number) {
    const json row = json::parse(line, nullptr, false);
    if (!row.is_object() || !row.value(kStep, json()).is_number_integer()) {
      bad_line(metrics_file, number, "metrics");
    }
    add_row(row, curves);
  });
  for (auto& [name, column] : curves.series) column.resize(curves.step.size(), kNaN);
  return curves;
}

Curves thinned(const Curves& curves, std::size_t most) {
  const std::size_t n = curves.step.size();
  if (n <= most) return curves;
  std::vector<bool> stays(n, false);
  const std::size_t stride = (n + most - 1) / most;
  for (std::size_t i = 0; i < n; i += stride) stays[i] = true;
  stays[n - 1] = true;
  for (const auto& [name, column] : curves.series) {
    if (!name.starts_with("val-")) continue;
    for (std::size_t i = 0; i < n; ++i) stays[i] = stays[i] || !std::isnan(column[i]);
  }
  Curves out;
  for (std::size_t i = 0; i < n; ++i) {
    if (!stays[i]) continue;
    out.step.push_back(curves.step[i]);
    out.stage.push_back(curves.stage[i]);
    for (const auto& [name, column] : curves.series) out.series[name].push_back(column[i]);
  }
  return out;
}

std::vector<PromptSamples> read_samples(const fs::path& samples_file, const Curves& curves,
                                        const SampleLimits& limits) {
  std::vector<PromptSamples> groups;
  auto left = choose_steps(curves, limits.steps, limits.bytes_per_step);
  for_each_line(samples_file, [&](const std::string& text, std::size_t number) {
    const auto budget = left.find(step_of(text));
    if (budget == left.end()) return;
    const auto line = ordered_json::parse(text, nullptr, false);
    if (!line.is_object()) bad_line(samples_file, number, "samples");
    const bool is_same = !groups.empty() && groups.back()["global_step"] == line.at(kStep) &&
                         groups.back()["group"] == line.value("group", 0);
    if (!is_same && budget->second <= 0) return;
    if (!is_same) groups.push_back(group_of(line, limits.bytes_per_text));
    groups.back()["samples"].push_back(shortened_sample(line, limits.bytes_per_text));
    budget->second -= static_cast<std::int64_t>(std::min(text.size(), 2 * limits.bytes_per_text));
  });
  return groups;
}

SampleAnalysis read_analysis(const fs::path& samples_file, const Curves& curves,
                             const SampleLimits& limits) {
  auto left = choose_steps(curves, limits.steps, limits.analyzed_bytes_per_step);
  const auto wants = [&](std::string_view line) {
    const auto budget = left.find(step_of(line));
    if (budget == left.end()) return false;
    budget->second -= static_cast<std::int64_t>(line.size());
    return true;
  };
  SampleAnalyzer analyzer;
  std::pair<std::int64_t, std::int64_t> last = {-1, -1};  // step, group
  for_each_sample(
      samples_file,
      [&](const LoggedSample& sample) {
        const std::pair group = {sample.global_step, sample.group};
        const bool is_first = last.first != group.first;
        if (!is_first && last != group && left.at(group.first) < 0) {
          left.erase(group.first);
        } else {
          analyzer.add(sample);
          last = group;
        }
      },
      wants);
  return analyzer.finish();
}

RunData read_run(const fs::path& folder, const SampleLimits& limits) {
  const fs::path metrics = folder / "metrics.jsonl";
  if (!fs::exists(metrics)) {
    throw Error(
        cat(folder.string(),
            fs::exists(folder) ? " is no run folder: it has no metrics.jsonl" : " does not exist"),
        "name the folder of a run, for example runs/quickstart", kExitUsage);
  }
  RunData run;
  run.name = fs::absolute(folder).lexically_normal().filename().string();
  if (run.name.empty()) run.name = fs::absolute(folder).lexically_normal().parent_path().filename();
  if (fs::exists(folder / "config.toml")) run.config = read_file(folder / "config.toml");
  run.curves = read_curves(metrics);
  run.samples = read_samples(folder / "samples.jsonl", run.curves, limits);
  run.analysis = read_analysis(folder / "samples.jsonl", run.curves, limits);
  run.alarms = Alarms().replay(metrics);
  return run;
}

}  // namespace qed
