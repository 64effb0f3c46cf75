#include "core/check/check_report.h"

#include "core/check/registry.h"
#include "core/check/sanitizer.h"
#include "core/util/words.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace qed::check {
namespace {

std::string padded(std::string_view text, std::size_t width) {
  return std::string(text) + std::string(width - std::min(width, text.size()), ' ');
}

std::string seconds(double s) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.3f", s);
  return buffer;
}

// What people do next.
std::string next_step(const CheckReport& report) {
  for (const CheckRow& row : report.rows) {
    if (!row.is_failed()) continue;
    if (row.test == kLoader) return "`docs/plugins.md` explains the code in brackets.";
    return cat("`gdb --args qed plugin check ", report.file, " --in-process --include '^", row.test,
               "$'` runs the first failed test in a debugger.");
  }
  const ComponentInfo& first = report.components.front();
  const std::string folder = std::filesystem::path(report.file).parent_path().string();
  return cat("`qed ", first.kind == "task" ? "items " : "plugins ", first.name, " --plugin-dir ",
             folder.empty() ? "." : folder, "` shows ",
             first.kind == "task" ? "its items." : "its options.");
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    }
  }
  return out;
}

std::string test_case(const CheckRow& row, const std::string& suite) {
  std::string out = cat("    <testcase classname=\"", escaped(suite), "\" name=\"", row.test,
                        "\" time=\"", seconds(row.seconds), "\"");
  if (row.outcome() == "passed") return out + "/>\n";
  const char* const element = row.is_failed() ? "failure" : "skipped";
  return cat(out, "><", element, " message=\"", row.is_warning() ? "warning: " : "",
             escaped(row.result.message), "\"/></testcase>\n");
}

}  // namespace

std::string report_text(const CheckReport& report) {
  std::string out = report.file + "\n";
  std::string component;
  for (const CheckRow& row : report.rows) {
    if (row.component != component) out += (component = row.component) + "\n";
    const bool is_passed = row.outcome() == "passed";
    const std::string outcome = row.is_failed() ? "FAILED" : std::string(row.outcome());
    out += cat("  ", padded(is_passed ? "ok" : outcome, 8), " ", padded(row.test, 25), "  ",
               row.about, "\n");
    if (!is_passed) out += cat("           ", row.result.message, "\n");
  }
  out += cat("\n", report.count("passed"), " passed, ", report.count("failed"), " failed, ",
             counted(report.count("warning"), "warning"), ", ", report.count("skipped"),
             " skipped in ", seconds(report.seconds), " s\n");
  if (has_sanitizer()) {
    out += "A build with sanitizers: the growth and the size of the memory are not tested.\n";
  }
  return out + next_step(report) + "\n";
}

std::string report_json(const CheckReport& report) {
  nlohmann::ordered_json out = {{"file", report.file}};
  for (const char* outcome : {"passed", "failed", "warning", "skipped"}) {
    out[outcome] = report.count(outcome);
  }
  out["seconds"] = report.seconds;
  out["tests"] = nlohmann::ordered_json::array();
  for (const CheckRow& row : report.rows) {
    out["tests"].push_back({{"component", row.component},
                            {"name", row.test},
                            {"level", row.level == Level::kMust ? "must" : "should"},
                            {"outcome", row.outcome()},
                            {"message", row.outcome() == "passed" ? "" : row.result.message},
                            {"seconds", row.seconds}});
  }
  return out.dump(2) + "\n";
}

std::string report_junit(const CheckReport& report) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (std::size_t i = 0; i < report.rows.size();) {
    const std::string& component = report.rows[i].component;
    const std::string suite = component.empty() ? report.file : component;
    std::string cases;
    std::size_t num_tests = 0, num_failures = 0;
    for (; i < report.rows.size() && report.rows[i].component == component; ++i) {
      ++num_tests;
      num_failures += report.rows[i].is_failed() ? 1 : 0;
      cases += test_case(report.rows[i], suite);
    }
    out += cat("  <testsuite name=\"", escaped(suite), "\" tests=\"", num_tests, "\" failures=\"",
               num_failures, "\">\n", cases, "  </testsuite>\n");
  }
  return out + "</testsuites>\n";
}

std::string test_list() {
  std::string out;
  for (const Test& test : tests()) {
    out += cat(padded(test.level == Level::kMust ? "must" : "should", 6), "  ",
               padded(test.name, 25), "  ", test.about, "\n");
  }
  return out;
}

}  // namespace qed::check
