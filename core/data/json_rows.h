#pragma once

// Rows that are JSON objects: one per line, or the elements of an array.

#include "core/data/text_rows.h"

#include <span>
#include <string>
#include <vector>

namespace qed {

// What both have in common: the text of a row is an object. nlohmann/json says whether it is valid;
// what is emitted are slices of the text.
class JsonFormat : public TextFormat {
 public:
  explicit JsonFormat(std::span<const std::string> columns)
      : columns_(columns.begin(), columns.end()) {}

  std::uint64_t open(std::string_view first, std::uint64_t line) override;
  void write(std::string_view text, std::uint64_t line, std::string& json) const override;

 private:
  std::vector<std::string> columns_;  // none: all
};

class JsonLines final : public JsonFormat {
 public:
  using JsonFormat::JsonFormat;
  void scan(std::string_view block, std::uint64_t begin, RowIndex& rows) override;
  void finish(std::uint64_t end, RowIndex& rows) override;

 private:
  std::uint64_t line_ = 1;
  std::uint64_t line_begin_ = 0;
  bool is_blank_ = true;  // the line, up to here
};

class JsonArray final : public JsonFormat {
 public:
  using JsonFormat::JsonFormat;
  void scan(std::string_view block, std::uint64_t begin, RowIndex& rows) override;
  void finish(std::uint64_t end, RowIndex& rows) override;
  bool shares_lines() const override { return true; }

 private:
  enum class State { kStart, kFirst, kNext, kRow, kString, kEscape, kAfterRow, kEnd };
  void take(char c, std::uint64_t at, RowIndex& rows);
  void begin_row(char c, std::uint64_t at);

  State state_ = State::kStart;
  std::uint64_t line_ = 1;
  std::uint64_t row_begin_ = 0, row_line_ = 1;
  std::uint64_t depth_ = 0;  // of brackets inside the row
};

}  // namespace qed
