#pragma once

// A program to run and what became of it, as plain data; qed/abi.h says what the members mean.

#include "qed/abi.h"

#include <cstdint>
#include <string>
#include <vector>

namespace qed::sandbox {

struct File {
  std::string name;
  std::string data;
  bool is_executable = false;

  bool operator==(const File&) const = default;
};

struct Limits {
  std::uint32_t processes = 16;
  std::uint64_t cpu_ms = 10'000, wall_ms = 20'000;
  std::uint64_t memory_bytes = 512 << 20, disk_bytes = 64 << 20, files = 256;
  std::uint64_t output_bytes = 1 << 20;

  bool operator==(const Limits&) const = default;
};

struct Job {
  std::vector<File> files;
  std::vector<std::string> build, products, command;
  std::vector<std::string> inputs;
  Limits build_limits, run_limits;
  bool stops = false;

  bool operator==(const Job&) const = default;
};

struct Run {
  std::uint32_t outcome = QED_RUN_SKIPPED;
  std::int32_t exit_code = -1, signal = 0;
  std::uint64_t cpu_us = 0, wall_us = 0, memory_bytes = 0;
  std::string output, errors;

  bool operator==(const Run&) const = default;
};

struct Result {
  std::string failure;  // not empty: why there is no result
  Run build;
  std::vector<Run> runs;

  bool operator==(const Result&) const = default;
};

// What the first process of a run says of it when it ends.
struct Report {
  std::string failure;             // not empty: why the program was not run
  std::int32_t wait_status = 0;    // of the program, as waitpid gives it
  std::uint64_t cpu_us = 0;        // of all processes
  std::uint64_t memory_bytes = 0;  // most of one of them
  std::vector<File> products;

  bool operator==(const Report&) const = default;
};

// What is wrong with a job, or empty. Names of files must be such that they stay in their folder.
std::string problem_of(const Job& job);

}  // namespace qed::sandbox
