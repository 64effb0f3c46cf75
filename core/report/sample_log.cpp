#include "core/report/sample_log.h"

#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace qed {

namespace {

// The double that prints as the float does: 0.1f as 0.1.
double as_written(float value) {
  char text[32];
  const char* end = std::to_chars(text, text + sizeof text, value).ptr;
  double out = value;
  std::from_chars(text, end, out);
  return out;
}

std::vector<double> as_written(std::span<const float> values) {
  std::vector<double> out;
  for (const float value : values) out.push_back(as_written(value));
  return out;
}

}  // namespace

std::string sample_line(const SampleRecord& r) {
  nlohmann::ordered_json terms = nlohmann::ordered_json::object();
  for (const auto& [name, value] : r.terms) terms[std::string(name)] = as_written(value);
  char seed[17];
  std::snprintf(seed, sizeof seed, "%016llx", static_cast<unsigned long long>(r.seed));
  nlohmann::ordered_json line = {{"training/global_step", r.global_step},
                                 {"step", r.stage_step},
                                 {"task", r.task},
                                 {"item", r.item},
                                 {"group", r.group},
                                 {"sample", r.sample},
                                 {"turn", r.turn},
                                 {"seed", seed},
                                 {"prompt", r.prompt},
                                 {"completion", r.completion},
                                 {"finish", r.finish},
                                 {"num_tokens", r.num_tokens},
                                 {"reward", r.reward},
                                 {"verdict", r.verdict},
                                 {"terms", std::move(terms)},
                                 {"advantage", r.advantage}};
  if (!r.note.empty()) line["note"] = r.note;
  if (!r.completion_ids.empty()) {
    line["prompt_ids"] = std::vector(r.prompt_ids.begin(), r.prompt_ids.end());
    line["completion_ids"] = std::vector(r.completion_ids.begin(), r.completion_ids.end());
    line["logp"] = as_written(r.logp);
    line["behavior_logp"] = as_written(r.behavior_logp);
  }
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace qed
