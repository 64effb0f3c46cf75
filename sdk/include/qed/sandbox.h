#pragma once

// Programs that nobody trusts, run by the host within limits. What a program did comes back as
// data; an Error says that it could not be run, which is no verdict on it.
//
//   void open(const qed::Host& host) { sandbox_ = qed::Sandbox(host); }
//   const qed::Runs runs = sandbox_.run({.files = {{"main.py", code}},
//                                        .command = {"python3", "main.py"}, .inputs = {"1 2\n"}});

#include "qed/host.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// What one run may use; 0: the host's default. qed/abi.h says what is counted.
struct Limits {
  std::uint32_t processes = 0;
  std::uint64_t cpu_ms = 0, wall_ms = 0;
  std::uint64_t memory_bytes = 0, disk_bytes = 0, files = 0, output_bytes = 0;
};

// A program, and the runs of it.
struct Program {
  struct File {
    std::string name, data;
    bool is_executable = false;
  };
  std::vector<File> files = {};
  std::vector<std::string> build = {}, products = {};  // empty: there is nothing to build
  std::vector<std::string> command = {};
  std::vector<std::string> inputs = {};  // stdin, one for each run
  Limits build_limits = {}, run_limits = {};
  bool stops = false;  // after the first run that is not OK the others are skipped
};

enum class Outcome : std::uint32_t {
  kOk = QED_RUN_OK,
  kError = QED_RUN_ERROR,  // an exit code that is not 0, or a signal
  kTime = QED_RUN_TIME,
  kMemory = QED_RUN_MEMORY,
  kOutput = QED_RUN_OUTPUT,
  kSkipped = QED_RUN_SKIPPED  // a host may know more
};

struct Run {
  Outcome outcome = Outcome::kSkipped;
  std::int32_t exit_code = -1, signal = 0;
  std::uint64_t cpu_us = 0, wall_us = 0, memory_bytes = 0;
  std::string output = {}, errors = {};
};

struct Runs {
  Run build;
  std::vector<Run> runs;  // as many as inputs
};

// The host's service. Functions are [any].
class Sandbox {
 public:
  Sandbox() = default;  // runs nothing
  // Throws Error, UNSUPPORTED, where this host or machine runs no programs.
  explicit Sandbox(const Host& host) : service_(host.get<qed_host_sandbox>("qed.host.sandbox/1")) {
    if (service_ == nullptr) throw Error("this host runs no programs", QED_UNSUPPORTED);
    ask([&](qed_call* call) { return service_->check(service_, call); });
  }

  // A ticket for `poll`. Throws Error.
  std::uint64_t submit(const Program& p) const {
    std::vector<qed_sandbox_file> files;
    std::vector<const qed_sandbox_file*> pointers;
    for (const Program::File& f : p.files) {
      files.push_back(
          {sizeof(qed_sandbox_file), f.is_executable ? 1u : 0u, str(f.name), bytes(f.data)});
    }
    for (const qed_sandbox_file& f : files) pointers.push_back(&f);
    const auto build = strs(p.build), products = strs(p.products), command = strs(p.command);
    std::vector<qed_bytes> inputs;
    for (const std::string& input : p.inputs) inputs.push_back(bytes(input));
    const qed_sandbox_limits build_limits = abi(p.build_limits), run_limits = abi(p.run_limits);
    const qed_sandbox_job job = {sizeof(qed_sandbox_job),
                                 p.stops ? QED_JOB_STOP : 0u,
                                 pointers.data(),
                                 pointers.size(),
                                 {build.data(), build.size()},
                                 {products.data(), products.size()},
                                 {command.data(), command.size()},
                                 inputs.data(),
                                 inputs.size(),
                                 &build_limits,
                                 &run_limits};
    std::uint64_t ticket = 0;
    ask([&](qed_call* call) { return service_->submit(service_, call, &job, &ticket); });
    return ticket;
  }

  // Nothing while the program still runs, after `wait_ms`. Throws Error where it could not be run.
  // After a result or an Error the ticket is gone.
  std::optional<Runs> poll(std::uint64_t ticket, std::size_t num_runs,
                           std::uint64_t wait_ms = 0) const {
    Runs out{{}, std::vector<Run>(num_runs)};
    Sink build(out.build);
    std::deque<Sink> sinks;
    std::vector<qed_sandbox_run*> runs;
    for (Run& run : out.runs) runs.push_back(&sinks.emplace_back(run).abi);
    const std::int32_t status = ask([&](qed_call* call) {
      return service_->poll(service_, call, ticket, wait_ms, &build.abi, runs.data(), num_runs);
    });
    if (status == QED_PENDING) return std::nullopt;
    build.read(out.build);
    for (std::size_t i = 0; i < num_runs; ++i) sinks[i].read(out.runs[i]);
    return out;
  }

  void drop(std::uint64_t ticket) const { service_->drop(service_, ticket); }

  // Waits until the program has ended. Throws Error where it could not be run.
  Runs run(const Program& program) const {
    const std::uint64_t ticket = submit(program);
    for (;;) {
      if (auto runs = poll(ticket, program.inputs.size(), 1000)) return std::move(*runs);
    }
  }

 private:
  // Writes into a Run; not moved.
  struct Sink {
    explicit Sink(Run& run)
        : output(run.output),
          errors(run.errors),
          abi{sizeof(qed_sandbox_run), 0, -1, 0, 0, 0, 0, output.abi(), errors.abi()} {}
    void read(Run& run) const {
      run.outcome = static_cast<Outcome>(abi.outcome);
      run.exit_code = abi.exit_code, run.signal = abi.signal;
      run.cpu_us = abi.cpu_us, run.wall_us = abi.wall_us, run.memory_bytes = abi.memory_bytes;
    }
    StringWriter output, errors;
    qed_sandbox_run abi;
  };

  static qed_bytes bytes(const std::string& s) {
    return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()};
  }
  static std::vector<qed_str> strs(const std::vector<std::string>& words) {
    std::vector<qed_str> out;
    for (const std::string& word : words) out.push_back(str(word));
    return out;
  }
  static qed_sandbox_limits abi(const Limits& l) {
    return {sizeof(qed_sandbox_limits),
            l.processes,
            l.cpu_ms,
            l.wall_ms,
            l.memory_bytes,
            l.disk_bytes,
            l.files,
            l.output_bytes};
  }

  const qed_host_sandbox* service_ = nullptr;
};

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
