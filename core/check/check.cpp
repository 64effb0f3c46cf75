#include "core/check/check.h"

#include "core/check/child.h"
#include "core/util/error.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <filesystem>
#include <mutex>
#include <regex>
#include <thread>

namespace qed::check {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::regex expression(const std::string& text, const char* flag) {
  try {
    return std::regex(text, std::regex::ECMAScript | std::regex::nosubs);
  } catch (const std::regex_error&) {
    throw Error(cat(flag, " `", text, "` is not a regular expression"),
                "for example: --include '^task[.]'", kExitUsage);
  }
}

// A row to fill, and the component that it is about.
struct Place {
  CheckRow* row;
  std::size_t component;
};

class Session {
 public:
  explicit Session(const CheckOptions& options)
      : options_(options),
        include_(expression(options.include, "--include")),
        exclude_(expression(options.exclude, "--exclude")) {}

  CheckReport run() {
    const auto start = Clock::now();
    report_.file = options_.open.file;
    load();
    const std::vector<Place> places = plan();
    if (options_.is_in_process) {
      for (const Place& place : places) fill(place);
    } else {
      fill_in_parallel(places);
    }
    report_.seconds = since(start);
    return std::move(report_);
  }

 private:
  JobAnswer ask(std::string_view test, std::size_t component, bool is_strange = false) const {
    const Job job = {options_.open, std::string(test), component};
    if (options_.is_in_process) return do_job(job);
    return run_child(job, {options_.timeout_s, is_strange});
  }

  // Of a job that finds mistakes of the command line, which end the session.
  JobAnswer ask_usage(std::string_view job) const {
    JobAnswer answer = ask(job, 0);
    if (answer.exit_code != kExitOk) {
      throw Error(answer.result.message, answer.hint, answer.exit_code);
    }
    return answer;
  }

  void load() {
    const auto start = Clock::now();
    JobAnswer answer = ask_usage(kLoader);
    // Else every test would fail for this one reason.
    if (!options_.open.sets.empty()) ask_usage(kGivenOptions);
    const Test& test = *std::ranges::find(tests(), kLoader, &Test::name);
    report_.components = std::move(answer.components);
    report_.rows.push_back(
        {"", kLoader, test.level, std::string(test.about), std::move(answer.result), since(start)});
  }

  bool is_wanted(const Test& test) const {
    const std::string name(test.name);
    const bool is_excluded = !options_.exclude.empty() && std::regex_search(name, exclude_);
    return !is_excluded && std::regex_search(name, include_);
  }

  std::vector<Place> plan() {
    std::vector<std::size_t> components = {0};  // of the row of the loader
    for (std::size_t i = 0; i < report_.components.size(); ++i) {
      const ComponentInfo& component = report_.components[i];
      for (const Test& test : tests()) {
        const bool fits = test.kind.empty() || test.kind == component.kind;
        if (test.name == kLoader || !fits || !is_wanted(test)) continue;
        report_.rows.push_back({cat(component.kind, " `", component.name, "`"),
                                std::string(test.name), test.level, std::string(test.about)});
        components.push_back(i);
      }
    }
    std::vector<Place> places;
    for (std::size_t i = 1; i < report_.rows.size(); ++i) {
      places.push_back({&report_.rows[i], components[i]});
    }
    return places;
  }

  void fill(const Place& place) const {
    const auto start = Clock::now();
    place.row->result = place.row->test == kTwoProcesses
                            ? compare_processes(place.component)
                            : ask(place.row->test, place.component).result;
    place.row->seconds = since(start);
  }

  TestResult compare_processes(std::size_t component) const {
    if ((report_.components[component].flags & QED_DETERMINISTIC) == 0) {
      return {Outcome::kSkipped, "it is not QED_DETERMINISTIC"};
    }
    if (options_.is_in_process) return {Outcome::kSkipped, "it needs two processes"};
    const TestResult here = ask(kTranscript, component).result;
    if (here.outcome != Outcome::kPassed) return here;
    const TestResult there = ask(kTranscript, component, true).result;
    if (there.outcome != Outcome::kPassed) return there;
    try {
      expect_same(here.message, there.message, "in another process, with another environment");
    } catch (const Failure& failure) {
      return {Outcome::kFailed, failure.message};
    }
    return {Outcome::kPassed, ""};
  }

  void fill_in_parallel(const std::vector<Place>& places) const {
    std::atomic<std::size_t> next = 0;
    std::exception_ptr problem;
    std::mutex mutex;
    const auto work = [&] {
      try {
        for (std::size_t i; (i = next++) < places.size();) fill(places[i]);
      } catch (...) {
        const std::lock_guard lock(mutex);
        problem = std::current_exception();
        next = places.size();
      }
    };
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    std::vector<std::thread> workers;
    for (unsigned i = 0; i < (options_.num_jobs == 0 ? cores : options_.num_jobs); ++i) {
      workers.emplace_back(work);
    }
    for (std::thread& worker : workers) worker.join();
    if (problem != nullptr) std::rethrow_exception(problem);
  }

  const CheckOptions& options_;
  std::regex include_, exclude_;
  CheckReport report_;
};

}  // namespace

std::string_view CheckRow::outcome() const {
  if (result.outcome == Outcome::kSkipped) return "skipped";
  if (result.outcome == Outcome::kPassed) return "passed";
  return level == Level::kMust ? "failed" : "warning";
}

std::size_t CheckReport::count(std::string_view outcome) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(rows, [&](const CheckRow& row) { return row.outcome() == outcome; }));
}

CheckReport run_checks(const CheckOptions& options) {
  CheckOptions absolute = options;
  absolute.open.file = std::filesystem::absolute(options.open.file).lexically_normal().string();
  CheckReport report = Session(absolute).run();
  report.file = options.open.file;
  return report;
}

}  // namespace qed::check
