#include "core/model/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tests/host/host_fixture.h"
#include "tests/model/model_fixture.h"

namespace qed {
namespace {

using testing::ElementsAre;

class Safetensors : public testing::Test {
 protected:
  // A file of this header and `body` bytes of zeros; its length is told truly unless given.
  void write(const std::string& header, std::size_t body, std::uint64_t length = UINT64_MAX) {
    if (length == UINT64_MAX) length = header.size();
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    write_file(file_, bytes + header + std::string(body, '\0'));
  }
  std::string refusal() {
    return failure_of([&] { SafetensorsFile file(file_); }).message;
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "model.safetensors";
  const std::string invalid_ = file_.string() + " is not a valid safetensors file: ";
};

TEST_F(Safetensors, WhatIsWrittenIsReadBack) {
  const std::vector<NamedTensor> tensors = {
      {"b", {2, 3}, {1, 2, 3, 4, 5, 6}}, {"a", {1}, {-0.0f}}, {"none", {0, 4}, {}}};
  write_safetensors(file_, tensors);

  const SafetensorsFile file(file_);
  EXPECT_THAT(file.names(), ElementsAre("a", "b", "none"));
  EXPECT_TRUE(file.contains("b"));
  EXPECT_FALSE(file.contains("c"));
  for (const NamedTensor& t : tensors) {
    const auto values = file.f32(t.name, t.shape);
    ASSERT_EQ(values.size(), t.data.size());
    EXPECT_TRUE(t.data.empty() ||
                std::memcmp(values.data(), t.data.data(), values.size_bytes()) == 0);
  }
}

TEST_F(Safetensors, BodyStartsAlignedWhateverTheNames) {
  for (std::size_t n = 1; n <= 16; ++n) {
    const std::string name(n, 'x');
    write_safetensors(file_, std::vector<NamedTensor>{{name, {1}, {0.5f}}});
    const std::int64_t shape[] = {1};
    EXPECT_THAT(SafetensorsFile(file_).f32(name, shape), ElementsAre(0.5f));
  }
}

TEST_F(Safetensors, AFileThatIsNotThereOrEmptyIsNamed) {
  EXPECT_EQ(refusal(), "cannot read " + file_.string() + ": No such file or directory");
  write_file(file_, "");
  EXPECT_EQ(refusal(), file_.string() + " is empty or cannot be mapped");
}

TEST_F(Safetensors, ATruncatedFileIsRefused) {
  write_safetensors(file_, std::vector<NamedTensor>{{"w", {4}, {1, 2, 3, 4}}});
  const std::string whole = read_file(file_);
  write_file(file_, whole.substr(0, 7));
  EXPECT_EQ(refusal(), invalid_ + "it is shorter than its header");
  write_file(file_, whole.substr(0, 30));
  EXPECT_EQ(refusal(), invalid_ + "its header is longer than the file");
  write_file(file_, whole.substr(0, whole.size() - 1));
  EXPECT_EQ(refusal(), invalid_ + "`w` ends at byte 16, but there are only 15");
}

TEST_F(Safetensors, ABadHeaderIsRefused) {
  const std::tuple<std::string, std::uint64_t, std::string> cases[] = {
      {"{}", 3, "its header is longer than the file"},
      {"{}", UINT64_MAX - 1, "its header is longer than the file"},
      {"{\"w\":", UINT64_MAX, "its header is not a JSON object"},
      {"[]", UINT64_MAX, "its header is not a JSON object"},
      {R"({"w":3})", UINT64_MAX, "the entry of `w` is malformed"},
      {R"({"w":{"dtype":"F32","shape":[1]}})", UINT64_MAX, "the entry of `w` is malformed"},
      {R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", UINT64_MAX,
       "the entry of `w` is malformed"},
      {R"({"w":{"dtype":4,"shape":[1],"data_offsets":[0,4]}})", UINT64_MAX,
       "the entry of `w` is malformed"},
      {R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", UINT64_MAX,
       "`w` ends at byte 4, but there are only 0"},
      {R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}})", UINT64_MAX,
       "`w` ends at byte 4, but there are only 0"},
  };
  for (const auto& [header, length, why] : cases) {
    write(header, 0, length);
    EXPECT_EQ(refusal(), invalid_ + why) << header;
  }
}

TEST_F(Safetensors, ATensorThatIsNotAsAskedForIsRefused) {
  write(R"({"__metadata__":{"format":"pt"},)"
        R"("half":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},)"
        R"("short":{"dtype":"F32","shape":[2,1],"data_offsets":[0,4]},)"
        R"("w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}})",
        8);
  const SafetensorsFile file(file_);
  EXPECT_THAT(file.names(), ElementsAre("half", "short", "w"));
  const auto refusal = [&](const std::string& name, std::vector<std::int64_t> shape) {
    return failure_of([&] { file.f32(name, shape); });
  };
  const std::string in = "` in " + file_.string() + " is ";
  EXPECT_EQ(refusal("none", {1}).message, file_.string() + " has no tensor `none`");
  EXPECT_EQ(refusal("half", {2}).message, "`half" + in + "BF16, which is not supported");
  EXPECT_EQ(refusal("half", {2}).hint, "supported is F32; save the model with dtype float32");
  EXPECT_EQ(refusal("w", {1, 2}).message,
            "`w" + in + "[2, 1] (8 bytes), but config.json asks for [1, 2]");
  EXPECT_EQ(refusal("w", {2}).message,
            "`w" + in + "[2, 1] (8 bytes), but config.json asks for [2]");
  EXPECT_EQ(refusal("short", {2, 1}).message,
            "`short" + in + "[2, 1] (4 bytes), but config.json asks for [2, 1]");
}

TEST_F(Safetensors, ATensorThatIsNotAlignedIsRefused) {
  std::string header = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  write(header, 8);
  const SafetensorsFile file(file_);
  const std::int64_t shape[] = {1};
  EXPECT_EQ(failure_of([&] { file.f32("w", shape); }).message,
            "`w` in " + file_.string() + " is not aligned to 4 bytes");
}

}  // namespace
}  // namespace qed
