#pragma once

// Rows of metrics.jsonl. Names are veRL's where one exists. Clocks (`timing_…`, `perf/…`) have a
// fixed width, so that two runs with equal numbers have files of equal length, and differ in
// nothing else.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qed {

class MetricsRow {
 public:
  void add(std::string_view name,
           double value);  // shortest form that reads back equal; NaN as null
  void add(std::string_view name, std::int64_t value);
  void add(std::string_view name, std::string_view text);
  void add_clock(std::string_view name, double value);  // what differs from run to run

  std::string line() const { return "{" + members_ + "}\n"; }

  // The numbers among its members, in order; those that are null are not finite.
  const std::vector<std::pair<std::string, double>>& numbers() const { return numbers_; }

 private:
  std::string& key(std::string_view name);
  std::string members_;
  std::vector<std::pair<std::string, double>> numbers_;
};

}  // namespace qed
