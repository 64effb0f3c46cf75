#include "core/report/sample_log.h"

#include <charconv>
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

}  // namespace

std::string sample_line(const SampleRecord& r) {
  nlohmann::ordered_json terms = nlohmann::ordered_json::object();
  for (const auto& [name, value] : r.terms) terms[std::string(name)] = as_written(value);
  nlohmann::ordered_json line = {{"training/global_step", r.global_step},
                                 {"step", r.stage_step},
                                 {"task", r.task},
                                 {"item", r.item},
                                 {"group", r.group},
                                 {"sample", r.sample},
                                 {"prompt", r.prompt},
                                 {"completion", r.completion},
                                 {"finish", r.finish},
                                 {"num_tokens", r.num_tokens},
                                 {"reward", r.reward},
                                 {"verdict", r.verdict},
                                 {"terms", std::move(terms)},
                                 {"advantage", r.advantage}};
  if (!r.note.empty()) line["note"] = r.note;
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace qed
