#pragma once

// A line of the input of `qed verify`.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/host/task.h"

namespace qed {

struct VerifyRow {
  Item item;
  std::string completion;
  std::optional<std::string> prompt, prefill;
  std::vector<std::int32_t> tokens;
  std::uint32_t finish = QED_FINISH_STOP;
  std::optional<std::uint64_t> group;
  std::string error;  // why the task cannot give the item; empty: it can
};

// Where the items that a row names by number come from.
struct ItemSource {
  const Task& task;
  std::string split;
  std::uint64_t count;  // or QED_GENERATIVE
};

// Throws Error with exit code 2 and `number` (from 1) when the line is not a row.
VerifyRow read_verify_row(const std::string& line, std::uint64_t number, const ItemSource& items);

}  // namespace qed
