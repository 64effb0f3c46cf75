#include "core/util/files.h"

#include "core/util/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace qed {

namespace {

[[noreturn]] void fail(const char* what, const std::filesystem::path& path) {
  const int code = errno;
  throw Error(cat("cannot ", what, " ", path.string(), ": ", std::strerror(code)),
              code == ENOSPC || code == EDQUOT || code == EFBIG
                  ? "free some space, then run the same command again"
                  : "");
}

void write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail("read", path);
  std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (in.bad()) fail("read", path);
  return bytes;
}

FileReplacement::FileReplacement(std::filesystem::path path)
    : path_(std::move(path)), temporary_(path_.string() + ".tmp") {
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) fail("create", temporary_);
}

FileReplacement::~FileReplacement() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void FileReplacement::append(std::string_view bytes) { write_all(fd_, bytes, temporary_); }

void FileReplacement::commit() {
  if (::fsync(fd_) != 0) fail("write", temporary_);
  ::close(fd_);
  fd_ = -1;
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("replace", path_);
  sync_folder(path_.parent_path());
}

void write_file(const std::filesystem::path& path, std::span<const std::string_view> parts) {
  FileReplacement file(path);
  for (const std::string_view part : parts) file.append(part);
  file.commit();
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  write_file(path, std::span(&bytes, 1));
}

void sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail("open", folder);
  const int result = ::fsync(fd);
  ::close(fd);
  if (result != 0) fail("sync", folder);
}

AppendFile::AppendFile(const std::filesystem::path& path, std::uint64_t length)
    : path_(path),
      fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)),
      length_(length) {
  if (fd_ < 0) fail("open", path_);
  const off_t found = ::lseek(fd_, 0, SEEK_END);
  if (found < 0) fail("read", path_);
  if (static_cast<std::uint64_t>(found) < length) {
    ::close(fd_);
    throw Error(cat(path.string(), " has ", found,
                    " bytes, but the checkpoint was made when it had ", length),
                "start again with --fresh, or give the run another name with --run");
  }
  if (::ftruncate(fd_, static_cast<off_t>(length)) != 0) fail("cut", path_);
  if (::lseek(fd_, 0, SEEK_END) < 0) fail("read", path_);
}

AppendFile::~AppendFile() { ::close(fd_); }

void AppendFile::append(std::string_view bytes) {
  write_all(fd_, bytes, path_);
  length_ += bytes.size();
}

void AppendFile::sync() {
  if (::fsync(fd_) != 0) fail("write", path_);
}

}  // namespace qed
