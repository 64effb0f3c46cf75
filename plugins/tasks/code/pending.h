#pragma once

// Programs that have been submitted and not yet fetched.

#include "qed/sandbox.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace code {

// The host asks again for the same sample, which its text names. Functions are [any].
class Pending {
 public:
  explicit Pending(const qed::Sandbox& sandbox) : sandbox_(sandbox) {}
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
  ~Pending() {
    for (const auto& [key, entry] : entries_) sandbox_.drop(entry.ticket);
  }

  // How the program of this sample ended, once it has; `make` is called the first time. Throws
  // qed::Error where it could not be run, twice.
  template <class Make>
  std::optional<qed::Runs> ask(const std::string& key, Make&& make) {
    auto entry = take(key);
    if (!entry) {
      const qed::Program program = make();
      entry = {sandbox_.submit(program), program.inputs.size(), 1};
    }
    try {
      auto runs = sandbox_.poll(entry->ticket, entry->num_runs);
      if (!runs) put(key, *entry);
      return runs;
    } catch (const qed::Error&) {  // a helper that died is no verdict; neither is it for ever
      if (entry->num_tries > 1) throw;
      put(key, {sandbox_.submit(make()), entry->num_runs, entry->num_tries + 1});
      return std::nullopt;
    }
  }

 private:
  struct Entry {
    std::uint64_t ticket;
    std::size_t num_runs;
    int num_tries;
  };
  std::optional<Entry> take(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    const Entry entry = found->second;
    entries_.erase(found);
    return entry;
  }
  void put(const std::string& key, const Entry& entry) {
    const std::lock_guard lock(mutex_);
    entries_.emplace(key, entry);
  }

  qed::Sandbox sandbox_;
  std::mutex mutex_;
  std::multimap<std::string, Entry> entries_;  // equal samples have a program each
};

}  // namespace code
