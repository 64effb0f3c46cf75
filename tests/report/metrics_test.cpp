#include "core/report/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace qed {
namespace {

TEST(Metrics, ARowIsOneLineOfJsonInTheOrderOfItsKeys) {
  MetricsRow row;
  row.add("stage", std::string_view("rl"));
  row.add("step", std::int64_t{3});
  row.add("actor/entropy", 0.5);
  EXPECT_EQ(row.line(), "{\"stage\": \"rl\", \"step\": 3, \"actor/entropy\": 0.5}\n");
  EXPECT_EQ(MetricsRow().line(), "{}\n");
}

TEST(Metrics, NumbersReadBackEqual) {
  for (const double x : {0.0, -0.0, 1.0, 0.1, 1e-300, 2.0 / 3, 1e22, -123456.789, 5e-324}) {
    MetricsRow row;
    row.add("x", x);
    const double back = nlohmann::json::parse(row.line())["x"];
    EXPECT_EQ(back, x);
  }
  MetricsRow row;
  row.add("n", std::int64_t{9007199254740993});
  EXPECT_EQ(nlohmann::json::parse(row.line())["n"].get<std::int64_t>(), 9007199254740993);
}

TEST(Metrics, WhatIsNotFiniteIsNull) {
  for (const double x : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    MetricsRow row;
    row.add("x", x);
    EXPECT_EQ(row.line(), "{\"x\": null}\n");
  }
}

TEST(Metrics, ClocksHaveOneWidthWhateverTheirValue) {
  const auto line = [](double value) {
    MetricsRow row;
    row.add_clock("timing_s/step", value);
    return row.line();
  };
  EXPECT_EQ(line(1.5), "{\"timing_s/step\":       1.500000}\n");
  for (const double x : {0.0, 1e-7, 59.99, 86400.0, 9'999'999.0, std::nan(""), HUGE_VAL}) {
    EXPECT_EQ(line(x).size(), line(1.5).size()) << x;
    EXPECT_TRUE(nlohmann::json::accept(line(x))) << line(x);
  }
  EXPECT_TRUE(nlohmann::json::parse(line(INFINITY))["timing_s/step"].is_null());
}

}  // namespace
}  // namespace qed
