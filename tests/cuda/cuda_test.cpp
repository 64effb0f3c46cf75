// Why a GPU cannot be used, in words; with drivers and libraries that are not there.

#include "core/cuda/cuda.h"
#include "tests/cuda/full_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace qed::cuda {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kFakeDriver[] = QED_BINARY_DIR "/tests/cuda/fake/libcuda.so.1";
const fs::path kFakeLibrary = QED_BINARY_DIR "/tests/cuda/fake/libqed_cuda.so";
const fs::path kOldLibrary = QED_BINARY_DIR "/tests/cuda/fake/libqed_cuda_old.so";

Gpu h200() { return {"NVIDIA H200", 9, 0, 150'000'000'000}; }

Driver good_driver(std::vector<Gpu> gpus = {h200()}) {
  Driver driver;
  driver.is_installed = true;
  driver.version = 13000;
  driver.gpus = std::move(gpus);
  return driver;
}

void expect_refusal(const std::optional<Error>& refusal, const std::string& what,
                    const std::string& hint) {
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->what(), what);
  EXPECT_EQ(refusal->hint(), hint + ", or write run.device = \"cpu\"");
  EXPECT_EQ(refusal->exit_code(), kExitUsage);
}

class FakeDriver : public testing::Test {
 protected:
  void TearDown() override {
    for (const char* name : {"FAKE_CUDA_VERSION", "FAKE_CUDA_INIT", "FAKE_CUDA_GPUS"}) {
      ::unsetenv(name);
    }
  }
  static void set(const char* name, const char* value) { ::setenv(name, value, 1); }
};

TEST_F(FakeDriver, TellsItsVersionAndItsGpus) {
  set("FAKE_CUDA_GPUS", "NVIDIA H200:9:0:150000000000;Tesla T4:7:5:16000000000");
  const Driver driver = ask_driver(kFakeDriver);
  EXPECT_TRUE(driver.is_installed);
  EXPECT_EQ(driver.version, 13000);
  EXPECT_EQ(driver.error, 0);
  ASSERT_EQ(driver.gpus.size(), 2u);
  EXPECT_EQ(driver.gpus[0].name, "NVIDIA H200");
  EXPECT_EQ(driver.gpus[0].memory_bytes, 150'000'000'000);
  EXPECT_EQ(driver.gpus[1].major, 7);
  EXPECT_EQ(driver.gpus[1].minor, 5);
}

TEST_F(FakeDriver, WithoutAGpuIsNoFailure) {
  set("FAKE_CUDA_INIT", "100");
  expect_refusal(find_cuda(ask_driver(kFakeDriver), kFakeLibrary).refusal,
                 "the NVIDIA driver sees no GPU",
                 "check CUDA_VISIBLE_DEVICES, and what the container was given");
}

TEST_F(FakeDriver, ThatDoesNotStartIsNamedWithItsError) {
  set("FAKE_CUDA_INIT", "803");
  expect_refusal(find_cuda(ask_driver(kFakeDriver), kFakeLibrary).refusal,
                 "the NVIDIA driver does not start: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803)",
                 "see whether `nvidia-smi` works");
  set("FAKE_CUDA_INIT", "4711");
  EXPECT_THAT(find_cuda(ask_driver(kFakeDriver), kFakeLibrary).refusal->what(),
              HasSubstr("an unknown error (4711)"));
}

TEST_F(FakeDriver, ThatIsTooOldIsToldWithBothVersions) {
  set("FAKE_CUDA_VERSION", "12040");
  set("FAKE_CUDA_GPUS", "NVIDIA H200:9:0:150000000000");
  expect_refusal(find_cuda(ask_driver(kFakeDriver), kFakeLibrary).refusal,
                 "the NVIDIA driver is too old: it serves CUDA 12.4, and qed needs 13.0",
                 "install a driver of release 580 or newer");
}

TEST(Driver, ThatIsNotThereIsNotInstalled) {
  const Driver driver = ask_driver("libcuda_that_nobody_has.so.1");
  EXPECT_FALSE(driver.is_installed);
  EXPECT_EQ(driver.open_error, "");
  expect_refusal(find_cuda(driver, kFakeLibrary).refusal,
                 "no NVIDIA driver is installed: there is no libcuda.so.1",
                 "install a driver of release 580 or newer");
}

TEST(Driver, ThatCannotBeOpenedIsTheLinkersSentence) {
  const Driver driver = ask_driver(QED_SOURCE_DIR "/tests/cuda/cuda_test.cpp");
  EXPECT_FALSE(driver.is_installed);
  const auto refusal = find_cuda(driver, kFakeLibrary).refusal;
  EXPECT_THAT(refusal->what(),
              AllOf(StartsWith("cannot open the NVIDIA driver: "), HasSubstr("cuda_test.cpp")));
  EXPECT_EQ(refusal->exit_code(), kExitUsage);
}

TEST(Driver, OfAnotherKindIsRefused) {
  const Driver driver = ask_driver(kFakeLibrary.c_str());
  EXPECT_EQ(driver.open_error,
            kFakeLibrary.string() + " is no driver of NVIDIA, or a very old one");
}

TEST(Library, IsNotOpenedWhereThereIsNoGpu) {
  const Availability found = find_cuda(good_driver({}), "no/such/libqed_cuda.so");
  EXPECT_FALSE(found.table.has_value());
  EXPECT_STREQ(found.refusal->what(), "the NVIDIA driver sees no GPU");
}

TEST(Library, ThatWasNotBuiltIsMissing) {
  expect_refusal(find_cuda(good_driver(), "no/such/libqed_cuda.so").refusal,
                 "this build of qed has no GPU half: no/such/libqed_cuda.so is missing",
                 "configure the build with -DQED_CUDA=ON");
}

TEST(Library, ThatCannotBeOpenedIsTheLinkersSentence) {
  const auto refusal = find_cuda(good_driver(), QED_SOURCE_DIR "/README.md").refusal;
  EXPECT_THAT(refusal->what(),
              AllOf(StartsWith("cannot open the GPU half: "), HasSubstr("README.md")));
  EXPECT_EQ(refusal->hint(), "build it again, or write run.device = \"cpu\"");
}

TEST(Library, OfSomebodyElseIsRefused) {
  expect_refusal(find_cuda(good_driver(), kFakeDriver).refusal,
                 cat(kFakeDriver, " is not qed's: it has no qed_cuda_table"), "build it again");
}

TEST(Library, OfAnotherBuildIsRefusedWithBothVersions) {
  expect_refusal(
      find_cuda(good_driver(), kOldLibrary).refusal,
      cat(kOldLibrary.string(), " is of another build of qed: its table has version 77 ", "and ",
          sizeof(KernelTable), " bytes, not ", kTableVersion, " and ", sizeof(KernelTable)),
      "build it again");
}

TEST(Gpu, OfAnArchitectureThatWasBuiltCanBeUsed) {
  const Availability found = find_cuda(good_driver(), kFakeLibrary);
  EXPECT_FALSE(found.refusal.has_value());
  ASSERT_EQ(found.gpus.size(), 1u);
  EXPECT_FALSE(found.gpus[0].has_value());
  EXPECT_EQ(found.table->runtime_version, 13000);
}

TEST(Gpu, OfAnotherArchitectureIsRefusedWithTheOptionThatBuildsIt) {
  expect_refusal(find_cuda(good_driver({{"NVIDIA B200", 10, 0, 1}}), kFakeLibrary).refusal,
                 "NVIDIA B200 is sm_100, and libqed_cuda.so is built for sm_80, sm_89, sm_90a",
                 "configure the build with -DQED_CUDA_ARCHITECTURES=100");
  expect_refusal(find_cuda(good_driver({{"Tesla V100", 7, 0, 1}}), kFakeLibrary).refusal,
                 "Tesla V100 is sm_70, and libqed_cuda.so is built for sm_80, sm_89, sm_90a",
                 "use a GPU of sm_75 or newer");
}

TEST(Gpu, BesideOneThatCanBeUsedIsRefusedAlone) {
  const Availability found = find_cuda(good_driver({{"Tesla T4", 7, 5, 1}, h200()}), kFakeLibrary);
  EXPECT_FALSE(found.refusal.has_value());
  ASSERT_EQ(found.gpus.size(), 2u);
  EXPECT_TRUE(found.gpus[0].has_value());
  EXPECT_FALSE(found.gpus[1].has_value());
}

TEST(Architecture, RunsOnItsMajorVersionFromItsMinorOneOn) {
  EXPECT_TRUE(runs_on("80", 8, 0));
  EXPECT_TRUE(runs_on("80", 8, 6));
  EXPECT_FALSE(runs_on("89", 8, 6));
  EXPECT_FALSE(runs_on("80", 9, 0));
  EXPECT_FALSE(runs_on("100", 1, 0));
  EXPECT_TRUE(runs_on("80 100", 10, 3));
}

TEST(Architecture, WithAnARunsOnItselfAlone) {
  EXPECT_TRUE(runs_on("90a", 9, 0));
  EXPECT_FALSE(runs_on("90a", 9, 1));
}

TEST(Table, HasEveryFunction) { expect_full(open_library(kFakeLibrary)); }

}  // namespace
}  // namespace qed::cuda
