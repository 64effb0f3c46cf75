#pragma once

// Programs that have been submitted and not yet fetched.

#include "qed/sandbox.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace code {

struct Ended {
  qed::Runs program, checks;
};

// The host asks again for the same sample, which its text names. Functions are [any].
class Pending {
 public:
  explicit Pending(const qed::Sandbox& sandbox) : sandbox_(sandbox) {}
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
  ~Pending() {
    for (const auto& [key, entry] : entries_) sandbox_.drop(entry.ticket);
  }

  // How the program of this sample ended, once it has; `make` is called the first time. Where
  // `check` gives a program for these runs, that one is run, too. Throws qed::Error where one of
  // them could not be run, twice.
  template <class Make, class Check>
  std::optional<Ended> ask(const std::string& key, Make&& make, Check&& check) {
    auto entry = take(key);
    if (!entry) entry = submit(make());
    try {
      auto runs = sandbox_.poll(entry->ticket, entry->num_runs);
      if (!runs) {
        put(key, std::move(*entry));
        return std::nullopt;
      }
      if (entry->program) return Ended{std::move(*entry->program), std::move(*runs)};
      std::optional<qed::Program> next = check(*runs);
      if (!next) return Ended{std::move(*runs), {}};
      Entry checks = submit(*next);
      checks.program = std::move(*runs);
      put(key, std::move(checks));
    } catch (const qed::Error&) {  // a helper that died is no verdict; neither is it for ever
      if (entry->num_tries > 1) throw;
      Entry again = submit(entry->program ? *check(*entry->program) : make());
      again.num_tries = entry->num_tries + 1;
      again.program = std::move(entry->program);
      put(key, std::move(again));
    }
    return std::nullopt;
  }

 private:
  struct Entry {
    std::uint64_t ticket = 0;
    std::size_t num_runs = 0;
    int num_tries = 1;
    std::optional<qed::Runs> program = {};  // that has ended, while its checker runs
  };
  Entry submit(const qed::Program& program) {
    return {sandbox_.submit(program), program.inputs.size()};
  }
  std::optional<Entry> take(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    Entry entry = std::move(found->second);
    entries_.erase(found);
    return entry;
  }
  void put(const std::string& key, Entry entry) {
    const std::lock_guard lock(mutex_);
    entries_.emplace(key, std::move(entry));
  }

  qed::Sandbox sandbox_;
  std::mutex mutex_;
  std::multimap<std::string, Entry> entries_;  // equal samples have a program each
};

}  // namespace code
