#include "tests/sandbox/sandbox_fixture.h"

#include <gmock/gmock.h>

#include <csignal>
#include <thread>

namespace qed::sandbox {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

class SandboxTest : public testing::Test {
 protected:
  Result run(const Job& job) { return sandbox::run(client_, job); }
  // The id of the helper.
  static int helper() {
    for (const int pid : processes_with("sandbox")) {
      std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
      std::string word;
      for (int i = 0; i < 4; ++i) in >> word;
      if (word == std::to_string(::getpid())) return pid;
    }
    ADD_FAILURE() << "there is no helper";
    return -1;
  }

  Client client_{helper_command()};
};

TEST_F(SandboxTest, AProgramReadsItsInputAndSaysHowItEnded) {
  const Result result =
      run(python_job("import sys\nn = int(input())\nprint(n * 2)\n"
                     "print('warned', file=sys.stderr)\n"
                     "if n == 3: sys.exit(5)\n"
                     "if n == 4:\n  import os\n  os.kill(os.getpid(), 15)",
                     {"1", "3", "4", ""}));
  ASSERT_EQ(result.failure, "");
  ASSERT_EQ(result.runs.size(), 4u);
  EXPECT_EQ(result.runs[0].outcome, QED_RUN_OK);
  EXPECT_EQ(result.runs[0].output, "2\n");
  EXPECT_EQ(result.runs[0].errors, "warned\n");
  EXPECT_EQ(result.runs[0].exit_code, 0);
  EXPECT_GT(result.runs[0].cpu_us, 0u);
  EXPECT_GT(result.runs[0].memory_bytes, 1u << 20);
  EXPECT_EQ(result.runs[1].outcome, QED_RUN_ERROR);
  EXPECT_EQ(result.runs[1].exit_code, 5);
  EXPECT_EQ(result.runs[2].outcome, QED_RUN_ERROR);
  EXPECT_EQ(result.runs[2].signal, SIGTERM);
  EXPECT_EQ(result.runs[2].exit_code, -1);
  EXPECT_THAT(result.runs[3].errors, HasSubstr("EOFError"));
}

TEST_F(SandboxTest, ABuildsProductRunsOnEachInput) {
  Job job;
  job.files = {{"main.cpp",
                "#include <cstdio>\nint main() { int n; if (scanf(\"%d\", &n) == 1) "
                "printf(\"%d\\n\", n * n); }\n",
                false}};
  job.build = {"g++", "-o", "main", "main.cpp"};
  job.products = {"main"};
  job.command = {"./main"};
  job.inputs = {"3\n", "-4\n"};
  const Result good = run(job);
  ASSERT_EQ(good.failure, "");
  EXPECT_EQ(good.build.outcome, QED_RUN_OK) << good.build.errors;
  EXPECT_EQ(good.runs.at(0).output, "9\n");
  EXPECT_EQ(good.runs.at(1).output, "16\n");

  job.files[0].data = "int main() { return x; }\n";
  const Result bad = run(job);
  ASSERT_EQ(bad.failure, "");
  EXPECT_EQ(bad.build.outcome, QED_RUN_ERROR);
  EXPECT_THAT(bad.build.errors, HasSubstr("was not declared"));
  EXPECT_EQ(bad.runs.at(1).outcome, QED_RUN_SKIPPED);
}

TEST_F(SandboxTest, ABuildThatLeavesALinkLeavesNothing) {
  Job job = python_job("import os\nos.symlink('/usr/bin/true', 'program')");
  std::swap(job.build, job.command);
  job.products = {"program"};
  job.command = {"./program"};
  const Result result = run(job);
  ASSERT_EQ(result.failure, "");
  EXPECT_EQ(result.build.outcome, QED_RUN_OK);
  EXPECT_EQ(result.runs.at(0).exit_code, 127);
  EXPECT_EQ(result.runs.at(0).errors, "cannot start `./program`: No such file or directory\n");
}

TEST_F(SandboxTest, AJobThatStopsSkipsWhatFollowsTheFirstFailure) {
  Job job = python_job("print(1 // int(input()))", {"1", "0", "1", "1"});
  job.stops = true;
  const Result result = run(job);
  EXPECT_EQ(result.runs.at(0).outcome, QED_RUN_OK);
  EXPECT_EQ(result.runs.at(1).outcome, QED_RUN_ERROR);
  EXPECT_EQ(result.runs.at(2), sandbox::Run{});
  EXPECT_EQ(result.runs.at(3), sandbox::Run{});
}

TEST_F(SandboxTest, ARunLeavesNothingToTheNext) {
  const Result result =
      run(python_job("import os\nprint(sorted(os.listdir('.')), os.listdir('/tmp'))"
                     "\nopen('left', 'w')\nopen('/tmp/left', 'w')",
                     {"", ""}));
  EXPECT_EQ(result.runs.at(0).output, "['main.py'] []\n");
  EXPECT_EQ(result.runs.at(1).output, "['main.py'] []\n");
}

TEST_F(SandboxTest, WhatIsNoResultIsAFailure) {
  Job job = python_job("");
  job.command = {"no-such-interpreter"};
  EXPECT_EQ(run(job).failure, "cannot start `no-such-interpreter`: No such file or directory");
  EXPECT_EQ(client_.poll(12345, 0ms)->failure, "there is no such job");
}

TEST_F(SandboxTest, AHelperThatDiesTakesItsJobsAndTheNextJobGetsANewOne) {
  // Wherever it is in starting the run.
  for (const auto delay : {0ms, 1ms, 2ms, 3ms, 5ms, 8ms, 50ms}) {
    const auto ticket = client_.submit(python_job("import time\ntime.sleep(1000)"));
    EXPECT_FALSE(client_.poll(ticket, delay));
    ::kill(helper(), SIGKILL);
    EXPECT_EQ(wait_for(client_, ticket).failure,
              "the sandbox's helper process has ended: signal 9");
  }
  EXPECT_EQ(run(python_job("print(1)")).runs.at(0).output, "1\n");
  for (int i = 0; i < 200 && !processes_with(token_of_test()).empty(); ++i) ::usleep(10'000);
  EXPECT_THAT(processes_with(token_of_test()), testing::IsEmpty());
}

TEST_F(SandboxTest, AJobThatIsDroppedEndsAtOnce) {
  const auto ticket = client_.submit(python_job("import time\ntime.sleep(1000)", {"", "", "", ""}));
  EXPECT_FALSE(client_.poll(ticket, 50ms));
  client_.drop(ticket);
  EXPECT_EQ(client_.poll(ticket, 0ms)->failure, "there is no such job");
  EXPECT_EQ(run(python_job("print(1)")).runs.at(0).output, "1\n");
  EXPECT_THAT(processes_with(token_of_test()), testing::IsEmpty());
}

TEST_F(SandboxTest, ManyThreadsGetTheirOwnResults) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2; ++i) {
        const std::string word = std::to_string(10 * t + i);
        EXPECT_EQ(run(python_job("print(input())", {word})).runs.at(0).output, word + "\n");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A copy of the helper that nobody may start too, and the words before its command.
class AsNobody {
 public:
  AsNobody() {
    fs::create_directory(folder_);
    fs::copy_file(helper_command()[0], program_);  // nobody may not see the build folder
    fs::permissions(folder_, fs::perms::all);
    if (::geteuid() == 0) {
      words_ = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    }
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  ~AsNobody() { fs::remove_all(folder_); }

  std::vector<std::string> command(std::vector<std::string> wrapper = {}) const {
    std::vector<std::string> out = words_;
    out.insert(out.end(), wrapper.begin(), wrapper.end());
    out.insert(out.end(), {program_, "plugin", "sandbox"});
    return out;
  }

 private:
  const fs::path folder_ = fs::path(testing::TempDir()) / token_of_test();
  const fs::path program_ = folder_ / "qed";
  std::vector<std::string> words_;
};

TEST_F(SandboxTest, AHelperOfAnyUserIsolates) {
  const AsNobody nobody;
  Client client(nobody.command());
  const Result result = sandbox::run(
      client, python_job("import os\nprint(os.getuid(), os.path.exists('/etc/passwd'))"));
  EXPECT_EQ(result.failure, "");
  EXPECT_EQ(result.runs.at(0).output, "1000 False\n");
}

// What `client.check()` throws, with the hint.
std::string refusal(Client& client) {
  try {
    client.check();
  } catch (const Error& error) {
    return cat(error.what(), "; ", error.hint());
  }
  return "it was not refused";
}

TEST_F(SandboxTest, AMachineWithoutNamespacesIsRefused) {
  const AsNobody nobody;
  Client client(nobody.command({"/usr/bin/unshare", "--user", "--map-root-user", "/bin/sh", "-c",
                                "echo 0 > /proc/sys/user/max_user_namespaces; exec \"$@\"", "sh"}));
  const std::string expected =
      "this machine does not let qed isolate programs: it allows no more user namespaces; run it "
      "where a user may make namespaces: not in a container that forbids them, with "
      "user.max_user_namespaces above 0 and, on Ubuntu, "
      "kernel.apparmor_restrict_unprivileged_userns = 0";
  EXPECT_EQ(refusal(client), expected);
  EXPECT_EQ(refusal(client), expected);  // said again, not tried again
  EXPECT_THROW(client.submit(python_job("")), Error);
}

TEST_F(SandboxTest, AHelperThatCannotStartIsAnError) {
  Client none({"/no/such/program"});
  EXPECT_EQ(refusal(none),
            "cannot start the sandbox's helper `/no/such/program`: No such file or directory; ");
  Client silent({"/bin/true"});
  EXPECT_EQ(refusal(silent), "the sandbox's helper process has ended before it was ready; ");
}

}  // namespace
}  // namespace qed::sandbox
