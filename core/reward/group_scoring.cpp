#include "core/reward/group_scoring.h"

#include "core/util/error.h"

#include <utility>

namespace qed {

namespace {

// More than cores: a verifier that waits for a sandbox must not hold up the others.
constexpr std::size_t kMaxThreads = 16;

}  // namespace

GroupScoring::GroupScoring(std::size_t num_groups) : results_(num_groups) {}

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
    if (num_idle_ < jobs_.size() && threads_.size() < kMaxThreads) {
      threads_.emplace_back([this] { work(); });
    }
  }
  wake_.notify_one();
}

void GroupScoring::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++num_idle_;
    wake_.wait(lock, [&] { return is_closed_ || !jobs_.empty(); });
    --num_idle_;
    if (jobs_.empty()) return;
    auto [group, job] = std::move(jobs_.front());
    jobs_.pop();
    lock.unlock();
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
  close();
  if (!errors_.empty()) std::rethrow_exception(errors_.begin()->second);
  return std::move(results_);
}

}  // namespace qed
