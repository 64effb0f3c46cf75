#include "core/data/csv.h"

#include "core/data/json_text.h"
#include "core/host/plugin_call.h"
#include "core/util/words.h"

#include <algorithm>
#include <utility>

namespace qed {
namespace {

// Takes the next field off a row. `more` tells whether another one follows.
std::string next_field(std::string_view& row, std::uint64_t line, bool& more) {
  std::string field;
  if (row.starts_with('"')) {
    std::size_t at = 1;
    for (;; ++at) {
      const std::size_t quote = row.find('"', at);
      if (quote == row.npos) throw BadRow{line, "the quotes of a field are not closed", ""};
      field += row.substr(at, quote - at);
      at = quote + 1;
      if (at == row.size() || row[at] != '"') break;
      field += '"';
    }
    row.remove_prefix(at);
    if (!row.empty() && row.front() != ',') {
      throw BadRow{line, "expected `,` after the closing quotes of a field",
                   "quotes inside a field in quotes are written twice"};
    }
  } else {
    field = row.substr(0, row.find(','));
    row.remove_prefix(field.size());
  }
  more = !row.empty();
  if (more) row.remove_prefix(1);
  return field;
}

std::vector<std::string> split(std::string_view row, std::uint64_t line) {
  if (row.ends_with('\r')) row.remove_suffix(1);
  if (!is_utf8(row)) throw BadRow{line, "the text is not valid UTF-8", "convert the file to UTF-8"};
  std::vector<std::string> fields;
  for (bool more = true; more;) fields.push_back(next_field(row, line, more));
  return fields;
}

}  // namespace

void CsvFormat::scan(std::string_view block, std::uint64_t begin, RowIndex& rows) {
  for (std::size_t i = 0; i < block.size(); ++i) {
    const char c = block[i];
    if (state_ == State::kRow) {
      row_begin_ = begin + i;
      row_line_ = line_;
      begins_with_return_ = c == '\r';
    }
    line_ += c == '\n';
    if (state_ == State::kQuoted) {
      if (c == '"') state_ = State::kQuote;
    } else if (c == '\n') {
      end_row(begin + i, rows);
    } else if (c == ',') {
      state_ = State::kField;
    } else if (c == '"' && state_ != State::kPlain) {
      state_ = State::kQuoted;  // also the second of two inside a field in quotes
    } else {
      state_ = State::kPlain;
    }
  }
  if (state_ != State::kRow) RowIndex::check_size(begin + block.size() - row_begin_, row_line_);
}

void CsvFormat::end_row(std::uint64_t end, RowIndex& rows) {
  const std::uint64_t size = end - row_begin_;
  const bool is_blank = size == 0 || (size == 1 && begins_with_return_);
  if (!is_blank) rows.add(row_begin_, end, row_line_);
  state_ = State::kRow;
}

void CsvFormat::finish(std::uint64_t end, RowIndex& rows) {
  if (state_ == State::kQuoted) {
    throw BadRow{row_line_, "the quotes of a field are not closed",
                 "the rest of the file is taken for this field: close its quotes"};
  }
  if (state_ != State::kRow) end_row(end, rows);
}

std::uint64_t CsvFormat::open(std::string_view first, std::uint64_t line) {
  names_ = split(first, line);
  for (const std::string& name : names_) {
    if (std::ranges::count(names_, name) > 1) {
      throw BadRow{line, cat("the header names column `", name, "` twice"), ""};
    }
    keys_.emplace_back();
    if (!wanted_.empty() && std::ranges::find(wanted_, name) == wanted_.end()) continue;
    append_json_string(name, keys_.back());
    keys_.back() += ':';
  }
  for (const std::string& column : wanted_) {
    if (std::ranges::find(names_, column) == names_.end())
      throw missing_column(line, column, names_);
  }
  return 1;
}

void CsvFormat::write(std::string_view text, std::uint64_t line, std::string& json) const {
  const std::vector<std::string> fields = split(text, line);
  if (fields.size() != names_.size()) {
    throw BadRow{
        line,
        cat("it has ", counted(fields.size(), "field"), ", but the header has ", names_.size()),
        "a field with a comma or a line end must be in quotes"};
  }
  char separator = '{';
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (keys_[i].empty()) continue;
    (json += std::exchange(separator, ',')) += keys_[i];
    append_json_string(fields[i], json);
  }
  json += '}';
}

}  // namespace qed
