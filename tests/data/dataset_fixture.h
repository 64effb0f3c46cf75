#pragma once

// Data files for the tests of readers, in a folder of the test's own.

#include "core/data/dataset.h"
#include "core/util/error.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qed {

class DatasetFixture : public testing::Test {
 protected:
  using Rows = std::vector<std::string>;

  DatasetFixture() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string("qed_data_") + test->test_suite_name() + "_" + test->name();
    std::ranges::replace(name, '/', '_');  // in the names of tests with a parameter
    folder_ = std::filesystem::path(testing::TempDir()) / name;
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    ::setenv("QED_LIB", QED_BINARY_DIR "/lib", 1);
    ::unsetenv("QED_DATA_PATH");
  }
  ~DatasetFixture() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, std::string_view bytes) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return path(name);
  }

  static std::string row(const Dataset& data, std::uint64_t i) {
    std::string json;
    data.row(i, json);
    return json;
  }
  static Rows rows(const Dataset& data) {
    Rows all;
    for (std::uint64_t i = 0; i < data.count(); ++i) all.push_back(row(data, i));
    return all;
  }
  Rows rows(const std::string& name, std::string_view bytes,
            const std::vector<std::string>& columns = {}) const {
    return rows(*Dataset::open(write(name, bytes), columns));
  }

  // Calls `action` and returns "message | hint" of the Error that it throws; the folder is FOLDER.
  template <class Action>
  std::string error_of(const Action& action) const {
    std::string text = "no error";
    try {
      action();
    } catch (const Error& e) {
      text = std::string(e.what()) + " | " + e.hint();
    }
    for (auto at = text.find(folder_.string()); at != text.npos; at = text.find(folder_.string())) {
      text.replace(at, folder_.string().size(), "FOLDER");
    }
    return text;
  }
  std::string error_of(const std::string& name, std::string_view bytes,
                       const std::vector<std::string>& columns = {}) const {
    return error_of([&] { rows(name, bytes, columns); });
  }

  std::filesystem::path folder_;
};

}  // namespace qed
