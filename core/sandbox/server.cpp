#include "core/sandbox/server.h"

#include "core/sandbox/box.h"
#include "core/sandbox/confine.h"
#include "core/sandbox/protocol.h"
#include "core/sandbox/root.h"
#include "core/util/error.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <deque>
#include <map>
#include <memory>

namespace qed::sandbox {
namespace {

// A job on its way.
struct Work {
  Job job;
  Result result;
  std::vector<File> products;
  bool is_built = false;     // or needs no build
  std::size_t next = 0;      // run to start
  std::size_t num_open = 0;  // started, not over

  bool has_more() const {
    return result.failure.empty() && (!is_built || next < job.inputs.size());
  }
  // A run must wait for the build.
  bool can_start() const { return has_more() && (is_built || num_open == 0); }
};

struct Slot {
  std::uint64_t ticket;
  std::size_t run;  // kBuild: the build
  std::unique_ptr<Box> box;
};
constexpr std::size_t kBuild = ~std::size_t{0};

class Server {
 public:
  explicit Server(std::size_t num_slots) : num_slots_(num_slots) {}

  int run() {
    while (!is_closed_) {
      start_runs();
      wait();
      for (Slot& slot : slots_) slot.box->work();
      collect();
    }
    return 0;
  }

 private:
  void wait() {
    std::vector<pollfd> events = {
        {kSocket, static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT), 0}};
    auto until = Box::Clock::time_point::max();
    for (const Slot& slot : slots_) {
      slot.box->add_events(events);
      until = std::min(until, slot.box->is_over() ? Box::Clock::now() : slot.box->next_look());
    }
    int timeout = -1;
    if (!slots_.empty()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Box::Clock::now());
      timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1000));
    }
    ::poll(events.data(), events.size(), timeout);
    if ((events[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) receive();
    if ((events[0].revents & POLLOUT) != 0) send();
  }

  void receive() {
    char buffer[1 << 16];
    const ssize_t n = ::recv(kSocket, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
      is_closed_ = true;
      return;
    }
    in_.add({buffer, static_cast<std::size_t>(n)});
    while (auto frame = in_.next()) take(*frame);
    is_closed_ = in_.is_broken();
  }

  void take(const Frame& frame) {
    if (frame.kind == Kind::kDrop) return drop(frame.ticket);
    if (frame.kind != Kind::kSubmit) return;
    Work& work = works_[frame.ticket];
    auto job = read_job(frame.body);
    const std::string problem = job ? problem_of(*job) : "its bytes are no job";
    if (!problem.empty()) {
      work.result.failure = problem;
      return answer(frame.ticket);
    }
    work.job = std::move(*job);
    work.is_built = work.job.build.empty();
    work.result.runs.resize(work.job.inputs.size());
    if (!work.has_more()) return answer(frame.ticket);
    queue_.push_back(frame.ticket);
  }

  void drop(std::uint64_t ticket) {
    std::erase_if(slots_, [&](const Slot& slot) { return slot.ticket == ticket; });
    std::erase(queue_, ticket);
    works_.erase(ticket);
  }

  // The oldest job that has something to start.
  void start_runs() {
    for (std::size_t i = 0; i < queue_.size() && slots_.size() < num_slots_;) {
      const std::uint64_t ticket = queue_[i];
      Work& work = works_.at(ticket);
      while (work.can_start() && slots_.size() < num_slots_) start(ticket, work);
      if (work.has_more()) {
        ++i;
      } else {
        queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
  }

  void start(std::uint64_t ticket, Work& work) {
    static const std::string kNoInput;
    static const std::vector<std::string> kNoProducts;
    const Job& job = work.job;
    const std::size_t run = work.is_built ? work.next++ : kBuild;
    const bool is_build = run == kBuild;
    const Task task = {.command = is_build ? &job.build : &job.command,
                       .input = is_build ? &kNoInput : &job.inputs[run],
                       .files = {&job.files, &work.products},
                       .products = is_build ? &job.products : &kNoProducts,
                       .limits = is_build ? job.build_limits : job.run_limits};
    ++work.num_open;
    slots_.push_back({ticket, run, std::make_unique<Box>(task)});
  }

  void collect() {
    for (std::size_t i = 0; i < slots_.size();) {
      if (!slots_[i].box->is_over()) {
        ++i;
        continue;
      }
      const Slot slot = std::move(slots_[i]);
      slots_.erase(slots_.begin() + static_cast<std::ptrdiff_t>(i));
      end(slot);
    }
  }

  void end(const Slot& slot) {
    Work& work = works_.at(slot.ticket);
    --work.num_open;
    if (!slot.box->failure().empty() && work.result.failure.empty()) {
      work.result.failure = slot.box->failure();
    }
    const std::uint32_t outcome = slot.box->run().outcome;
    if (slot.run == kBuild) {
      work.result.build = std::move(slot.box->run());
      work.products = std::move(slot.box->products());
      work.is_built = true;
      if (outcome != QED_RUN_OK) work.next = work.job.inputs.size();
    } else {
      work.result.runs[slot.run] = std::move(slot.box->run());
      if (work.job.stops && outcome != QED_RUN_OK) stop(slot.ticket, work, slot.run + 1);
    }
    if (!work.has_more() && work.num_open == 0) answer(slot.ticket);
  }

  // Later runs count as skipped, those that were quicker too.
  void stop(std::uint64_t ticket, Work& work, std::size_t first) {
    work.next = work.job.inputs.size();
    std::erase_if(slots_, [&](const Slot& slot) {
      const bool is_late = slot.ticket == ticket && slot.run >= first;
      if (is_late) --work.num_open;
      return is_late;
    });
    for (std::size_t i = first; i < work.result.runs.size(); ++i) work.result.runs[i] = {};
  }

  void answer(std::uint64_t ticket) {
    constexpr std::size_t kMost = kMaxFrame / 2;
    const auto node = works_.extract(ticket);
    std::erase(queue_, ticket);
    Result& result = node.mapped().result;
    std::size_t size = 0;
    for (const Run& run : result.runs) size += run.output.size() + run.errors.size() + 64;
    if (size > kMost) result.failure = "the outputs of its runs are too large together";
    if (!result.failure.empty()) result = {result.failure, {}, {}};
    append_frame(out_, Kind::kResult, ticket, write_result(result));
    send();
  }

 public:
  void say(Kind kind, std::string_view text) {
    append_frame(out_, kind, 0, text);
    send();
  }

 private:
  void send() {
    while (!out_.empty()) {
      const ssize_t n = ::send(kSocket, out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;  // an end of the socket is seen when it is read
      out_.erase(0, static_cast<std::size_t>(n));
    }
  }

  std::size_t num_slots_;
  bool is_closed_ = false;
  FrameReader in_;
  std::string out_;
  std::map<std::uint64_t, Work> works_;
  std::deque<std::uint64_t> queue_;  // jobs with runs to start, oldest first
  std::vector<Slot> slots_;
};

// Runs a program that does nothing: what the kernel refuses, it refuses now.
void try_out() {
  const std::vector<std::string> command = {"true"};
  const std::string input;
  const std::vector<File> files;
  const std::vector<std::string> products;
  Box box({&command, &input, {&files}, &products, {}});
  while (!box.is_over()) {
    std::vector<pollfd> events;
    box.add_events(events);
    ::poll(events.data(), events.size(), 10);
    box.work();
  }
  if (!box.failure().empty()) throw Error(box.failure());
  if (box.run().outcome != QED_RUN_OK) throw Error("a program that does nothing fails there");
}

}  // namespace

int serve(int num_slots) {
  ::setsid();  // Ctrl-C is for qed
  ::signal(SIGPIPE, SIG_IGN);
  ::syscall(SYS_close_range, kSocket + 1, ~0u, 0);
  ::fcntl(kSocket, F_SETFD, FD_CLOEXEC);
  Server server(static_cast<std::size_t>(std::max(num_slots, 1)));
  try {
    if (!has_system_call_filters()) throw Error("the kernel has no filters of system calls");
    enter_root();
    try_out();
  } catch (const Error& error) {
    server.say(Kind::kRefused, error.what());
    return 1;
  }
  server.say(Kind::kReady, "");
  return server.run();
}

}  // namespace qed::sandbox
