#pragma once

// The rows of a text file: where they begin is found block by block, as far as rows are asked for.

#include "core/data/dataset.h"
#include "core/util/error.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qed {

// What is wrong with a row that begins at a line; becomes an Error with the file's name.
struct BadRow {
  std::uint64_t line;
  std::string what;
  std::string hint;
};

// "it has no column `nme`" with the nearest names.
BadRow missing_column(std::uint64_t line, const std::string& column,
                      const std::vector<std::string>& names);

// Rows of a text file in its order, as a format finds them.
class RowIndex {
 public:
  struct Row {
    std::uint64_t begin;  // bytes from the start of the file
    std::uint32_t size;   // bytes
    std::uint32_t line;   // where it begins, from 1
  };

  // Throws BadRow for a row or a line number that is too large.
  void add(std::uint64_t begin, std::uint64_t end, std::uint64_t line);
  // The same check for a row that has not ended yet.
  static void check_size(std::uint64_t size, std::uint64_t line);

  const Row& operator[](std::uint64_t i) const { return rows_[i]; }
  std::uint64_t size() const { return rows_.size(); }

 private:
  std::vector<Row> rows_;
};

// What differs between text formats.
class TextFormat {
 public:
  virtual ~TextFormat() = default;

  // Sees the bytes of the file once, in order and without a byte order mark. `begin` is where
  // `block` begins in the file. Throws BadRow. Never called at the same time as itself.
  virtual void scan(std::string_view block, std::uint64_t begin, RowIndex& rows) = 0;
  // The file ends at `end`.
  virtual void finish(std::uint64_t end, RowIndex& rows) = 0;

  // Sees the first row, before any write, when the file is opened. Returns how many rows at the
  // start are no data: 1 for a header. Throws BadRow where all rows would be wrong.
  virtual std::uint64_t open(std::string_view first, std::uint64_t line) = 0;

  // True when many rows may stand on one line; then places give the row as well.
  virtual bool shares_lines() const { return false; }

  // Appends a row as JSON; throws BadRow and then appends nothing. [any]
  virtual void write(std::string_view text, std::uint64_t line, std::string& json) const = 0;
};

class TextRows final : public Dataset {
 public:
  static std::shared_ptr<const Dataset> open(const std::filesystem::path& path,
                                             std::unique_ptr<TextFormat> format);
  ~TextRows() override;
  TextRows(const TextRows&) = delete;
  TextRows& operator=(const TextRows&) = delete;

  std::uint64_t count() const override;
  void row(std::uint64_t index, std::string& json) const override;
  std::string place(std::uint64_t index) const override;

 private:
  TextRows(const std::filesystem::path& path, std::unique_ptr<TextFormat> format);

  void open();
  // The row at `index`, headers counted; none beyond the end.
  std::optional<RowIndex::Row> find(std::uint64_t index) const;
  RowIndex::Row get(std::uint64_t index) const;
  void scan_block() const;  // or sets failure_
  void read(std::uint64_t begin, std::uint64_t size, std::string& bytes) const;
  std::string at(std::uint64_t line, std::uint64_t index) const;
  Error error(const BadRow& bad, std::uint64_t index) const;

  std::string name_;
  int fd_;
  std::uint64_t size_ = 0;
  std::unique_ptr<TextFormat> format_;
  std::uint64_t num_headers_ = 0;

  mutable std::mutex mutex_;  // guards all below, and the scanning half of the format
  mutable RowIndex rows_;
  mutable std::uint64_t scanned_ = 0;
  mutable bool is_finished_ = false;
  mutable std::optional<BadRow> failure_;  // where scanning came to its end
};

}  // namespace qed
