#include "core/util/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/util/error.h"

namespace qed {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Files : public ::testing::Test {
 protected:
  Files() : folder_(fs::path(::testing::TempDir()) / cat("qed_files_test_", ::getpid())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Files() override { fs::remove_all(folder_); }

  fs::path folder_;
};

TEST_F(Files, WriteThenReadGivesTheSameBytes) {
  const std::string bytes("a\0b\n", 4);

  write_file(folder_ / "x", bytes);

  EXPECT_EQ(read_file(folder_ / "x"), bytes);
}

TEST_F(Files, WriteReplacesTheWholeFileAndLeavesNothingElse) {
  write_file(folder_ / "x", "a long text");

  write_file(folder_ / "x", "short");

  EXPECT_EQ(read_file(folder_ / "x"), "short");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(Files, AMissingFileIsAnErrorWithItsPath) {
  try {
    read_file(folder_ / "none");
    FAIL() << "no exception";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr((folder_ / "none").string()));
  }
}

TEST_F(Files, AppendFileCutsBackToItsLengthAndGrowsFromThere) {
  write_file(folder_ / "log", "good half");

  AppendFile log(folder_ / "log", 5);
  log.append("news");

  EXPECT_EQ(read_file(folder_ / "log"), "good news");
  EXPECT_EQ(log.length(), 9u);
}

TEST_F(Files, AppendFileRefusesAFileShorterThanItsLength) {
  write_file(folder_ / "log", "abc");

  EXPECT_THROW(AppendFile(folder_ / "log", 4), Error);
}

}  // namespace
}  // namespace qed
