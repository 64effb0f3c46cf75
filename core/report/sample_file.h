#pragma once

// The completions that a run wrote down, one after another: samples.jsonl, eval.jsonl, and what
// `qed eval -o` and `qed sample -o` write. Memory is that of a line.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace qed {

struct LoggedSample {
  std::int64_t global_step = 0;  // 0: the file has none
  std::string item, prompt;
  std::int64_t group = 0;             // in its step; of an evaluation: the number of the line
  std::optional<double> temperature;  // of an evaluation
  std::string completion;
  bool is_cut = false;  // by the budget of tokens
  std::int64_t num_tokens = 0;
  bool is_scored = false, is_right = false;
  // The task could read an answer: its term `format` (else `answered`, else `built`) is above 0; in
  // a row without such a term its verdict is not "none".
  bool is_formatted = false;
};

// Calls `use` with each completion, of lines that `wants` takes (empty: all). A last line that is
// not finished is left out (a killed run, or one that is writing): true where there is one. Throws
// Error, with the line, where another one is damaged or no row of samples.
bool for_each_sample(const std::filesystem::path& file,
                     const std::function<void(const LoggedSample&)>& use,
                     const std::function<bool(std::string_view line)>& wants = {});

}  // namespace qed
