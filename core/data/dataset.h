#pragma once

// The rows of a data file as JSON, whichever format the file has.
//
// Formats, by extension: .jsonl (an object per line), .json (an array of objects), .csv (a header
// line, quotes as in RFC 4180, every value a string), .parquet. Text is UTF-8, with or without a
// byte order mark; lines end in LF or CRLF; blank lines are no rows. Opening a file reads its
// beginning (parquet: its footer), asking for a row what lies up to it, and counting all of it
// (parquet: nothing more). The file must not change while it is open.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace qed {

// Members are [any]. Every failure throws Error with the file, the place and what is wrong.
class Dataset {
 public:
  // `path_or_key` is a path, or else the name, with or without extension, of a file below a folder
  // of QED_DATA_PATH (folders separated by `:`): `kk/3ppl.train`. Rows have only the `columns`
  // named here, in the order of the file; none named means all.
  static std::shared_ptr<const Dataset> open(const std::string& path_or_key,
                                             std::span<const std::string> columns = {});

  virtual ~Dataset() = default;

  virtual std::uint64_t count() const = 0;

  // Appends row `index` as one JSON object without spaces; numbers and strings of a JSON file stay
  // as they are written there. A failure appends nothing.
  virtual void row(std::uint64_t index, std::string& json) const = 0;

  // Where a row stands, for messages: "rows.jsonl:17", "rows.csv:18" (the line where it begins),
  // "rows.parquet row 17" (its index, from 0).
  virtual std::string place(std::uint64_t index) const = 0;
};

}  // namespace qed
