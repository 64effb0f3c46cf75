#include "core/sandbox/sandbox_service.h"

#include "qed/sandbox.h"
#include "qed/testing.h"

#include <gmock/gmock.h>

namespace qed {
namespace {

using ::testing::HasSubstr;

// The service as a plugin sees it, through the SDK.
class SandboxServiceTest : public ::testing::Test {
 protected:
  SandboxServiceTest() { host_.add(kSandboxService, service_.abi()); }

  qed::testing::FakeHost host_;
  qed::testing::Call call_;
  SandboxService service_{{QED_BINARY_DIR "/bin/qed", "plugin", "sandbox"}};
};

std::string message_of(const std::function<void()>& body, std::int32_t* code = nullptr) {
  try {
    body();
  } catch (const Error& e) {
    if (code != nullptr) *code = e.code();
    return e.what();
  }
  return "no error";
}

TEST_F(SandboxServiceTest, RunsAProgramAndWaits) {
  const Sandbox sandbox(Host(host_.abi(), call_.abi()));
  const Runs runs = sandbox.run({.files = {{"main.py", "print(int(input()) + 1)"}},
                                 .command = {"python3", "-I", "-S", "main.py"},
                                 .inputs = {"1", "x"},
                                 .run_limits = {.cpu_ms = 5000}});
  EXPECT_EQ(runs.build.outcome, Outcome::kSkipped);
  EXPECT_EQ(runs.runs.at(0).outcome, Outcome::kOk);
  EXPECT_EQ(runs.runs.at(0).output, "2\n");
  EXPECT_EQ(runs.runs.at(1).outcome, Outcome::kError);
  EXPECT_EQ(runs.runs.at(1).exit_code, 1);
  EXPECT_THAT(runs.runs.at(1).errors, HasSubstr("ValueError"));
}

TEST_F(SandboxServiceTest, SubmitDoesNotWaitAndPollGivesTheResultOnce) {
  const Sandbox sandbox(Host(host_.abi(), call_.abi()));
  const std::uint64_t ticket =
      sandbox.submit({.command = {"sleep", "0.3"}, .inputs = {""}, .run_limits = {}});
  EXPECT_FALSE(sandbox.poll(ticket, 1));
  std::optional<Runs> runs;
  while (!runs) runs = sandbox.poll(ticket, 1, 100);
  EXPECT_EQ(runs->runs.at(0).outcome, Outcome::kOk);
  EXPECT_EQ(message_of([&] { sandbox.poll(ticket, 1); }), "there is no such job");
}

TEST_F(SandboxServiceTest, AMistakeInAJobIsRefused) {
  const Sandbox sandbox(Host(host_.abi(), call_.abi()));
  std::int32_t code = 0;
  EXPECT_EQ(message_of(
                [&] {
                  sandbox.submit({.files = {{"../x", ""}}, .command = {"true"}});
                },
                &code),
            "`../x` is no name of a file");
  EXPECT_EQ(code, QED_INVALID);
  EXPECT_EQ(message_of([&] { sandbox.submit({}); }), "there is no command");
}

TEST_F(SandboxServiceTest, AHostWithoutItSaysSo) {
  const qed::testing::FakeHost none;
  std::int32_t code = 0;
  EXPECT_EQ(message_of([&] { Sandbox(Host(none.abi(), call_.abi())); }, &code),
            "this host runs no programs");
  EXPECT_EQ(code, QED_UNSUPPORTED);
  SandboxService broken({"/no/such/program"});
  qed::testing::FakeHost host;
  host.add(kSandboxService, broken.abi());
  EXPECT_THAT(message_of([&] { Sandbox(Host(host.abi(), call_.abi())); }, &code),
              HasSubstr("cannot start the sandbox's helper `/no/such/program`"));
  EXPECT_EQ(code, QED_UNSUPPORTED);
}

}  // namespace
}  // namespace qed
