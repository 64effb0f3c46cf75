#include "core/data/text_rows.h"

#include "core/util/words.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace qed {
namespace {

constexpr std::uint64_t kBlock = 1 << 20;
constexpr std::uint64_t kMaxRowBytes = 256 << 20;  // longer: not closed quotes, or not text at all
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

[[noreturn]] void fail(const std::string& name, const char* reason) {
  throw Error(cat("cannot read ", name, ": ", reason), "", kExitUsage);
}

}  // namespace

void RowIndex::check_size(std::uint64_t size, std::uint64_t line) {
  if (size > kMaxRowBytes) throw BadRow{line, "the row is longer than 256 MiB", ""};
}

void RowIndex::add(std::uint64_t begin, std::uint64_t end, std::uint64_t line) {
  check_size(end - begin, line);
  if (line > UINT32_MAX) throw BadRow{line, "the file has too many lines", ""};
  rows_.push_back(
      {begin, static_cast<std::uint32_t>(end - begin), static_cast<std::uint32_t>(line)});
}

BadRow missing_column(std::uint64_t line, const std::string& column,
                      const std::vector<std::string>& names) {
  return {line, cat("it has no `", column, "`"), closest_hint("name", nearest(column, names))};
}

std::shared_ptr<const Dataset> TextRows::open(const std::filesystem::path& path,
                                              std::unique_ptr<TextFormat> format) {
  return std::shared_ptr<const Dataset>(new TextRows(path, std::move(format)));
}

TextRows::TextRows(const std::filesystem::path& path, std::unique_ptr<TextFormat> format)
    : name_(path.string()),
      fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
      format_(std::move(format)) {
  if (fd_ < 0) fail(name_, std::strerror(errno));
  try {
    open();
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

void TextRows::open() {
  struct stat status = {};
  if (::fstat(fd_, &status) != 0) fail(name_, std::strerror(errno));
  size_ = static_cast<std::uint64_t>(status.st_size);
  std::string text;
  read(0, std::min<std::uint64_t>(size_, kByteOrderMark.size()), text);
  if (text == kByteOrderMark) scanned_ = text.size();
  const auto first = find(0);
  if (!first) return;
  read(first->begin, first->size, text);
  try {
    num_headers_ = format_->open(text, first->line);
  } catch (const BadRow& bad) {
    throw error(bad, 0);
  }
}

TextRows::~TextRows() { ::close(fd_); }

std::uint64_t TextRows::count() const {
  find(UINT64_MAX);
  const std::lock_guard lock(mutex_);
  return rows_.size() - num_headers_;
}

void TextRows::row(std::uint64_t index, std::string& json) const {
  thread_local std::string text;  // kept for its memory
  const RowIndex::Row row = get(index);
  read(row.begin, row.size, text);
  try {
    format_->write(text, row.line, json);
  } catch (const BadRow& bad) {
    throw error(bad, index);
  }
}

std::string TextRows::place(std::uint64_t index) const { return at(get(index).line, index); }

std::optional<RowIndex::Row> TextRows::find(std::uint64_t index) const {
  const std::lock_guard lock(mutex_);
  while (index >= rows_.size() && !is_finished_) {
    if (failure_) throw error(*failure_, rows_.size() - num_headers_);
    scan_block();
  }
  return index < rows_.size() ? std::optional(rows_[index]) : std::nullopt;
}

RowIndex::Row TextRows::get(std::uint64_t index) const {
  // An index near the end of its range must not wrap.
  const auto row = index < UINT64_MAX - 1 ? find(index + num_headers_) : std::nullopt;
  if (!row) throw Error(cat(name_, " has no row ", index, ": it has ", count(), ", from 0 on"));
  return *row;
}

void TextRows::scan_block() const {
  std::string block;
  read(scanned_, std::min(kBlock, size_ - scanned_), block);
  try {
    if (!block.empty()) format_->scan(block, scanned_, rows_);
    scanned_ += block.size();
    if (scanned_ == size_) {
      format_->finish(size_, rows_);
      is_finished_ = true;
    }
  } catch (const BadRow& bad) {
    failure_ = bad;  // rows before it can be read
  }
}

void TextRows::read(std::uint64_t begin, std::uint64_t size, std::string& bytes) const {
  bytes.resize(size);
  for (std::uint64_t done = 0; done < size;) {
    const ssize_t n =
        ::pread(fd_, bytes.data() + done, size - done, static_cast<off_t>(begin + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(name_, std::strerror(errno));
    if (n == 0) fail(name_, "it became shorter while it was in use");
    done += static_cast<std::uint64_t>(n);
  }
}

std::string TextRows::at(std::uint64_t line, std::uint64_t index) const {
  return format_->shares_lines() ? cat(name_, ":", line, " (row ", index, ")")
                                 : cat(name_, ":", line);
}

Error TextRows::error(const BadRow& bad, std::uint64_t index) const {
  return Error(cat("bad row in ", at(bad.line, index), ": ", bad.what), bad.hint);
}

}  // namespace qed
