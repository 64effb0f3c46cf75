#include "core/reward/group_scoring.h"

#include "core/util/clock.h"
#include "core/util/error.h"

#include <utility>

namespace qed {

namespace {

// Quick jobs need few: a thread that must be woken and joined costs more than such a job.
constexpr std::size_t kQuickThreads = 2, kSlowThreads = 16;
constexpr double kSlowS = 0.005;

}  // namespace

GroupScoring::GroupScoring(std::size_t num_groups)
    : results_(num_groups), max_threads_(kQuickThreads) {}

GroupScoring::~GroupScoring() {
  {
    const std::lock_guard lock(mutex_);
    jobs_ = {};
  }
  close();
}

void GroupScoring::submit(std::size_t group, std::function<Scores()> job) {
  QED_CHECK(group < results_.size(), group);
  {
    const std::lock_guard lock(mutex_);
    jobs_.emplace(group, std::move(job));
    start_threads();
  }
  wake_.notify_one();
}

// Under the lock.
void GroupScoring::start_threads() {
  for (std::size_t n = num_idle_; n < jobs_.size() && threads_.size() < max_threads_; ++n) {
    threads_.emplace_back([this] { work(); });
  }
}

void GroupScoring::run_one(std::unique_lock<std::mutex>& lock) {
  auto [group, job] = std::move(jobs_.front());
  jobs_.pop();
  lock.unlock();
  const Stopwatch watch;
  std::optional<Scores> result;
  std::exception_ptr error;
  try {
    result = job();
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  results_[group] = std::move(result);
  if (error) errors_[group] = error;
  if (watch.seconds() < kSlowS || is_closed_) return;
  max_threads_ = kSlowThreads;
  start_threads();
}

void GroupScoring::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++num_idle_;
    wake_.wait(lock, [&] { return is_closed_ || !jobs_.empty(); });
    --num_idle_;
    if (jobs_.empty()) return;
    run_one(lock);
  }
}

void GroupScoring::close() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::vector<std::optional<Scores>> GroupScoring::finish() {
  {
    std::unique_lock lock(mutex_);
    while (!jobs_.empty()) run_one(lock);
  }
  close();
  if (!errors_.empty()) std::rethrow_exception(errors_.begin()->second);
  return std::move(results_);
}

}  // namespace qed
