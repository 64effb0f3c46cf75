#pragma once

// Rows of metrics.jsonl. Names are veRL's where one exists. Clocks (`timing_s/`, `perf/`) have a
// fixed width, so that two runs with equal numbers have files of equal length, and differ in
// nothing else.

#include <cstdint>
#include <string>
#include <string_view>

namespace qed {

class MetricsRow {
 public:
  void add(std::string_view name,
           double value);  // shortest form that reads back equal; NaN as null
  void add(std::string_view name, std::int64_t value);
  void add(std::string_view name, std::string_view text);
  void add_clock(std::string_view name, double value);  // what differs from run to run

  std::string line() const { return "{" + members_ + "}\n"; }

 private:
  std::string& key(std::string_view name);
  std::string members_;
};

}  // namespace qed
