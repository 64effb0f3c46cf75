#include "core/run/result_rows.h"

#include "qed/abi.h"

#include <algorithm>
#include <cmath>

namespace qed {

namespace {

using Json = nlohmann::ordered_json;

Json number(double x) { return std::isfinite(x) ? Json(x) : Json(); }

Json terms_json(const Score& score, const std::vector<std::string>& names) {
  Json terms = Json::object();
  for (std::size_t i = 0; i < score.terms.size(); ++i) terms[names[i]] = number(score.terms[i]);
  return terms;
}

// What is said of a completion after its text.
void add_result(Json& row, const Completion& c, const Score& score,
                const std::vector<std::string>& terms) {
  row["finish"] = finish_name(c.finish);
  row["num_tokens"] = c.tokens.size();
  row["reward"] = number(score.reward);
  row["verdict"] = verdict_name(score.verdict);
  row["terms"] = terms_json(score, terms);
  row["note"] = score.note;
}

std::string line(const Json& row) {
  return row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

const char* verdict_name(std::uint32_t verdict) {
  return verdict == QED_VERDICT_RIGHT ? "right" : verdict == QED_VERDICT_WRONG ? "wrong" : "none";
}

const char* finish_name(std::uint32_t finish) {
  return finish == QED_FINISH_STOP ? "stop" : finish == QED_FINISH_LENGTH ? "length" : "abort";
}

std::string eval_line(Json head, const ScoredGroups& groups, std::size_t group, std::size_t first,
                      const std::vector<std::string>& terms) {
  const RenderedPrompt& prompt = groups.prompts[group];
  head["item"] = prompt.item.key;
  head["prompt"] = prompt.text;
  Json& samples = head["samples"] = Json::array();
  for (std::size_t s = 0; s < groups.completions[group].size(); ++s) {
    Json& row = samples.emplace_back();
    row["completion"] = groups.texts[first + s];
    add_result(row, groups.completions[group][s], groups.scored.scores[first + s], terms);
  }
  return line(head);
}

std::string sample_line(const Tokenizer& tokenizer, const Scorer& scorer,
                        const ScoredGroups& groups, std::size_t group, std::size_t sample,
                        std::size_t index) {
  const RenderedPrompt& prompt = groups.prompts[group];
  Completion c = groups.completions[group][sample];
  const std::size_t num_tokens = c.tokens.size();
  const bool is_ended =
      !c.tokens.empty() && std::ranges::binary_search(tokenizer.stop_ids(), c.tokens.back());
  if (is_ended) c.tokens.pop_back();
  const std::string text = completion_text(tokenizer, c, prompt.stop, prompt.decode);
  Json row = {{"task", scorer.task().name()}, {"item", prompt.item.key}, {"sample", sample}};
  if (prompt.messages.empty()) {
    row["prompt"] = prompt.text;
    row["completion"] = text;
  } else {
    row["prompt"] = Json::parse(prompt.messages);
    row["completion"] = prompt.prefill + text;
  }
  c.tokens.resize(num_tokens);
  add_result(row, c, groups.scored.scores[index], scorer.terms());
  return line(row);
}

}  // namespace qed
