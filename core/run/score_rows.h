#pragma once

// The rows that `qed score` reads: a prompt and a completion, as text or as token ids.

#include "core/model/config.h"
#include "core/text/tokenizer.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace qed {

struct ScoreRow {
  std::vector<std::int32_t> prompt, completion;
};

// Reads rows for one model. Its tokenizer is opened at the first row that has text.
class ScoreRowReader {
 public:
  ScoreRowReader(std::filesystem::path model, const ModelConfig& config)
      : model_(std::move(model)), config_(config) {}

  // `json` is a valid object and `place` where it stands. Throws Error with exit code 2, the place
  // and the field when it is not a row, or does not fit into the model's window. Of text and ids
  // the ids count: a text need not have been written with the tokens that it would be read with. A
  // text prompt gets the tokens that the tokenizer puts before a text; the completion gets none.
  ScoreRow read(const std::string& json, const std::string& place);

 private:
  const Tokenizer& tokenizer();

  std::filesystem::path model_;
  const ModelConfig& config_;
  std::optional<Tokenizer> tokenizer_;
};

}  // namespace qed
