#pragma once

// `qed plugin check`: runs the tests of the registry on every component of a plugin, each in a
// process of its own.

#include "core/check/one_test.h"
#include "core/check/sanitizer.h"

#include <string>
#include <vector>

namespace qed::check {

struct CheckOptions {
  OpenOptions open;
  std::string include = "";  // regular expressions that are searched in the names of tests;
  std::string exclude = "";  // empty: all, none
  double timeout_s = 60 * kSlowness;  // of one test
  bool is_in_process = false;
  unsigned num_jobs = 0;  // processes at a time; 0: one per core
};

// One test of one component.
struct CheckRow {
  std::string component;  // "task `arithmetic`"; empty: of the file
  std::string test;
  Level level = Level::kMust;
  std::string about;
  TestResult result = {};
  double seconds = 0;

  bool is_failed() const { return result.outcome == Outcome::kFailed && level == Level::kMust; }
  bool is_warning() const { return result.outcome == Outcome::kFailed && level == Level::kShould; }
  // "passed", "failed", "warning" or "skipped".
  std::string_view outcome() const;
};

struct CheckReport {
  std::string file;
  std::vector<ComponentInfo> components;
  std::vector<CheckRow> rows;  // in the order of the components, then of the registry
  double seconds = 0;

  std::size_t count(std::string_view outcome) const;
};

// Throws Error with exit code 2 where an expression or an option is wrong. A file that qed refuses
// has one row, static.loader, which is failed.
CheckReport run_checks(const CheckOptions& options);

}  // namespace qed::check
