#pragma once

// The tasks of a stage, and the order of their items.

#include "core/data/mixture.h"
#include "core/run/context.h"
#include "core/run/plugin_states.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace qed {

// [main] only; the run must outlive it.
class TaskSet {
 public:
  // Of the current stage; none where it learns from a file and has no task. Keys that one task
  // holds out are held out for all tasks of the same plugin.
  explicit TaskSet(RunContext& run);

  std::size_t size() const { return tasks_.size(); }
  const Task& task(std::size_t i) const { return *tasks_.at(i); }
  const std::string& label(std::size_t i) const { return items_->sources().at(i).label; }
  void add_states(PluginStates& to) const;
  std::string names() const;  // for messages: "sums", "sums, words"
  // The first task's; none where there is no task.
  std::unordered_set<std::string> held_out() const;

  // Not where there is no task.
  Mixture& items() { return *items_; }
  const Mixture& items() const { return *items_; }

 private:
  std::vector<std::unique_ptr<Task>> tasks_;
  std::unique_ptr<Mixture> items_;
};

}  // namespace qed
