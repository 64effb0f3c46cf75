#include "core/data/json_rows.h"

#include "core/data/json_text.h"

#include <algorithm>

namespace qed {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// A byte as messages show it.
std::string shown(char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  if (c > ' ' && c <= '~') return cat("`", c, "`");
  const auto byte = static_cast<unsigned char>(c);
  return cat("the byte 0x", kHex[byte >> 4], kHex[byte & 15]);
}

// The problem with the line and the place on it.
BadRow bad_row(const JsonProblem& problem, std::string_view text, std::uint64_t line,
               bool begins_line) {
  const std::string_view before = text.substr(0, problem.byte);
  const auto newline = before.rfind('\n');
  const bool is_first = newline == before.npos;
  const std::size_t column = before.size() - (is_first ? 0 : newline + 1) + 1;
  return {line + static_cast<std::uint64_t>(std::ranges::count(before, '\n')),
          is_first && !begins_line ? cat(problem.what, " (byte ", column, " of the row)")
                                   : cat(problem.what, " (column ", column, ")"),
          ""};
}

// Appends the members of an object, compact, that `columns` name.
void append_columns(std::string_view object, const std::vector<std::string>& columns,
                    std::uint64_t line, std::string& json) {
  std::string chosen;
  std::vector<std::string> names;
  for_each_member(object, [&](std::string_view name, std::string_view member) {
    if (std::ranges::find(columns, name) != columns.end()) {
      (chosen += chosen.empty() ? '{' : ',') += member;
    }
    names.emplace_back(name);
  });
  for (const std::string& column : columns) {
    if (std::ranges::find(names, column) == names.end()) throw missing_column(line, column, names);
  }
  (json += chosen) += '}';
}

}  // namespace

std::uint64_t JsonFormat::open(std::string_view first, std::uint64_t line) {
  std::string ignored;
  // A column that is not there is a mistake in the question; other faults are the row's alone.
  if (!columns_.empty() && !check_json_object(first)) write(first, line, ignored);
  return 0;
}

void JsonFormat::write(std::string_view text, std::uint64_t line, std::string& json) const {
  if (const auto problem = check_json_object(text)) {
    throw bad_row(*problem, text, line, !shares_lines());
  }
  if (columns_.empty()) {
    append_compact(text, json);
  } else {
    std::string object;
    append_compact(text, object);
    append_columns(object, columns_, line, json);
  }
}

void JsonLines::scan(std::string_view block, std::uint64_t begin, RowIndex& rows) {
  if (is_blank_) line_begin_ = begin;
  for (std::size_t at = 0; at < block.size();) {
    const std::string_view rest = block.substr(at, block.find('\n', at) - at);
    is_blank_ = is_blank_ && std::ranges::all_of(rest, is_space);
    at += rest.size();
    RowIndex::check_size(begin + at - line_begin_, line_);
    if (at == block.size()) return;  // the line goes on
    if (!is_blank_) rows.add(line_begin_, begin + at, line_);
    line_begin_ = begin + ++at;
    ++line_;
    is_blank_ = true;
  }
}

void JsonLines::finish(std::uint64_t end, RowIndex& rows) {
  if (!is_blank_) rows.add(line_begin_, end, line_);
}

void JsonArray::scan(std::string_view block, std::uint64_t begin, RowIndex& rows) {
  for (std::size_t i = 0; i < block.size(); ++i) {
    take(block[i], begin + i, rows);
    line_ += block[i] == '\n';
  }
  if (depth_ > 0) RowIndex::check_size(begin + block.size() - row_begin_, row_line_);
}

void JsonArray::take(char c, std::uint64_t at, RowIndex& rows) {
  switch (state_) {
    case State::kString:
      if (c == '\\') state_ = State::kEscape;
      if (c == '"') state_ = State::kRow;
      return;
    case State::kEscape:
      state_ = State::kString;
      return;
    case State::kRow:
      if (c == '"') state_ = State::kString;
      if (c == '{' || c == '[') ++depth_;
      if ((c == '}' || c == ']') && --depth_ == 0) {
        rows.add(row_begin_, at + 1, row_line_);
        state_ = State::kAfterRow;
      }
      return;
    default:
      if (!is_space(c)) begin_row(c, at);
  }
}

// Between the rows.
void JsonArray::begin_row(char c, std::uint64_t at) {
  if (state_ == State::kStart) {
    if (c != '[') {
      throw BadRow{line_,
                   cat("expected an array of objects, which begins with `[`, found ", shown(c)),
                   "a file with an object per line is named .jsonl"};
    }
    state_ = State::kFirst;
  } else if (state_ == State::kEnd) {
    throw BadRow{line_, cat("expected nothing after the array, found ", shown(c)), ""};
  } else if (c == ']' && state_ != State::kNext) {
    state_ = State::kEnd;
  } else if (state_ == State::kAfterRow) {
    if (c != ',') throw BadRow{line_, cat("expected `,` or `]` after a row, found ", shown(c)), ""};
    state_ = State::kNext;
  } else if (c == '{') {
    row_begin_ = at;
    row_line_ = line_;
    depth_ = 1;
    state_ = State::kRow;
  } else {
    throw BadRow{line_, cat("expected an object, which begins with `{`, found ", shown(c)), ""};
  }
}

void JsonArray::finish(std::uint64_t, RowIndex&) {
  if (state_ == State::kEnd) return;
  throw BadRow{line_, "the file ends before its array does", "it may have been cut off"};
}

}  // namespace qed
