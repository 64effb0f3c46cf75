#pragma once

// Rows of comma-separated values, RFC 4180: a field in quotes may hold commas, line ends and, twice
// written, quotes. Spaces belong to the field. The first row names the columns.

#include "core/data/text_rows.h"

#include <span>
#include <string>
#include <vector>

namespace qed {

class CsvFormat final : public TextFormat {
 public:
  explicit CsvFormat(std::span<const std::string> columns)
      : wanted_(columns.begin(), columns.end()) {}

  void scan(std::string_view block, std::uint64_t begin, RowIndex& rows) override;
  void finish(std::uint64_t end, RowIndex& rows) override;
  std::uint64_t open(std::string_view first, std::uint64_t line) override;
  void write(std::string_view text, std::uint64_t line, std::string& json) const override;

 private:
  enum class State { kRow, kField, kPlain, kQuoted, kQuote };  // kRow, kField: at the start of one

  void end_row(std::uint64_t end, RowIndex& rows);

  std::vector<std::string> wanted_;  // none: all
  std::vector<std::string> names_;
  std::vector<std::string> keys_;  // `"name":`; empty for a column that is left out

  State state_ = State::kRow;
  std::uint64_t line_ = 1;
  std::uint64_t row_begin_ = 0, row_line_ = 1;
  bool begins_with_return_ = false;  // the row
};

}  // namespace qed
