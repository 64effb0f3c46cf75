#pragma once

// What the completions of a run look like, step by step: how they end, how long they are, what they
// say. Counts only, so that parts of a file add up to the whole, in any order. [any]

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/report/keywords.h"
#include "core/report/sample_file.h"
#include "core/report/text_marks.h"

namespace qed {

// Every scored completion is of one kind, as oat-zero tells them apart (Countdown rewards 0, 0.1
// and 1): no answer that could be read, a wrong one, the right one.
enum class Kind : std::uint8_t { kIncorrect, kFormatted, kCorrect };
inline constexpr std::size_t kNumKinds = 3;

// Of the completions in which a list's words stand, and of the groups that have one.
struct ListTally {
  std::int64_t num_with = 0, num_scored_with = 0, num_right_with = 0, num_words = 0;
  std::int64_t num_groups_with = 0, num_right_groups_with = 0;
  bool operator==(const ListTally&) const = default;
};

struct SampleTally {
  std::int64_t num_samples = 0, num_tokens = 0;
  std::array<std::int64_t, kNumKinds> num_of_kind{}, tokens_of_kind{};  // scored ones
  std::int64_t num_cut = 0, num_repeating = 0, num_boxed = 0;
  // Of completions with a mark, see length_split.h: their number, and characters.
  std::int64_t num_split = 0, thinking_characters = 0, answer_characters = 0;
  // Letters are foreign where the prompt has none of their script (Latin is at home in a prompt
  // without letters); a completion with one is mixed.
  ScriptCounts letters{};
  std::int64_t num_foreign_letters = 0, num_mixed = 0;
  std::vector<ListTally> lists;                             // as KeywordCounter::lists()
  std::vector<std::int64_t> num_of_word, num_samples_with;  // as KeywordCounter::words()
  // Groups by (scored completions, right ones among them), where any was scored.
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> groups;

  SampleTally& operator+=(const SampleTally& other);
  bool operator==(const SampleTally&) const = default;
  std::int64_t num_scored() const;
  std::int64_t num_groups() const;
};

// Names and values, in the order of docs/formats.md; NaN: there is nothing to take it of.
// Shares of kinds are of scored completions, `pass@k` and `reflection@k` of groups with a scored
// one. For a list of words, as oat-zero's analysis/eval_self_reflect.py has them: precision is the
// share of groups with a right completion among those with a word of the list in a completion,
// recall the share of the latter among the former.
std::vector<std::pair<std::string, double>> tally_numbers(const SampleTally& tally);

struct SampleAnalysis {
  std::map<std::int64_t, SampleTally> steps;  // by global step
  SampleTally total() const;
};

// Takes completions in the order of the file; those of a group stand side by side.
class SampleAnalyzer {
 public:
  void add(const LoggedSample& sample);
  SampleAnalysis finish();  // once

 private:
  struct Group {
    std::int64_t step, group;
    std::string item;
    std::int64_t num_scored = 0, num_right = 0;
    std::vector<bool> has_list;  // of a scored completion
  };
  bool is_of_group(const LoggedSample& sample) const;
  void add_words(const LoggedSample& sample, SampleTally& tally);
  void add_letters(const LoggedSample& sample, SampleTally& tally);
  void close_group();

  KeywordCounter counter_;
  SampleAnalysis out_;
  std::optional<Group> group_;
  std::string prompt_;
  std::array<bool, kNumScripts> is_at_home_{};  // in prompt_
  std::vector<std::uint32_t> counts_;
};

// Of a file: by temperature, where it is of an evaluation.
struct FileAnalysis {
  std::map<std::optional<double>, SampleAnalysis> parts;
  bool has_unfinished_line = false;
};
FileAnalysis analyze_file(const std::filesystem::path& file);

}  // namespace qed
