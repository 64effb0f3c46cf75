// Tests with several threads and several processes.

#include "core/check/exercise.h"
#include "core/check/registry.h"
#include "core/check/sanitizer.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

namespace qed::check {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kThreads = 8;

void check_threads(const Subject& s) {
  if (!s.has_flag(QED_CONCURRENT)) throw Skipped{"it is not QED_CONCURRENT"};
  const Corpus corpus = make_corpus(s);
  const Object object(s);
  if (object.has_state()) throw Skipped{"what it remembers depends on the order of calls"};
  const std::string expected = exercise(object, corpus);
  const auto end = Clock::now() + std::chrono::milliseconds(s.is_thorough ? 10000 : 200);
  std::mutex mutex;
  std::string problem;
  std::atomic<bool> has_failed = false;
  const auto work = [&] {
    try {
      for (int i = 0; !has_failed && (i < 2 || (Clock::now() < end && i < 1000)); ++i) {
        expect_same(expected, exercise(object, corpus), "while other threads call the same object");
      }
    } catch (const Failure& failure) {
      const std::lock_guard lock(mutex);
      has_failed = true;
      problem = failure.message;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  expect(problem.empty(), problem);
}

void check_cancel(const Subject& s) {
  using namespace std::chrono_literals;
  const Object object(s);
  const TaskCaller task(object);
  if (task.is_multi_turn()) throw Skipped{"a multi-turn task is not asked to verify"};
  const Corpus corpus = make_corpus(s);
  std::vector<SampleData> samples;
  for (std::size_t i = 0; i < 256; ++i)
    samples.push_back(corpus.samples[i % corpus.samples.size()]);
  const auto timed = [&](bool is_cancelled) {
    const auto start = Clock::now();
    (void)task.verify(samples, is_cancelled);
    return Clock::now() - start;
  };
  constexpr auto kLimit = 50ms * kSlowness;
  if (timed(false) < kLimit) return;  // too fast to be worth cancelling
  const auto spent = timed(true);
  expect(spent < kLimit, "verify ran on for ",
         std::chrono::duration_cast<std::chrono::milliseconds>(spent).count(),
         " ms after it was cancelled and its deadline had passed");
}

constexpr Test kTests[] = {
    {"concurrency.threads", Level::kMust, "", "8 threads on one object get what one gets",
     &check_threads},
    {"concurrency.cancel", Level::kShould, "task", "a cancelled call returns within 50 ms",
     &check_cancel},
    {"determinism.process", Level::kMust, "", "another process gives the same bytes", nullptr},
};

}  // namespace

std::span<const Test> process_tests() { return kTests; }

}  // namespace qed::check
