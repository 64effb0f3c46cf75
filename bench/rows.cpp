// bench_rows FILE...: MB of JSON per second at which the rows of data files are served by one
// thread: "first" with opening and decoding the file, "again" from what is kept in memory. Prints
// JSON: for each file its rows, bytes of JSON, and all measurements.

#include "bench/timer.h"
#include "core/data/dataset.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>

namespace {

constexpr int kRepeats = 9;
constexpr double kSeconds = 0.15;

// Every row, one after the other; returns the bytes of JSON.
std::uint64_t serve(const qed::Dataset& data, std::string& json) {
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0, n = data.count(); i < n; ++i) {
    json.clear();
    data.row(i, json);
    bytes += json.size();
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) try {
  nlohmann::json out = nlohmann::json::object();
  std::string json;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {  // the files in turn
    for (int i = 1; i < argc; ++i) {
      const std::string file = argv[i];
      const auto data = qed::Dataset::open(file);
      nlohmann::json& result = out[file];
      result["rows"] = data->count();
      result["bytes"] = serve(*data, json);
      const auto first = [&] { return serve(*qed::Dataset::open(file), json); };
      result["first"].push_back(bench::rate(kSeconds, first) / 1e6);
      result["again"].push_back(bench::rate(kSeconds, [&] { return serve(*data, json); }) / 1e6);
    }
  }
  std::printf("%s\n", out.dump().c_str());
} catch (const std::exception& e) {
  std::fprintf(stderr, "bench_rows: %s\n", e.what());
  return 1;
}
