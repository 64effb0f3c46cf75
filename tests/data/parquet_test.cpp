#include "core/data/parquet.h"

#include <gmock/gmock.h>

#include <atomic>
#include <cstdint>
#include <sstream>
#include <thread>

#include "tests/data/dataset_fixture.h"

namespace qed {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kGolden = QED_SOURCE_DIR "/tests/data/golden/";
const std::string kTypes = kGolden + "types.parquet";

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class ParquetTest : public DatasetFixture {
 protected:
  static std::string lines(const Dataset& data) {
    std::string all;
    for (std::uint64_t i = 0; i < data.count(); ++i) {
      data.row(i, all);
      all += '\n';
    }
    return all;
  }
};

TEST_F(ParquetTest, EveryTypeAndCodecIsWhatPyarrowReads) {
  const auto data = Dataset::open(kTypes);
  EXPECT_EQ(data->count(), 4u);
  EXPECT_EQ(lines(*data), read(kGolden + "types.jsonl"));
  EXPECT_EQ(data->place(3), kTypes + " row 3");
}

TEST_F(ParquetTest, RowsOfPublishedFilesAreWhatPyarrowReads) {
  const char* variable = std::getenv("QED_SHARED_DATA");
  const fs::path folder =
      fs::path(variable != nullptr ? variable : QED_SOURCE_DIR "/../shared/data") / "kk";
  if (!fs::exists(folder)) GTEST_SKIP() << "no " << folder << ": set QED_SHARED_DATA";
  std::istringstream hashes(read(kGolden + "hashes.txt"));
  std::string name;
  std::size_t count = 0, size = 0;
  std::uint64_t hash = 0;
  while (hashes >> name >> std::dec >> count >> size >> std::hex >> hash) {
    const auto data = Dataset::open((folder / name).string());
    const std::string text = lines(*data);
    std::uint64_t found = 0xcbf29ce484222325;
    for (const unsigned char c : text) found = (found ^ c) * 0x100000001b3;
    EXPECT_EQ(data->count(), count) << name;
    EXPECT_EQ(text.size(), size) << name;
    EXPECT_EQ(found, hash) << name;
  }
}

TEST_F(ParquetTest, ColumnsAreChosenInTheOrderOfTheFile) {
  const auto data = Dataset::open(kTypes, std::vector<std::string>{"struct", "int64"});
  EXPECT_EQ(row(*data, 3), R"({"int64":null,"struct":{"a":2,"b":[]}})");
  EXPECT_EQ(row(*data, 1), R"({"int64":9223372036854775807,"struct":{"a":null,"b":null}})");
}

TEST_F(ParquetTest, AMissingColumnIsToldWhenTheFileIsOpened) {
  EXPECT_EQ(error_of([] { Dataset::open(kTypes, std::vector<std::string>{"strin"}); }),
            kTypes + " has no column `strin` | the closest column is `string`");
}

TEST_F(ParquetTest, ThreadsReadOneFileAtTheSameTime) {
  const auto data = Dataset::open(kTypes);
  Rows want;
  for (std::uint64_t i = 0; i < 4; ++i) want.push_back(row(*Dataset::open(kTypes), i));
  std::atomic<int> num_wrong = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < 40; ++i)
        num_wrong += row(*data, (t + i) % 4) != want[(t + i) % 4];
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(num_wrong, 0);
}

TEST_F(ParquetTest, WhatIsNoParquetFileIsAnError) {
  EXPECT_THAT(error_of([&] { Dataset::open(write("a.parquet", "")); }),
              HasSubstr("cannot read FOLDER/a.parquet: "));
  EXPECT_THAT(error_of([&] { Dataset::open(write("a.parquet", "PAR1 this is text PAR1")); }),
              HasSubstr("cannot read FOLDER/a.parquet: "));
  const std::string bytes = read(kTypes);
  EXPECT_THAT(error_of([&] { Dataset::open(write("a.parquet", bytes.substr(0, 5000))); }),
              HasSubstr("cannot read FOLDER/a.parquet: "));
  EXPECT_EQ(error_of([] { row(*Dataset::open(kTypes), 4); }),
            kTypes + " has no row 4: it has 4, from 0 on | ");
}

TEST_F(ParquetTest, DamagedDataIsAnErrorThatNamesTheRowGroup) {
  std::string bytes = read(kTypes);
  std::fill_n(bytes.begin() + 4, 3000, '\xff');  // pages of the first group
  EXPECT_THAT(error_of([&] { row(*Dataset::open(write("a.parquet", bytes)), 0); }),
              HasSubstr("cannot read row group 0 of FOLDER/a.parquet: "));
}

// The footer, in Thrift's compact protocol, of a file without rows: a root, `depth` structs one in
// another, and an integer. Each of them says that it has `children`.
std::string nested(int depth, char children) {
  const std::string group = std::string("\x35\x02\x18\x01g\x15") + children + std::string(1, '\0');
  std::string footer("\x15\x02\x19\xFC", 4);
  const auto size = static_cast<unsigned>(depth + 2);
  footer += static_cast<char>((size & 127) | 128);
  footer += static_cast<char>(size >> 7);
  for (int i = 0; i <= depth; ++i) footer += group;
  footer += std::string("\x15\x02\x25\x02\x18\x01x\0\x16\x00\x19\x0C\0", 13);
  std::string tail = {static_cast<char>(footer.size()), static_cast<char>(footer.size() >> 8),
                      static_cast<char>(footer.size() >> 16), 0};
  return "PAR1" + footer + tail + "PAR1";
}

TEST_F(ParquetTest, AFooterCannotTakeAllOfTheStackOrOfTheMemory) {
  EXPECT_EQ(Dataset::open(write("a.parquet", nested(90, 2)))->count(), 0u);
  EXPECT_EQ(error_of([&] { Dataset::open(write("a.parquet", nested(10000, 2))); }),
            "cannot read FOLDER/a.parquet: its types are nested deeper than 100 | ");
  EXPECT_EQ(error_of([&] { Dataset::open(write("a.parquet", nested(1, 126))); }),
            "cannot read FOLDER/a.parquet: its footer is damaged | ");
}

// In a process of its own, since a library that was found once is kept.
TEST(ParquetLibraryDeathTest, WithoutItTheErrorSaysWhatMakesIt) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        ::setenv("QED_LIB", "/nowhere", 1);
        try {
          Dataset::open(kTypes);
        } catch (const Error& e) {
          std::fprintf(stderr, "%s | %s\n", e.what(), e.hint().c_str());
        }
        std::exit(0);
      },
      testing::ExitedWithCode(0),
      "read by libqed_parquet.so, which is not in /nowhere . `./qed build` builds it");
}

}  // namespace
}  // namespace qed
