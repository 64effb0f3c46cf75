#include "core/run/task_set.h"

#include "core/run/evaluate.h"
#include "core/util/error.h"

#include <map>

namespace qed {

TaskSet::TaskSet(RunContext& run) {
  const Stage& stage = run.stage();
  std::map<std::string, std::unordered_set<std::string>> held_out;  // by plugin
  for (const TaskTable& table : stage.tasks) {
    tasks_.push_back(std::make_unique<Task>(run.component("task", table.name), table.options.dump(),
                                            run.plugins.abi(), stage.rollout.verify_timeout_s));
    held_out[table.name].merge(held_out_keys(*tasks_.back(), stage.eval.items));
  }
  if (tasks_.empty()) return;
  std::vector<MixtureSource> sources;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const TaskTable& table = stage.tasks[i];
    const auto window = stage.kind == "rl" ? table.window : TaskTable().window;
    sources.push_back(
        {tasks_[i].get(), table.label, table.weight, window, held_out.at(table.name)});
  }
  items_ = std::make_unique<Mixture>(std::move(sources), run.key("data"));
}

void TaskSet::add_states(PluginStates& to) const {
  for (std::size_t i = 0; i < size(); ++i) to.add(cat("task.", i + 1), task(i).state());
}

std::string TaskSet::names() const {
  std::string out;
  for (std::size_t i = 0; i < size(); ++i) out += cat(i == 0 ? "" : ", ", label(i));
  return out;
}

std::unordered_set<std::string> TaskSet::held_out() const {
  return items_ ? items_->sources().front().held_out : std::unordered_set<std::string>();
}

}  // namespace qed
