#pragma once

// What the tests of the sandbox share: its helper, jobs, and a look at what is left of them.

#include "core/sandbox/client.h"
#include "core/util/error.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace qed::sandbox {

inline std::vector<std::string> helper_command() {
  return {QED_BINARY_DIR "/bin/qed", "plugin", "sandbox"};
}

// A word that is in no other command line of this machine.
inline std::string token_of_test() { return "qed-test-" + std::to_string(::getpid()); }

inline Job python_job(const std::string& code, std::vector<std::string> inputs = {""}) {
  Job job;
  job.files = {{"main.py", code, false}};
  job.command = {"python3", "-I", "-S", "main.py", token_of_test()};
  job.inputs = std::move(inputs);
  return job;
}

inline Result wait_for(Client& client, std::uint64_t ticket) {
  for (;;) {
    if (auto result = client.poll(ticket, std::chrono::milliseconds(1000))) return *result;
  }
}

inline Result run(Client& client, const Job& job) { return wait_for(client, client.submit(job)); }

// The ids of all processes whose command line holds `word`.
inline std::vector<int> processes_with(const std::string& word) {
  std::vector<int> out;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ec)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    std::ifstream in(entry.path() / "cmdline");
    const std::string line{std::istreambuf_iterator<char>(in), {}};
    if (line.find(word) != line.npos) out.push_back(std::stoi(name));
  }
  return out;
}

}  // namespace qed::sandbox
