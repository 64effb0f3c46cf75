#pragma once

// Model folders of one test, and the text of errors.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "core/util/error.h"

namespace qed {

// Calls `action` and returns "message | hint" of the Error that it throws.
template <class Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const Error& e) {
    return std::string(e.what()) + " | " + e.hint();
  }
  return "no error";
}

// An empty folder; messages call it FOLDER.
class TextFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("qed_" + std::string(info->test_suite_name()) + "_" + info->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const char* file, std::string_view text) const {
    std::ofstream(folder_ / file, std::ios::binary) << text;
  }

  // error_of with the folder's path replaced.
  template <class Action>
  std::string error(const Action& action) const {
    std::string text = error_of(action);
    const auto at = text.find(folder_.string());
    return at == std::string::npos ? text : text.replace(at, folder_.string().size(), "FOLDER");
  }

  std::filesystem::path folder_;
};

}  // namespace qed
