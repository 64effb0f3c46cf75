#pragma once

// The result of `qed plugin check` for people, for programs and for continuous integration.

#include "core/check/check.h"

#include <string>

namespace qed::check {

// One line per test, a summary, and the command to go on with.
std::string report_text(const CheckReport& report);

// One JSON object: file, tests (component, name, level, outcome, message, seconds) and the numbers
// of passed, failed, warning and skipped.
std::string report_json(const CheckReport& report);

// JUnit's XML; a component is a test suite, a warning counts as skipped.
std::string report_junit(const CheckReport& report);

// "must  task.load  an item depends on ...": all tests, one per line.
std::string test_list();

}  // namespace qed::check
