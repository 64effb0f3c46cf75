#pragma once

// From a task's item to the tokens that a model reads.

#include "core/host/task.h"
#include "core/rollout/generate.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qed {

struct RenderedPrompt {
  Item item;
  std::size_t task = 0;  // of the stage's tasks
  std::string text;      // what the model reads, prefill included
  std::string prefill;   // the end of `text` that belongs to the answer
  std::string messages;  // JSON: what `text` was rendered from; empty for raw text
  std::vector<std::int32_t> tokens;
  std::int64_t max_new_tokens;
  DecodeMode decode;              // how the verifier wants the completion
  std::vector<std::string> stop;  // texts that end the completion, and stay in it
  std::int32_t end_id;  // what a complete answer ends with: the end of the text, or of the turn
};

// Chat messages become text by `chat`, which ends where the answer begins; the prefill follows. Raw
// text gets what the tokenizer puts around a text, such as a start token; a chat template writes
// its own. Throws Error for messages without a template (null), and for a template that raises.
RenderedPrompt render(const Task& task, const Tokenizer& tokenizer, const ChatTemplate* chat,
                      Item item, std::int64_t max_new_tokens);

// The text of a completion. An id without a token, which a model with padded rows may draw, has no
// text.
std::string completion_text(const Tokenizer& tokenizer, std::span<const std::int32_t> tokens,
                            DecodeMode mode);
// The same of a completion that may have met one of these stop strings: what its last token holds
// after the string is cut off.
std::string completion_text(const Tokenizer& tokenizer, const Completion& completion,
                            std::span<const std::string> stop, DecodeMode mode);

// A prompt and its worked completion, end token included: the material of supervised training.
struct Demonstration {
  std::vector<std::int32_t> prompt, completion;
};

// Throws Error when the task has no demonstrations.
Demonstration demonstrate(const Task& task, const Tokenizer& tokenizer, const ChatTemplate* chat,
                          Item item, std::uint64_t seed);

}  // namespace qed
