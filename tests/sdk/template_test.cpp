#include "core/cli/plugin_new.h"

#include "core/util/error.h"
#include "core/util/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

namespace qed {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class TemplateTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "qed-template-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::vector<std::string> write(const std::string& kind, const std::string& name) {
    return write_new_plugin(kind, name, folder_, "/some where/qed");
  }
  std::string text(const std::string& path) { return read_file(folder_ / path); }

  // Message and hint of the refusal.
  std::string refusal(const std::string& kind, const std::string& name) {
    try {
      write(kind, name);
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), kExitUsage);
      return std::string(error.what()) + "; " + error.hint();
    }
    ADD_FAILURE() << "`" << name << "` was taken";
    return "";
  }

  fs::path folder_;
};

TEST_F(TemplateTest, EveryKindHasItsFilesAndNoPlaceholderIsLeft) {
  for (const std::string kind : {"task", "reward", "algorithm", "sampler"}) {
    const std::string name = "my_" + kind;
    const auto files = write(kind, name);
    EXPECT_THAT(files, Contains("CMakeLists.txt"));
    EXPECT_THAT(files, Contains("README.md"));
    EXPECT_THAT(files, Contains(name + ".cpp"));
    for (const std::string& file : files) {
      EXPECT_THAT(text(name + "/" + file), Not(HasSubstr("laceholder"))) << file;
    }
  }
}

TEST_F(TemplateTest, TheNameIsInTheCodeAndTheClassIsCalledAfterIt) {
  write("task", "even-odd_2");
  const std::string source = text("even-odd_2/even-odd_2.cpp");
  EXPECT_THAT(source, HasSubstr(".name = \"even-odd_2\""));
  EXPECT_THAT(source, HasSubstr("class EvenOdd2 {"));
  EXPECT_THAT(source, HasSubstr("qed::Task<EvenOdd2>"));
}

TEST_F(TemplateTest, ANameThatHoldsTheWordOfTheTemplateIsNotReplacedTwice) {
  write("sampler", "aplaceholder");
  const std::string source = text("aplaceholder/aplaceholder.cpp");
  EXPECT_THAT(source, HasSubstr("class Aplaceholder {"));
  EXPECT_THAT(source, HasSubstr(".name = \"aplaceholder\""));
}

TEST_F(TemplateTest, TheSdkIsSearchedBesideTheProgram) {
  write("task", "parity");
  EXPECT_THAT(text("parity/CMakeLists.txt"), HasSubstr("HINTS [[/some where/qed]]"));
}

TEST_F(TemplateTest, AFolderThatExistsIsLeftAlone) {
  fs::create_directory(folder_ / "parity");
  EXPECT_THAT(refusal("task", "parity"), HasSubstr("parity` exists already"));
  EXPECT_TRUE(fs::is_empty(folder_ / "parity"));
}

TEST_F(TemplateTest, AnUnknownKindIsRefusedWithTheNearestOne) {
  EXPECT_EQ(refusal("tsk", "x"),
            "there is no kind `tsk` of plugin; the closest kind is `task`; write `task`, `reward`, "
            "`algorithm` or `sampler`");
}

TEST_F(TemplateTest, ANameThatCannotBeFileClassOrTargetIsRefused) {
  for (const std::string name : {"", "1x", "a/b", "..", "a b", "-a", "\xC3\xA9t\xC3\xA9"}) {
    EXPECT_THAT(refusal("task", name), HasSubstr("cannot be the name of a plugin; take a letter"));
  }
  EXPECT_THAT(refusal("task", std::string(65, 'a')), HasSubstr("at most 64"));
  EXPECT_THAT(refusal("task", "test"), HasSubstr("CMake has a target of that name"));
  EXPECT_TRUE(fs::is_empty(folder_));
}

}  // namespace
}  // namespace qed
