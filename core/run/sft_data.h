#pragma once

// Demonstrations from a data file: what a stage of kind "sft" with `data` learns from.

#include "core/run/prompts.h"

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

namespace qed {

struct SftDataOptions {
  std::string file;                     // see core/data/dataset.h
  std::int64_t num_demonstrations = 0;  // the first so many; 0: all
  std::int64_t max_tokens = 0;          // longer rows are cut; 0: those above `window` are refused
  std::int64_t window = 0;              // the model's
};

struct SftData {
  std::vector<Demonstration> demonstrations;
  std::int64_t num_rows = 0;      // that they are from
  std::int64_t num_cut = 0;       // of these
  std::int64_t num_held_out = 0;  // left out: their `item` is held out for evaluation
};

// A row has a prompt, which no loss is taken of, and a completion:
//   prompt (text or messages) and completion (text, or a list of one assistant's message);
//   messages, the last of which is the assistant's: each answer of the assistant is the completion
//   of a demonstration whose prompt are the messages before it, unless its `weight` is 0;
//   prompt_ids and completion_ids, which are taken as they are.
// Messages are rendered by `chat`. A completion gets the end token of the text, or of the turn,
// unless it was cut here or its `finish` is "length". `item` is a key, as `qed sample` writes it.
// `chat` may be null. Throws Error, with the place of a row that is none of these, has no token to
// learn, or is too long.
SftData read_sft_data(const SftDataOptions& options, const Tokenizer& tokenizer,
                      const ChatTemplate* chat, std::int64_t vocab_size,
                      const std::unordered_set<std::string>& held_out);

}  // namespace qed
