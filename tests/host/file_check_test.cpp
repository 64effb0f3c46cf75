#include "core/host/file_check.h"

#include "core/host/provided_versions.h"
#include "core/util/files.h"
#include "tests/host/host_fixture.h"

#include <gmock/gmock.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace qed {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

// A copy of a good plugin that a test may change.
class FileCheck : public testing::Test {
 protected:
  FileCheck()
      : folder_(fs::path(testing::TempDir()) / cat("qed_file_check_", ::getpid())),
        path_(folder_ / "grpo.so") {
    fs::create_directories(folder_);
    fs::copy_file(product_plugins() / "algorithms/grpo.so", path_,
                  fs::copy_options::overwrite_existing);
  }
  ~FileCheck() override { fs::remove_all(folder_); }

  std::string problem() {
    return failure_of([&] { check_file(path_); }).message;
  }

  // Replaces every `from` of the file's bytes by a `to` of the same length.
  void patch(const std::string& from, const std::string& to) {
    std::string bytes = read_file(path_);
    std::size_t count = 0;
    for (std::size_t at = bytes.find(from); at != bytes.npos; at = bytes.find(from, at), ++count) {
      bytes.replace(at, from.size(), to);
    }
    ASSERT_GT(count, 0u);
    write_file(path_, bytes);
  }

  fs::path folder_, path_;
};

TEST_F(FileCheck, AGoodPluginPasses) { EXPECT_EQ(check_file(path_).epoch, QED_EPOCH); }

TEST_F(FileCheck, AFileThatIsNotThereIsNamed) {
  fs::remove(path_);
  EXPECT_EQ(problem(), cat("cannot load plugin ", path_.string(),
                           ": the file cannot be found: No such file or directory [P001]"));
}

TEST_F(FileCheck, WhatIsNoFileIsNotOpened) {
  fs::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);  // to open it would wait for ever
  EXPECT_THAT(problem(), HasSubstr(": not a file [P001]"));
  fs::remove(path_);
  fs::create_directory(path_);
  EXPECT_THAT(problem(), HasSubstr(": not a file [P001]"));
}

TEST_F(FileCheck, AFileThatIsCutShortIsDamaged) {
  fs::resize_file(path_, fs::file_size(path_) - 100);
  EXPECT_THAT(problem(), HasSubstr("damaged or cut short: a table lies outside the file [P003]"));
}

TEST_F(FileCheck, AFileThatEverybodyMayWriteIsRefused) {
  fs::permissions(path_, fs::perms::others_write, fs::perm_options::add);
  const auto f = failure_of([&] { check_file(path_); });
  EXPECT_THAT(f.message, HasSubstr("every user of this computer may write to it [P004]"));
  EXPECT_EQ(f.hint, "chmod o-w " + path_.string());
}

TEST_F(FileCheck, AVersionThatThisSystemLacksIsNamedWithTheNewestThatIsThere) {
  const ElfPlugin file = check_file(path_);
  const auto& needs = file.dynamic.needs;
  const auto need = std::ranges::find_if(
      needs, [](const NeededVersion& n) { return n.version.starts_with("GLIBCXX_3.4."); });
  ASSERT_NE(need, needs.end());
  std::string later = need->version;
  std::ranges::fill(later.begin() + 12, later.end(), '9');  // GLIBCXX_3.4.9...
  later[8] = '9';
  patch(need->version, later);
  const auto f = failure_of([&] { check_file(path_); });
  EXPECT_THAT(f.message, testing::MatchesRegex(cat(".*: needs ", later,
                                                   " of libstdc\\+\\+.so.6; this system has up to "
                                                   "GLIBCXX_3[.]4[.][0-9]+ \\[P026\\]")));
  EXPECT_EQ(f.hint, "build it on a system as old as this one, or link it with -static-libstdc++");
}

TEST(ProvidedVersions, KnowsTheLibrariesOfTheProcess) {
  EXPECT_TRUE(is_loaded("libc.so.6"));
  EXPECT_FALSE(is_loaded("libnobody.so.1"));
  EXPECT_TRUE(provided_version("libc.so.6", "GLIBC_2.2.5").is_there);
  const ProvidedVersion later = provided_version("libc.so.6", "GLIBC_99.1");
  EXPECT_FALSE(later.is_there);
  EXPECT_THAT(later.newest, testing::StartsWith("GLIBC_2."));
  EXPECT_TRUE(provided_version("libnobody.so.1", "NOBODY_1").is_there);  // not known here
}

}  // namespace
}  // namespace qed
