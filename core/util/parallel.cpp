#include "core/util/parallel.h"

#include "core/util/error.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace qed {

namespace {

using Body = std::function<void(std::int64_t, std::int64_t)>;

constexpr std::int64_t kPiecesPerThread = 4;
// A worker polls for so long before it sleeps: waking it costs more than most pieces of work.
constexpr auto kPoll = std::chrono::microseconds(50);

// Polls until done() or the time is over; returns done().
template <class Done>
bool poll(Done&& done) {
  const auto until = std::chrono::steady_clock::now() + kPoll;
  while (!done()) {
    if (std::chrono::steady_clock::now() > until) return done();
    __builtin_ia32_pause();
  }
  return true;
}

class Pool {
 public:
  explicit Pool(int num_threads) {
    for (int i = 1; i < num_threads; ++i) workers_.emplace_back([this] { work(); });
  }
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      is_closing_ = true;
      ++generation_;
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
  }

  int num_threads() const { return static_cast<int>(workers_.size()) + 1; }

  void run(std::int64_t n, std::int64_t piece, const Body& body) {
    {
      const std::lock_guard lock(mutex_);
      body_ = &body;
      n_ = n;
      piece_ = piece;
      next_ = 0;
      error_ = nullptr;
      is_open_ = true;
      ++generation_;
    }
    wake_.notify_all();
    take_pieces();
    // Every piece is taken; those still running belong to active workers. Later ones find it
    // closed.
    std::unique_lock lock(mutex_);
    is_open_ = false;
    if (num_active_ > 0) {
      lock.unlock();
      poll([&] { return num_active_ == 0; });
      lock.lock();
      idle_.wait(lock, [&] { return num_active_ == 0; });
    }
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void take_pieces() {
    for (;;) {
      const std::int64_t begin = next_.fetch_add(piece_);
      if (begin >= n_) return;
      try {
        (*body_)(begin, std::min(begin + piece_, n_));
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::current_exception();
        next_ = n_;
      }
    }
  }

  void work() {
    std::uint64_t seen = 0;
    for (;;) {
      poll([&] { return generation_ != seen; });
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return generation_ != seen; });
      seen = generation_;
      if (is_closing_) return;
      if (!is_open_) continue;
      ++num_active_;
      lock.unlock();
      take_pieces();
      lock.lock();
      if (--num_active_ == 0) idle_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::atomic<std::uint64_t> generation_{0};  // of the jobs; written under the mutex
  std::atomic<int> num_active_{0};            // workers inside a job; written under the mutex
  bool is_open_ = false, is_closing_ = false;
  const Body* body_ = nullptr;
  std::int64_t n_ = 0, piece_ = 1;
  std::atomic<std::int64_t> next_{0};
  std::exception_ptr error_;
  std::vector<std::thread> workers_;
};

std::unique_ptr<Pool>& pool() {
  static std::unique_ptr<Pool> instance = std::make_unique<Pool>(1);
  return instance;
}

std::atomic<bool> is_busy{false};  // one job at a time

}  // namespace

void set_num_threads(int n) {
  QED_CHECK(n >= 1 && !is_busy, n);
  if (n != pool()->num_threads()) pool() = std::make_unique<Pool>(n);
}

int num_threads() { return pool()->num_threads(); }

void parallel_for(std::int64_t n, std::int64_t grain, const Body& body) {
  if (n <= 0) return;
  const int threads = num_threads();
  if (threads == 1 || n <= grain || is_busy.exchange(true)) return body(0, n);
  struct Release {
    ~Release() { is_busy = false; }
  } release;
  const std::int64_t pieces = threads * kPiecesPerThread;
  pool()->run(n, std::max(grain, (n + pieces - 1) / pieces), body);
}

}  // namespace qed
