// Speed of the maths verifier: bench_verify FOLDER prints JSON. Every case is timed alone, the best
// of some rounds; attack inputs once, cold.

#include "verify.h"
#include "bench/timer.h"

#include <nlohmann/json.hpp>

#include <sys/resource.h>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

using Json = nlohmann::json;

struct Case {
  std::string gold, answer;
  bool is_bare;
};

std::vector<Case> read(const std::string& path) {
  std::vector<Case> out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const Json row = Json::parse(line);
    if (!row["gold"].is_string() || !row["pred"].is_string()) continue;
    out.push_back({row["gold"], row["pred"], row.value("raw_answers", false)});
  }
  return out;
}

double seconds(const Case& c, const math::Policy& policy) {
  const double begin = bench::cpu_seconds();
  if (c.is_bare) {
    math::compare_answers(c.gold, c.answer, policy);
  } else {
    const std::string_view gold = c.gold;
    math::verify({&gold, 1}, c.answer, policy);
  }
  return bench::cpu_seconds() - begin;
}

Json figures(const std::vector<Case>& cases, const math::Policy& policy) {
  constexpr int kRounds = 15;
  std::vector<double> best(cases.size(), 1e9);
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      best[i] = std::min(best[i], seconds(cases[i], policy));
    }
  }
  std::ranges::sort(best);
  double sum = 0;
  for (const double s : best) sum += s;
  const auto at = [&](double part) {
    return 1e6 * best[static_cast<std::size_t>(part * static_cast<double>(best.size() - 1))];
  };
  return {{"cases", cases.size()},
          {"median_us", at(0.5)},
          {"p999_us", at(0.999)},
          {"max_us", at(1)},
          {"per_second", static_cast<double>(cases.size()) / sum}};
}

std::string repeated(std::string_view part, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += part;
  return out;
}

// The most memory that the process has had so far.
long peak_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

Json attacks() {
  Json out = Json::array();
  const std::pair<const char*, std::string> inputs[] = {
      {"9^{9^9}", "9^{9^9}"},
      {"10^{10^{10}}", "10^{10^{10}}"},
      {"1000000!", "1000000!"},
      {"sum of 10^6 terms", "\\sum_{k=1}^{1000000} 1/k"},
      {"10^6 braces", repeated("{", 1'000'000)},
      {"1 MB of digits", repeated("9", 1'000'000)},
      {"100,000 \\frac{", repeated("\\frac{", 100'000)},
      {"1,000 nested parentheses", repeated("(", 1000) + "1" + repeated(")", 1000)},
      {"product of factorials", "\\prod_{k=1}^{1000} k!"},
  };
  const math::Policy policy = *math::preset("strict");
  for (const auto& [name, input] : inputs) {
    const Case c{"\\sqrt{2}+x", "\\boxed{" + input + "}", false};
    const long before = peak_kib();
    const double s = seconds(c, policy);
    out.push_back({{"input", name}, {"us", 1e6 * s}, {"peak_mib", (peak_kib() - before) / 1024.0}});
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "bench_verify: say FOLDER, of case files\n";
    return 2;
  }
  const std::string folder = argv[1];
  std::cout << Json{{"suite", figures(read(folder + "/math_verify_cases.jsonl"),
                                      *math::preset("math_verify"))},
                    {"completions",
                     figures(read(folder + "/qwen_real_outputs.jsonl"), *math::preset("strict"))},
                    {"attacks", attacks()}}
                   .dump(1)
            << "\n";
}
