#pragma once

// The fields of a row that a user wrote: a JSON object of a data file. What is wrong with one ends
// the command with exit code 2, the row's place and the field.

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace qed {

class RowFields {
 public:
  // `json` is a valid object; `place` and `example` (how a row is written) are for messages.
  RowFields(const std::string& json, std::string place, std::string example);

  const std::string& place() const { return place_; }

  // A field that is there and not null; else nullptr.
  const nlohmann::json* find(const std::string& name) const;
  // A field that is there.
  std::string text(const std::string& name) const;
  // The same: a list of token ids below `vocab`.
  std::vector<std::int32_t> ids(const std::string& name, std::int64_t vocab) const;

  // "bad row in rows.jsonl:3: …".
  [[noreturn]] void fail(const std::string& why, const std::string& hint = {}) const;

 private:
  nlohmann::json row_;
  std::string place_, example_;
};

}  // namespace qed
