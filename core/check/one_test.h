#pragma once

// Running one test in this process, and the line in which a child tells its result.

#include "core/check/open.h"
#include "core/check/registry.h"

#include <string>
#include <vector>

namespace qed::check {

enum class Outcome { kPassed, kFailed, kSkipped };

struct TestResult {
  Outcome outcome = Outcome::kFailed;
  std::string message;  // why it failed or was skipped
};

// The tests that have no function of their own.
inline constexpr char kLoader[] = "static.loader";
inline constexpr char kTwoProcesses[] = "determinism.process";

// A test that only children run: passes with the transcript of an exercise as its message.
inline constexpr char kTranscript[] = "transcript";

// What only a child does, when there are --set: creates what they are for, and has an exit code
// where that is refused.
inline constexpr char kGivenOptions[] = "given options";

// Runs a test that has a function, or kTranscript. Never throws; does not survive a crash.
TestResult run_here(std::string_view name, const Subject& subject);

// What a child needs to know, and its answer.
struct Job {
  OpenOptions open;
  std::string test;       // kLoader: only load
  std::size_t component;  // its number
};

// One component of the plugin, as the parent needs it.
struct ComponentInfo {
  std::string kind, name;
  std::uint32_t flags = 0;  // QED_CONCURRENT ...
};

struct JobAnswer {
  TestResult result;
  std::vector<ComponentInfo> components;  // of kLoader
  int exit_code = 0;  // not 0: the command line is wrong; message and hint say why
  std::string hint;
};

// Does the job in this process.
JobAnswer do_job(const Job& job);

// The answer as bytes, and back. `read_answer` throws std::exception on anything else.
std::string to_text(const JobAnswer& answer);
JobAnswer read_answer(const std::string& text);

}  // namespace qed::check
