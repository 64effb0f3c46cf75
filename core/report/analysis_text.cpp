#include "core/report/analysis_text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/report/text_table.h"
#include "core/util/error.h"
#include "core/util/numbers.h"

namespace qed {
namespace {

using Numbers = std::map<std::string, double>;
using nlohmann::ordered_json;

constexpr std::size_t kMostWords = 10;

std::string text(const char* format, double value) {
  if (std::isnan(value)) return "-";
  char out[32];
  std::snprintf(out, sizeof out, format, value);
  return out;
}

double find(const Numbers& numbers, const std::string& name) {
  const auto found = numbers.find(name);
  return found == numbers.end() ? std::nan("") : found->second;
}

Numbers numbers_of(const SampleTally& tally) {
  const auto list = tally_numbers(tally);
  return {list.begin(), list.end()};
}

// The pass@k of the most completions, and its name.
std::pair<std::string, double> last_pass(const SampleTally& tally) {
  std::pair<std::string, double> out = {"pass@1", std::nan("")};
  for (const auto& number : tally_numbers(tally)) {
    if (number.first.starts_with("pass@")) out = number;
  }
  return out;
}

std::vector<std::string> step_line(const std::string& name, const SampleTally& tally,
                                   const std::string& pass) {
  const Numbers n = numbers_of(tally);
  std::vector<std::string> out = {name, grouped(tally.num_samples)};
  for (const char* share : {"share/correct", "share/formatted", "share/incorrect"}) {
    out.push_back(text("%.3f", find(n, share)));
  }
  out.push_back(text("%.3f", find(n, pass)));
  for (const char* length : {"length/mean", "length/correct", "length/wrong",
                             "length/thinking_chars", "length/answer_chars"}) {
    out.push_back(text("%.1f", find(n, length)));
  }
  for (const char* frac : {"clip_ratio", "repeat_ratio", "box_ratio", "mixed_frac"}) {
    out.push_back(text("%.3f", find(n, frac)));
  }
  return out;
}

// Ranges of steps as even as they can be.
std::string step_table(const SampleAnalysis& analysis, const SampleTally& total, std::size_t rows) {
  const std::string pass = last_pass(total).first;
  TextCells lines = {{"step", "samples", "correct", "formatted", "incorrect", pass, "tokens",
                      "right", "wrong", "think", "answer", "cut", "repeat", "box", "mixed"}};
  const std::size_t n = analysis.steps.size(), count = std::min(n, rows);
  auto at = analysis.steps.begin();
  for (std::size_t row = 0, done = 0; row < count; ++row) {
    const std::int64_t first = at->first;
    std::int64_t last = first;
    SampleTally tally;
    for (; done < (row + 1) * n / count; ++done, ++at) {
      last = at->first;
      tally += at->second;
    }
    const std::string name = first == last ? cat(first) : cat(first, "-", last);
    lines.push_back(step_line(name, tally, pass));
  }
  lines.push_back(step_line("total", total, pass));
  return text_table(lines);
}

std::string shown(std::string_view word) {
  return word.starts_with('\n') ? cat(word.substr(1), " (starts a line)") : std::string(word);
}

void add_numbers(const SampleTally& tally, ordered_json& to) {
  for (const auto& [name, value] : tally_numbers(tally)) {
    const bool is_count = name.starts_with("num_");
    to[name] = std::isnan(value) ? ordered_json()
               : is_count        ? ordered_json(static_cast<std::int64_t>(value))
                                 : ordered_json(value);
  }
}

}  // namespace

TextCells list_cells(const SampleTally& total) {
  const Numbers n = numbers_of(total);
  TextCells lines = {{"words of", "samples", "share", "per sample", "right with", "right without",
                      "reflection@k", "precision", "recall"}};
  const auto add = [&](std::string_view list, std::size_t i) {
    const auto value = [&](const char* name) { return find(n, cat(list, "/", name)); };
    lines.push_back({std::string(list), grouped(total.lists[i].num_with),
                     text("%.4f", value("frac")), text("%.3f", value("per_sample")),
                     text("%.3f", value("right_with")), text("%.3f", value("right_without")),
                     text("%.3f", value("reflection@k")), text("%.3f", value("precision")),
                     text("%.3f", value("recall"))});
  };
  if (total.num_samples == 0) return lines;
  std::size_t i = 0;
  for (const KeywordList& list : reflection_lists()) add(list.name, i++);
  add(step_list().name, i);
  return lines;
}

TextCells word_cells(const SampleTally& total, std::size_t most) {
  const KeywordCounter counter;
  std::vector<std::size_t> order;
  for (std::size_t w = 0; w < total.num_of_word.size(); ++w) {
    if (total.num_of_word[w] > 0) order.push_back(w);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return total.num_of_word[a] > total.num_of_word[b];
  });
  TextCells lines = {{"word", "count", "samples", "share"}};
  for (std::size_t i = 0; i < std::min(order.size(), most); ++i) {
    const std::size_t w = order[i];
    const double share =
        static_cast<double>(total.num_samples_with[w]) / static_cast<double>(total.num_samples);
    lines.push_back({shown(counter.words()[w]), grouped(total.num_of_word[w]),
                     grouped(total.num_samples_with[w]), text("%.4f", share)});
  }
  return lines;
}

std::string analysis_tables(const SampleAnalysis& analysis, std::size_t rows) {
  const SampleTally total = analysis.total();
  const TextCells words = word_cells(total, kMostWords);
  return step_table(analysis, total, rows) + "\n" + text_table(list_cells(total)) +
         (words.size() > 1 ? "\n" + text_table(words) : "");
}

ordered_json analysis_json(const SampleAnalysis& analysis) {
  const SampleTally total = analysis.total();
  const KeywordCounter counter;
  ordered_json out = {{"total", ordered_json::object()}};
  add_numbers(total, out["total"]);
  ordered_json& words = out["words"] = ordered_json::object();
  for (std::size_t w = 0; w < counter.words().size(); ++w) {
    words[shown(counter.words()[w])] = {{"count", total.num_of_word[w]},
                                        {"num_samples", total.num_samples_with[w]}};
  }
  ordered_json& steps = out["steps"] = ordered_json::array();
  for (const auto& [step, tally] : analysis.steps) {
    ordered_json& row = steps.emplace_back();
    row["training/global_step"] = step;
    add_numbers(tally, row);
  }
  return out;
}

}  // namespace qed
