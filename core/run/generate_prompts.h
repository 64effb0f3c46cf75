#pragma once

// What `qed generate` completes: a text, the rows of a data file, or items of a task.

#include "core/model/config.h"
#include "core/run/engine.h"
#include "core/text/tokenizer.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qed {

struct PromptToComplete {
  std::string place;                 // where it is from, for messages and headings
  std::string text;                  // empty where it came as ids and there is no tokenizer
  std::vector<std::int32_t> tokens;  // at least one
  std::vector<std::string> stop;     // its own stop strings; the command's come on top
  DecodeMode decode = DecodeMode::kSkipSpecial;
  std::int64_t max_new_tokens = 0;  // fits into the model's window
};

// Reads them all. `tokenizer` may be null: then prompts must be ids. Throws Error with the place of
// a prompt that is empty, too long, or no prompt.
std::vector<PromptToComplete> read_prompts(const GenerateCommand& command,
                                           const ModelConfig& config, const Tokenizer* tokenizer);

}  // namespace qed
