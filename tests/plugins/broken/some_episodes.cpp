// A task that opens episodes and cannot step them.

#include "qed/task.h"

namespace {

class SomeEpisodes {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.some_episodes",
      .name = "some_episodes",
      .version = "1.0.0",
      .summary = "has one fault",
  };
  static constexpr std::string_view kSplits[] = {"train"};
  static constexpr std::string_view kTerms[] = {"correct"};

  std::uint64_t count(std::string_view) const { return 1; }
  qed::Item load(std::string_view, std::uint64_t) const { return {"key", "{}"}; }
  qed::Prompt render(const qed::ItemView&) const { return {.text = "x"}; }
  qed::Score verify(const qed::Sample&) const { return {.reward = 0}; }
};

struct Component {
  static std::int32_t open(const void*, qed_call*, const qed_item*, qed_observation*, void**) {
    return QED_UNSUPPORTED;
  }

  static const qed_component* component() {
    static qed_component component = *qed::Task<SomeEpisodes>::component();
    static qed_task table = *static_cast<const qed_task*>(component.vtable);
    table.episode_open = &open;
    component.vtable = &table;
    return &component;
  }
};

}  // namespace

QED_PLUGIN("dev.qed.test.some_episodes", "Apache-2.0", Component);
