#include "core/check/process_state.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace qed::check {
namespace {

TEST(ProcessState, SeesNothingWhereNothingHappens) {
  const ProcessState before = ProcessState::now();
  EXPECT_EQ(leaked(before, ProcessState::now()), "");
  EXPECT_EQ(changed(before, ProcessState::now()), "");
}

TEST(ProcessState, SeesAFileThatIsLeftOpen) {
  const ProcessState before = ProcessState::now();
  const int file = ::open("/dev/null", O_RDONLY);
  EXPECT_NE(leaked(before, ProcessState::now()).find("/dev/null"), std::string::npos);
  ::close(file);
  EXPECT_EQ(leaked(before, ProcessState::now()), "");
}

TEST(ProcessState, SeesAThreadThatIsLeftRunning) {
  std::thread([] {}).join();  // with the first one ThreadSanitizer starts a thread of its own
  const ProcessState before = ProcessState::now();
  std::atomic<bool> is_over = false;
  std::thread thread([&] { is_over.wait(false); });
  EXPECT_EQ(leaked(before, ProcessState::now()), "1 threads were left running");
  is_over = true;
  is_over.notify_all();
  thread.join();
}

TEST(ProcessState, SeesASignalHandlerAndAVariableOfTheEnvironment) {
  const ProcessState before = ProcessState::now();
  const auto old = std::signal(SIGUSR2, SIG_IGN);
  EXPECT_EQ(changed(before, ProcessState::now()), "a handler for signal 12");
  std::signal(SIGUSR2, old);
  ::setenv("QED_CHECK_TEST", "1", 1);
  EXPECT_EQ(changed(before, ProcessState::now()), "the environment");
  ::unsetenv("QED_CHECK_TEST");
}

TEST(StdoutWatch, SeesWhatIsPrintedAndPutsStdoutBack) {
  const ProcessState before = ProcessState::now();
  {
    const StdoutWatch watch;
    std::printf("a line");
    EXPECT_EQ(watch.text(), "a line");
  }
  EXPECT_EQ(leaked(before, ProcessState::now()), "");
}

}  // namespace
}  // namespace qed::check
