// bench/rows: how fast the rows of data files are served as JSON, by one thread.

#include "core/data/data_path.h"
#include "core/data/dataset.h"
#include "core/util/error.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr double kSeconds = 1;  // of each measurement, at least

// Appends every row; returns the bytes of JSON.
std::uint64_t serve(const qed::Dataset& data, std::string& json) {
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0, n = data.count(); i < n; ++i) {
    json.clear();
    data.row(i, json);
    bytes += json.size();
  }
  return bytes;
}

// MB of JSON per second, where `pass` returns bytes.
template <class Pass>
double speed(Pass&& pass) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  std::uint64_t bytes = 0;
  std::chrono::duration<double> time{};
  do {
    bytes += pass();
    time = Clock::now() - begin;
  } while (time.count() < kSeconds);
  return static_cast<double>(bytes) / 1e6 / time.count();
}

}  // namespace

int main(int argc, char** argv) try {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(argc > 1 ? argv[1] : ".")) {
    if (std::ranges::count(qed::kDataExtensions, entry.path().extension().string()) > 0) {
      files.push_back(entry.path().string());
    }
  }
  if (files.empty()) throw qed::Error("no data files in that folder");
  std::ranges::sort(files);

  std::printf("%-24s %8s %10s %14s %14s\n", "file", "rows", "JSON MB", "first MB/s", "again MB/s");
  std::string json;
  for (const std::string& file : files) {
    const auto data = qed::Dataset::open(file);
    const double mb = static_cast<double>(serve(*data, json)) / 1e6;
    const double first = speed([&] { return serve(*qed::Dataset::open(file), json); });
    const double again = speed([&] { return serve(*data, json); });
    std::printf("%-24s %8llu %10.2f %14.0f %14.0f\n", fs::path(file).filename().c_str(),
                static_cast<unsigned long long>(data->count()), mb, first, again);
  }
} catch (const std::exception& e) {
  std::fprintf(stderr, "bench_rows: %s\n", e.what());
  return 1;
}
