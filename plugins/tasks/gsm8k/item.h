#pragma once

// Items: {"gold": "18", "question": "...", "answer": "... #### 18"}, one JSON object. The verifiers
// also take {"gold": "18"} alone, or question and answer without gold.

#include "qed/task.h"

#include <string>
#include <string_view>

namespace gsm8k {

struct Contents {
  std::string gold, question, answer;
};

// A row of the data, {question, answer}, as an item. Throws qed::Error that names the field.
qed::Item from_row(std::string_view row);

// The gold answer of an item. Throws qed::Error for a blob that is no item.
std::string read_gold(std::string_view blob);
// All of an item, question and answer included.
Contents read_contents(std::string_view blob);

}  // namespace gsm8k
