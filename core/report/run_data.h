#pragma once

// What a run folder holds, as the report shows it. Reads files only; a run may be writing them: an
// unfinished last line is left out.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/report/alarms.h"
#include "core/report/sample_analysis.h"

namespace qed {

// metrics.jsonl turned on its side. Rows of one global step are one entry, in which a later row
// wins.
struct Curves {
  std::vector<std::int64_t> step;                     // training/global_step, ascending
  std::vector<std::string> stage;                     // of each step: "sft" or "rl"
  std::map<std::string, std::vector<double>> series;  // [step]; NaN where a step has no value

  // The last value of a series; NaN where there is none.
  double last(const std::string& name) const;
};

// Throws Error, with the line, where one is no row of metrics.
Curves read_curves(const std::filesystem::path& metrics_file);

// The same curves with at most about `most` entries, evenly chosen; evaluations and the last entry
// stay.
Curves thinned(const Curves& curves, std::size_t most);

// The completions of one prompt in one step: global step, stage step, task, item, prompt and
// `samples`, as lines of samples.jsonl without those.
using PromptSamples = nlohmann::ordered_json;

struct SampleLimits {
  std::size_t steps = 40;               // evenly chosen, the first and the last among them
  std::size_t bytes_per_step = 40'000;  // a step's first group is there whatever its size
  std::size_t bytes_per_text = 20'000;  // longer text loses its middle
  // Of the same steps, for the analysis; a group is there as a whole.
  std::size_t analyzed_bytes_per_step = 1'000'000;
};

// Groups of samples.jsonl to browse, in its order. No file, no groups.
std::vector<PromptSamples> read_samples(const std::filesystem::path& samples_file,
                                        const Curves& curves, const SampleLimits& limits = {});

// What the completions of some steps look like. No file, no steps.
SampleAnalysis read_analysis(const std::filesystem::path& samples_file, const Curves& curves,
                             const SampleLimits& limits = {});

struct RunData {
  std::string name;    // of the folder
  std::string config;  // config.toml
  Curves curves;
  std::vector<PromptSamples> samples;
  SampleAnalysis analysis;
  std::vector<Alarms::Raised> alarms;
};

// Throws Error with exit code 2 where the folder is no run folder.
RunData read_run(const std::filesystem::path& folder, const SampleLimits& limits = {});

}  // namespace qed
