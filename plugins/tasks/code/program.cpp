#include "program.h"

#include "qed/error.h"
#include "qed/json.h"
#include "qed/unicode.h"

#include <cmath>

namespace code {

namespace {

// Calls the function that argv names with the arguments on stdin, and writes its result as JSON.
// What the code prints goes to stderr.
constexpr char kCaller[] = R"(import ast, json, os, sys

def value(text):
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text

given = json.loads(sys.stdin.buffer.read().decode("utf-8", "replace"))
if isinstance(given, str):
    given = [value(line) for line in given.split("\n") if line.strip()]
arguments = given if isinstance(given, list) else [given]
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
scope = {"__name__": "solution"}
exec("from typing import *\nimport bisect, collections, functools, heapq, itertools, math, re\n"
     "from collections import *", scope)
with open("main.py", encoding="utf-8") as code:
    exec(compile(code.read(), "main.py", "exec"), scope)
name = sys.argv[1]
function = scope[name] if name in scope else getattr(scope["Solution"](), name)
json.dump(function(*arguments), answers, default=list)
answers.flush()
)";

// Calls the checker as Codeforces' are in open-r1's data: with the names of files that hold the
// input, the expected output and the program's.
constexpr char kChecker[] = R"(import json, runpy, sys

names = ["input.txt", "expected.txt", "output.txt"]
for name, text in zip(names, json.loads(sys.stdin.buffer.read().decode("utf-8", "replace"))):
    with open(name, "w", encoding="utf-8", newline="") as file:
        file.write(text)
sys.argv = ["checker.py"] + names
runpy.run_path("checker.py", run_name="__main__")
)";

constexpr double kLeastTime_s = 0.01, kMostTime_s = 3600, kMostMemory_mb = 1 << 20;

qed::Limits limits_of(double time_s, double memory_mb) {
  const auto ms = static_cast<std::uint64_t>(
      std::ceil(1000 * std::min(std::max(time_s, kLeastTime_s), kMostTime_s)));
  const double mb = std::min(std::max(memory_mb, 1.0), kMostMemory_mb);
  // The clock on the wall runs while others use the processor.
  return {.cpu_ms = ms,
          .wall_ms = 3 * ms + 2000,
          .memory_bytes = static_cast<std::uint64_t>(mb * (1 << 20)),
          .output_bytes = 4 << 20};
}

bool is_source(std::string_view name) { return name.ends_with(".cpp") || name.ends_with(".cc"); }

}  // namespace

qed::Program make_program(const Contents& item, const std::string& language, std::string code,
                          const Settings& settings, bool stops) {
  qed::Program out;
  out.stops = stops;
  for (const Test& file : item.files) out.files.push_back({file.input, file.output});
  out.run_limits = limits_of(item.time_s > 0 ? item.time_s : settings.time_s,
                             item.memory_mb > 0 ? item.memory_mb : settings.memory_mb);
  for (const Test& test : item.tests) out.inputs.push_back(test.input);
  if (language == "python") {
    out.files.push_back({"main.py", std::move(code)});
    out.command = {"python3", "-s", "-B", "main.py"};
    if (!item.function.empty()) {
      out.files.push_back({"call.py", kCaller});
      out.command = {"python3", "-s", "-B", "call.py", item.function};
    }
    return out;
  }
  if (!item.function.empty()) throw qed::Error("a test that calls a function needs Python");
  out.files.push_back({"main.cpp", std::move(code)});
  out.build = {"g++", "-O2", "-std=c++17", "-o", "main"};
  for (const auto& file : out.files) {
    if (is_source(file.name)) out.build.push_back(file.name);
  }
  out.products = {"main"};
  out.command = {"./main"};
  out.build_limits = limits_of(30, 2048);
  return out;
}

qed::Program make_checks(const Contents& item, const qed::Runs& runs, const Settings& settings) {
  qed::Program out;
  out.files = {{"checker.py", item.checker}, {"check.py", kChecker}};
  out.command = {"python3", "-s", "-B", "check.py"};
  out.run_limits = limits_of(std::max(settings.time_s, 20.0), std::max(settings.memory_mb, 512.0));
  const auto add = [&](const Test& test, const std::string& output) {
    using qed::json::write;
    out.inputs.push_back("[" + write(test.input) + "," + write(test.output) + "," + write(output) +
                         "]");
  };
  for (std::size_t i = 0; i < runs.runs.size(); ++i) {
    if (runs.runs[i].outcome != qed::Outcome::kOk) continue;
    if (out.inputs.empty()) add(item.tests[0], item.tests[0].output);
    add(item.tests[i], runs.runs[i].output);
  }
  return out;
}

bool says_right(const qed::Run& check) {
  std::string_view last, rest = check.output;
  for (auto word = qed::next_word(rest); !word.empty(); word = qed::next_word(rest)) last = word;
  return check.outcome == qed::Outcome::kOk && (last == "1" || last == "1.0");
}

}  // namespace code
