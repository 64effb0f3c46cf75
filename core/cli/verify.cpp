#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "core/cli/render.h"
#include "core/cli/task_command.h"
#include "core/cli/verify_row.h"
#include "core/util/words.h"

namespace qed {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kBatchRows = 256;                      // or more, where a group goes on
constexpr std::uint64_t kOwnGroup = std::uint64_t{1} << 63;  // of rows that name no group

struct VerifyOptions : TaskOptions {
  bool skips_bad = false;
};

// The text that a model would see, as far as it is known without its chat template.
std::string prompt_text(const Prompt& prompt) {
  if (prompt.messages.empty()) return prompt.text;
  std::string text;
  for (const Json& message : Json::parse(prompt.messages)) {
    const Json content = message.is_object() ? message.value("content", Json()) : Json();
    if (content.is_string()) text += (text.empty() ? "" : "\n") + content.get<std::string>();
  }
  return text;
}

// 0.1f is written 0.1.
double shortest(float value) {
  char text[32] = {};
  std::to_chars(text, text + sizeof(text) - 1, value);
  return std::strtod(text, nullptr);
}

// Collects rows and scores them a batch at a time.
class Scorer {
 public:
  explicit Scorer(const Task& task) : task_(task) {}

  // `number` is the row's line.
  void add(VerifyRow row, std::uint64_t number) {
    const std::uint64_t group = row.group.value_or(kOwnGroup + num_rows_);
    const bool begins_group = groups_.empty() || group != groups_.back();
    if (begins_group && task_.by_group() && !seen_groups_.insert(group).second) {
      throw Error(cat("bad row in line ", number, ": group ", group, " was over"),
                  cat("task `", task_.name(), "` needs the rows of a group one after the other"),
                  kExitUsage);
    }
    // A group is never cut: its rows go to the task in one call.
    if (begins_group && rows_.size() >= kBatchRows) flush();
    rows_.push_back(std::move(row));
    groups_.push_back(group);
    ++num_rows_;
  }

  void flush() {
    std::vector<std::string> errors(rows_.size());
    std::vector<SampleView> samples;
    std::map<std::uint64_t, std::uint64_t> group_sizes;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      errors[i] = fill_prompt(rows_[i]);
      if (!errors[i].empty()) continue;
      const VerifyRow& row = rows_[i];
      samples.push_back({.item = &row.item,
                         .prompt = *row.prompt,
                         .prefill = *row.prefill,
                         .text = row.completion,
                         .tokens = row.tokens,
                         .finish = row.finish,
                         .group = groups_[i],
                         .index = group_sizes[groups_[i]]++});
    }
    const std::vector<Score> scores = task_.verify(samples, 0);
    auto score = scores.begin();
    for (const std::string& error : errors) {
      print(error.empty() ? to_json(*score++) : Json{{"error", error}});
    }
    std::fflush(stdout);
    rows_.clear();
    groups_.clear();
  }

  std::uint64_t num_rows() const { return num_rows_; }
  std::uint64_t num_failed() const { return num_failed_; }

 private:
  // What the row does not say comes from the task; returns why it cannot.
  std::string fill_prompt(VerifyRow& row) const {
    if (!row.error.empty() || (row.prompt && row.prefill)) return row.error;
    try {
      const Prompt prompt = task_.render(row.item);
      if (!row.prompt) row.prompt = prompt_text(prompt);
      if (!row.prefill) row.prefill = prompt.prefill;
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  Json to_json(const Score& score) const {
    if (score.status != QED_OK) return {{"error", score.note}};
    Json terms = Json::object();
    for (std::size_t i = 0; i < score.terms.size(); ++i) {
      terms[task_.terms()[i]] = shortest(score.terms[i]);
    }
    const char* verdict = score.verdict == QED_VERDICT_RIGHT   ? "right"
                          : score.verdict == QED_VERDICT_WRONG ? "wrong"
                                                               : "none";
    return {{"reward", score.reward},
            {"terms", std::move(terms)},
            {"verdict", verdict},
            {"note", score.note}};
  }

  void print(const Json& row) {
    if (row.contains("error")) ++num_failed_;
    std::printf("%s\n", row.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  }

  const Task& task_;
  std::vector<VerifyRow> rows_;
  std::vector<std::uint64_t> groups_;  // of rows_
  std::set<std::uint64_t> seen_groups_;
  std::uint64_t num_rows_ = 0, num_failed_ = 0;
};

int verify(const VerifyOptions& options) {
  const OpenTask open = open_task(options, "verify");
  if (::isatty(STDIN_FILENO) != 0) {
    print_notice("reading rows from the terminal, one JSON object per line; ctrl-D ends them");
  }
  const ItemSource items{*open.task, options.split, open.count};
  Scorer scorer(*open.task);
  std::uint64_t number = 0, num_bad = 0;
  std::string first_bad;
  for (std::string line; std::getline(std::cin, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    try {
      scorer.add(read_verify_row(line, number, items), number);
    } catch (const Error& error) {
      const bool is_skipped = options.skips_bad && error.exit_code() == kExitUsage;
      if (!is_skipped) {
        scorer.flush();  // the rows before it have their results
        throw;
      }
      if (num_bad++ == 0) first_bad = error.what();
    }
  }
  scorer.flush();
  if (num_bad > 0) {
    print_notice(cat(counted(num_bad, "bad row"), " left out; the first: ", first_bad));
  }
  if (scorer.num_failed() == 0) return kExitOk;
  throw Error(
      cat(scorer.num_failed(), " of ", counted(scorer.num_rows(), "row"), " could not be scored"),
      "their lines in the output say why", kExitPlugin);
}

}  // namespace

Run add_verify(CLI::App& app) {
  auto options = std::make_shared<VerifyOptions>();  // lives as long as the command line
  CLI::App* command = app.add_subcommand("verify", "Score completions with a task");
  add_task_options(*command, *options);
  command->add_flag("--skip-bad", options->skips_bad,
                    "leave out lines that are no rows, and count them");
  command->footer(
      "Reads a JSON object per line:\n"
      "  item        a number: an index into the split; a string, an object or a list: the item\n"
      "              itself, as the task writes it into its blob\n"
      "  completion  what the model wrote, without the prefill\n"
      "  finish      \"stop\" (default), \"length\" or \"abort\"\n"
      "  prompt, prefill   text; by default the task's own\n"
      "  tokens      ids of the completion\n"
      "  group       a number that rows of one prompt share; by default each row is alone\n"
      "Prints for each row, in order, {\"reward\", \"terms\", \"verdict\", \"note\"}, or "
      "{\"error\"} where it\n"
      "could not be scored (exit code 3 in the end). Nothing else is written to stdout.\n\n"
      "Examples:\n"
      "  qed verify arithmetic < rows.jsonl\n"
      "  echo '{\"item\": \"2+2\", \"completion\": \"<think></think><answer>4</answer>\"}' | qed "
      "verify arithmetic\n");
  return [options] { return verify(*options); };
}

}  // namespace qed
