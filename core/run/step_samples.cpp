#include "core/run/step_samples.h"

#include "core/report/sample_log.h"

#include "qed/abi.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace qed {

namespace {

const char* verdict_name(std::uint32_t verdict) {
  return verdict == QED_VERDICT_RIGHT ? "right" : verdict == QED_VERDICT_WRONG ? "wrong" : "none";
}

// Mean over the tokens of sequence b.
double mean_advantage(const Experience* e, std::size_t b) {
  if (e == nullptr) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (auto t = e->offset[b]; t < e->offset[b + 1]; ++t) sum += e->adv[t];
  return sum / static_cast<double>(e->offset[b + 1] - e->offset[b]);
}

}  // namespace

std::string sample_lines(const StepSamples& samples, bool with_tokens, std::int64_t steps_ahead) {
  const auto& [run, terms, groups, experience] = samples;
  std::string lines;
  std::size_t b = 0;
  for (std::size_t g = 0; g < groups.completions.size(); ++g) {
    const RenderedPrompt& prompt = groups.prompts[g];
    for (std::size_t s = 0; s < groups.completions[g].size(); ++s, ++b) {
      const Completion& c = groups.completions[g][s];
      const Score& score = groups.scored.scores[b];
      SampleRecord record{.global_step = run.folder.state.global_step + steps_ahead,
                          .stage_step = run.folder.state.stage_step + steps_ahead,
                          .group = static_cast<std::int64_t>(g),
                          .sample = static_cast<std::int64_t>(s),
                          .seed = groups.requests[g].samples[s].key,
                          .task = run.stage().tasks[prompt.task].label,
                          .item = prompt.item.key,
                          .prompt = prompt.text,
                          .completion = groups.texts[b],
                          .finish = c.finish == QED_FINISH_STOP ? "stop" : "length",
                          .num_tokens = static_cast<std::int64_t>(c.tokens.size()),
                          .reward = score.reward,
                          .verdict = verdict_name(score.verdict),
                          .terms = {},
                          .advantage = mean_advantage(experience, b),
                          .note = score.note};
      if (with_tokens) {
        record.prompt_ids = prompt.tokens;
        record.completion_ids = c.tokens;
        record.logp = c.logp;
        record.behavior_logp = c.behavior_logp;
      }
      for (std::size_t i = 0; i < terms.size(); ++i)
        record.terms.emplace_back(terms[i], score.terms[i]);
      lines += sample_line(record);
    }
  }
  return lines;
}

std::string demonstration_lines(const RunContext& run, std::span<const Sequence> batch) {
  std::string lines;
  for (const Sequence& s : batch) {
    lines += nlohmann::ordered_json{{"training/global_step", run.folder.state.global_step + 1},
                                    {"step", run.folder.state.stage_step + 1},
                                    {"prompt_ids", std::vector(s.prompt.begin(), s.prompt.end())},
                                    {"completion_ids",
                                     std::vector(s.completion.begin(), s.completion.end())}}
                 .dump();
    lines += "\n";
  }
  return lines;
}

Error failed_step(const RunContext& run, const Error& error, const std::string& lines) {
  const std::filesystem::path file = run.folder.path() / "failed_step.jsonl";
  std::string where = cat("its samples are in ", file.string());
  try {
    write_file(file, lines);
  } catch (const Error& e) {
    where = e.what();
  }
  return Error(cat(run.stage().kind, " step ", run.folder.state.stage_step + 1, ": ", error.what()),
               cat(error.hint(), error.hint().empty() ? "" : "; ", where), error.exit_code());
}

}  // namespace qed
