#pragma once

// Files that survive a kill at any moment. Every failure throws Error with the path and the
// system's reason. [any]

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace qed {

std::string read_file(const std::filesystem::path& path);

// Replaces the file as one step: readers see the old bytes or the new, never a part. On disk when
// it returns.
void write_file(const std::filesystem::path& path, std::span<const std::string_view> parts);
void write_file(const std::filesystem::path& path, std::string_view bytes);

// The same for a file that is written piece by piece. Until commit() readers see the old bytes;
// when it is destroyed without one, nothing has changed.
class FileReplacement {
 public:
  explicit FileReplacement(std::filesystem::path path);
  ~FileReplacement();
  FileReplacement(const FileReplacement&) = delete;
  FileReplacement& operator=(const FileReplacement&) = delete;

  void append(std::string_view bytes);
  void commit();  // on disk when it returns; once

 private:
  std::filesystem::path path_, temporary_;
  int fd_;
};

// Makes the entries of a folder (creations, renames, deletions) durable.
void sync_folder(const std::filesystem::path& folder);

// A file that only grows, and can be cut back to a length where it was known to be good.
class AppendFile {
 public:
  // Opens or creates the file and cuts it to `length` bytes; Error when it is shorter than that.
  AppendFile(const std::filesystem::path& path, std::uint64_t length);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void append(std::string_view bytes);  // visible to readers when it returns
  void sync();                          // on disk when it returns
  std::uint64_t length() const { return length_; }

 private:
  std::filesystem::path path_;
  int fd_;
  std::uint64_t length_;
};

}  // namespace qed
