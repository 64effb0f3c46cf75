#include "core/host/services.h"

#include "core/util/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

namespace qed {
namespace {

const void* get(const HostServices& services, const std::string& id) {
  return services.abi()->get_extension(services.abi(), {id.data(), id.size()});
}

TEST(HostServices, ServesWhatWasAddedAndNullForAllElse) {
  HostServices services;
  const int dataset = 0, other = 0;
  EXPECT_EQ(get(services, "qed.host.dataset/1"), nullptr);
  services.add("qed.host.dataset/1", &dataset);
  EXPECT_EQ(get(services, "qed.host.dataset/1"), &dataset);
  services.add("qed.host.dataset/1", &other);
  EXPECT_EQ(get(services, "qed.host.dataset/1"), &other);
  EXPECT_EQ(get(services, "qed.host.dataset/2"), nullptr);
  EXPECT_EQ(get(services, ""), nullptr);
  EXPECT_EQ(services.abi()->get_extension(services.abi(), {nullptr, 0}), nullptr);
}

TEST(ThreadsService, CallsTheBodyOnceForEachIndexOnAllThreads) {
  const HostServices services;
  const auto* threads = static_cast<const qed_host_threads*>(get(services, "qed.host.threads/1"));
  ASSERT_NE(threads, nullptr);
  EXPECT_EQ(threads->size, sizeof(qed_host_threads));
  set_num_threads(3);
  EXPECT_EQ(threads->count(threads), 3u);
  std::vector<std::atomic<int>> calls(100);
  threads->parallel_for(
      threads, calls.size(),
      [](void* context, std::uint64_t i) {
        ++(*static_cast<std::vector<std::atomic<int>>*>(context))[i];
      },
      &calls);
  set_num_threads(1);
  for (const auto& count : calls) EXPECT_EQ(count, 1);
  threads->parallel_for(threads, 0, nullptr, nullptr);
}

TEST(HostLog, WritesLinesWithTheirSeverity) {
  const HostServices services;
  const qed_host* abi = services.abi();
  testing::internal::CaptureStderr();
  const std::string text = "low disk";
  abi->log(abi, 2, {text.data(), text.size()});
  abi->log(abi, 0, {text.data(), text.size()});  // debug: dropped
  abi->log(abi, 99, {text.data(), text.size()});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "[plugin] warning: low disk\n[plugin] error: low disk\n");
}

}  // namespace
}  // namespace qed
