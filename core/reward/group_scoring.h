#pragma once

// Scores groups in threads of its own, while others are still being generated. What comes out
// depends on the groups alone, never on when they come or how many threads there are.

#include "core/reward/scoring.h"

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <queue>
#include <thread>
#include <vector>

namespace qed {

// submit, finish and the destructor: one thread. Jobs that are slow get more threads than there are
// cores: a verifier that waits for a sandbox must not hold up the others.
class GroupScoring {
 public:
  explicit GroupScoring(std::size_t num_groups);
  // Drops what has not begun, and waits for the rest.
  ~GroupScoring();
  GroupScoring(const GroupScoring&) = delete;
  GroupScoring& operator=(const GroupScoring&) = delete;

  // Calls `job` once, in another thread or in finish. At most once per group.
  void submit(std::size_t group, std::function<Scores()> job);

  // Works on what is left, waits for the rest, and returns the results by group; nothing for a
  // group without a job. What a job threw is thrown again, that of the first such group.
  std::vector<std::optional<Scores>> finish();

 private:
  void work();
  void run_one(std::unique_lock<std::mutex>& lock);
  void start_threads();
  void close();

  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_closed_ = false;
  std::queue<std::pair<std::size_t, std::function<Scores()>>> jobs_;
  std::vector<std::optional<Scores>> results_;
  std::map<std::size_t, std::exception_ptr> errors_;
  std::vector<std::thread> threads_;  // started one by one, as jobs come
  std::size_t max_threads_;
  std::size_t num_idle_ = 0;
};

}  // namespace qed
