#include "core/report/metrics.h"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace qed {

std::string& MetricsRow::key(std::string_view name) {
  if (!members_.empty()) members_ += ", ";
  members_ += '"';
  members_ += name;  // names are ours or checked: no escapes needed
  return members_ += "\": ";
}

void MetricsRow::add(std::string_view name, double value) {
  numbers_.emplace_back(name, value);
  if (!std::isfinite(value)) {
    key(name) += "null";
    return;
  }
  char text[32];
  key(name).append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void MetricsRow::add(std::string_view name, std::int64_t value) {
  numbers_.emplace_back(name, static_cast<double>(value));
  key(name) += std::to_string(value);
}

void MetricsRow::add(std::string_view name, std::string_view text) {
  ((key(name) += '"') += text) += '"';
}

void MetricsRow::add_clock(std::string_view name, double value) {
  numbers_.emplace_back(name, value);
  char text[32];
  if (std::isfinite(value)) {
    std::snprintf(text, sizeof text, "%14.6f", value);
  } else {
    std::snprintf(text, sizeof text, "%14s", "null");
  }
  key(name) += text;
}

}  // namespace qed
