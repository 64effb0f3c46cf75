#pragma once

// A problem of a run file or of a --set, shown with the line it is in and a caret under the
// culprit.
//
//   error: unknown key `clip_rato` in [algorithm]
//     --> configs/kk_grpo.toml:14:1
//      |
//   14 | clip_rato = 0.2
//      | ^^^^^^^^^ not an option of algorithm `grpo`
//
//   hint: the closest option is `clip_ratio`

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "core/util/error.h"

namespace qed {

// A text that values come from: a run file, or the argument of one --set, which has one line.
struct SourceText {
  std::string name;  // "configs/x.toml" or "--set"
  std::vector<std::string> lines;
  bool is_file = true;
};

// A piece of one line of a source. Columns count code points from 1.
struct Span {
  int source = 0;  // index into the sources: 0 is the run file
  int line = 0;    // from 1; 0: the source as a whole
  int column = 0;
  int end_column = 0;  // past the last

  auto operator<=>(const Span&) const = default;
};

struct Problem {
  Span span;
  std::string message;  // one lower-case sentence without a full stop
  std::string label;    // beside the caret; may be empty
  std::string hint;     // may be empty
  int exit_code = kExitUsage;
};

// "configs/x.toml:14" or "--set".
std::string place_of(const Span& span, const std::vector<SourceText>& sources);

// The block above, without a final newline.
std::string render(const Problem& problem, const std::vector<SourceText>& sources);

// All problems of a run file at once: what() is the finished text, in the order of the file, and
// hint() is empty. The exit code is 3 when every problem lies with a plugin, otherwise 2.
class ConfigError : public Error {
 public:
  // `problems` must not be empty; repeated ones are shown once.
  ConfigError(std::vector<Problem> problems, const std::vector<SourceText>& sources);
};

// Splits at newlines; a final newline ends the last line.
std::vector<std::string> split_lines(std::string_view text);

}  // namespace qed
