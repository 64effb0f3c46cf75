// bench_sandbox QED RUNS WORD...: that many runs of the command in the sandbox whose helper is QED,
// as one job, so that all cores are used. Prints JSON: runs per second of wall time, several times.

#include "core/sandbox/client.h"
#include "core/util/error.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr int kRepeats = 5;
constexpr char kCode[] = "print(sum(map(int, input().split())))\n";

double runs_per_second(qed::sandbox::Client& client, const qed::sandbox::Job& job) {
  const auto begin = std::chrono::steady_clock::now();
  const auto ticket = client.submit(job);
  std::optional<qed::sandbox::Result> result;
  while (!result) result = client.poll(ticket, std::chrono::milliseconds(1000));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  if (!result->failure.empty()) throw qed::Error(result->failure);
  for (const qed::sandbox::Run& run : result->runs) {
    if (run.outcome != QED_RUN_OK) throw qed::Error("a run failed: " + run.errors);
  }
  return static_cast<double>(job.inputs.size()) / seconds.count();
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) throw qed::Error("bench_sandbox QED RUNS WORD...");
  qed::sandbox::Client client({argv[1], "plugin", "sandbox"});
  client.check();
  qed::sandbox::Job job;
  job.files = {{"main.py", kCode, false}};
  job.command.assign(argv + 3, argv + argc);
  job.inputs.assign(static_cast<std::size_t>(std::atoi(argv[2])), "1 2 3\n");
  std::printf("[");
  for (int i = 0; i < kRepeats; ++i) {
    std::printf("%s%.2f", i == 0 ? "" : ", ", runs_per_second(client, job));
  }
  std::printf("]\n");
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_sandbox: %s\n", error.what());
  return 1;
}
