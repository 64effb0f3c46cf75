// Files with random damage: a reader gives rows that are JSON or throws Error, and nothing else.

#include <gmock/gmock.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/data/dataset_fixture.h"

namespace qed {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kMaxRows = 1000;  // that are looked at of one file

class ReaderFuzz : public DatasetFixture, public testing::WithParamInterface<const char*> {
 protected:
  std::string seed_file() const {
    const std::string kind = GetParam();
    if (kind == "jsonl") return "{\"a\": [1, 2.5e3], \"b\": \"x\\n\\u00e9\"}\r\n\n{\"a\": null}\n";
    if (kind == "json") return "[\n {\"a\": {\"b\": \"]\\\"\"}},\n {\"a\": true}\n]\n";
    if (kind == "csv") return "a,\"b c\"\r\n1,\"x,\"\"y\"\"\n\"\n\n,é\n";
    std::ifstream in(QED_SOURCE_DIR "/tests/data/golden/types.parquet", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // One to eight random edits: bytes that mean something, bits, cuts, copies of pieces.
  std::string damaged(std::string bytes) {
    static constexpr std::string_view kBytes = "\"{}[],:\\\n\r\0\xff\x80\xEF 0-eu"sv;
    for (std::uint64_t edits = 1 + at(8); edits > 0 && !bytes.empty(); --edits) {
      const std::uint64_t i = at(bytes.size());
      switch (at(6)) {
        case 0:
          bytes[i] = kBytes[at(kBytes.size())];
          break;
        case 1:
          bytes.insert(i, 1, kBytes[at(kBytes.size())]);
          break;
        case 2:
          bytes[i] = static_cast<char>(bytes[i] ^ (1 << at(8)));
          break;
        case 3:
          bytes.erase(i, 1 + at(4));
          break;
        case 4:
          bytes[i] = static_cast<char>(at(256));
          break;
        default:
          if (at(10) == 0)
            bytes.resize(i);
          else
            bytes.insert(i, bytes.substr(at(bytes.size()), at(20)));
      }
    }
    return bytes;
  }

  std::uint64_t at(std::uint64_t n) { return n == 0 ? 0 : random_() % n; }
  std::mt19937_64 random_{1};
};

TEST_P(ReaderFuzz, GivesJsonOrAnErrorOnAnyBytes) {
  const std::string seed = seed_file();
  const std::string name = std::string("a.") + GetParam();
  const bool is_parquet = name == "a.parquet";
  int num_read = 0, num_refused = 0;
  const char* rounds = std::getenv("QED_FUZZ_ROUNDS");  // for a long run
  const int num_rounds = rounds != nullptr ? std::atoi(rounds) : is_parquet ? 400 : 3000;
  for (int i = 0; i < num_rounds; ++i) {
    write(name, damaged(seed));
    try {
      const auto data = Dataset::open(path(name), at(4) == 0 ? Rows{"a"} : Rows{});
      const std::uint64_t count = std::min(kMaxRows, data->count());
      for (std::uint64_t r = 0; r < count; ++r) {
        try {
          const std::string json = row(*data, r);
          ASSERT_TRUE(nlohmann::json::accept(json)) << json;
          ASSERT_EQ(json.find_first_of("\n\r"), json.npos) << json;
          ++num_read;
        } catch (const Error&) {
          ++num_refused;
        }
      }
    } catch (const Error&) {
      ++num_refused;
    }
  }
  EXPECT_GT(num_read, 0);
  EXPECT_GT(num_refused, 0);
}

INSTANTIATE_TEST_SUITE_P(Formats, ReaderFuzz, testing::Values("jsonl", "json", "csv", "parquet"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace qed
