#include "core/model/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "core/util/files.h"
#include "tests/host/host_fixture.h"
#include "tests/model/tensor_file.h"

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
  // All numbers of a tensor, read in one go.
  static std::vector<float> numbers(const SafetensorsFile& file, const std::string& name) {
    const TensorEntry& t = file.tensors().at(name);
    const Dtype dtype = dtype_of_tag(t.tag).value();
    std::vector<float> out((t.end - t.begin) / static_cast<std::uint64_t>(num_bytes(dtype)));
    file.read(t.begin, t.end, dtype, out.data());
    return out;
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
  write_tensors(file_, tensors);

  const SafetensorsFile file(file_);
  EXPECT_EQ(file.tensors().size(), 3u);
  for (const NamedTensor& t : tensors) {
    EXPECT_EQ(file.tensors().at(t.name).shape, t.shape);
    const auto values = numbers(file, t.name);
    ASSERT_EQ(values.size(), t.data.size());
    EXPECT_TRUE(t.data.empty() ||
                std::memcmp(values.data(), t.data.data(), 4 * values.size()) == 0);
  }
}

TEST_F(Safetensors, HalfPrecisionIsRoundedOnceAndReadExactly) {
  const std::vector<NamedTensor> tensors = {{"w", {4}, {1.0f, -2.5f, 1.00390625f, 3e-5f}}};
  for (const auto& [dtype, tag, third] :
       {std::tuple(Dtype::kBfloat16, "BF16", 1.0f), {Dtype::kFloat16, "F16", 1.00390625f}}) {
    write_tensors(file_, tensors, dtype);
    const SafetensorsFile file(file_);
    EXPECT_EQ(file.tensors().at("w").tag, tag);
    const auto values = numbers(file, "w");
    EXPECT_EQ(values[0], 1);
    EXPECT_EQ(values[1], -2.5);
    EXPECT_EQ(values[2], third);
    EXPECT_NEAR(values[3], 3e-5, 3e-5 / 256);
  }
}

TEST_F(Safetensors, ManyPiecesGiveOneTensor) {
  NamedTensor t{"w", {3000, 257}, std::vector<float>(3000 * 257)};
  std::iota(t.data.begin(), t.data.end(), 0.0f);
  ASSERT_LT(rows_per_piece({t.name, t.shape}), 3000);
  write_tensors(file_, {t});
  EXPECT_EQ(numbers(SafetensorsFile(file_), "w"), t.data);
}

TEST_F(Safetensors, BodyStartsAlignedWhateverTheNames) {
  for (std::size_t n = 1; n <= 16; ++n) {
    write_tensors(file_, {{std::string(n, 'x'), {1}, {0.5f}}});
    EXPECT_EQ(std::filesystem::file_size(file_) % 8, 4u);
  }
}

TEST_F(Safetensors, AFailedWriteLeavesTheOldFile) {
  write_tensors(file_, {{"w", {1}, {7}}});
  const TensorSpec specs[] = {{"w", {1}}};
  const auto broken = [](std::size_t, std::int64_t, std::int64_t, float*) { throw Error("stop"); };
  EXPECT_THROW(write_safetensors(file_, specs, Dtype::kFloat32, broken), Error);
  EXPECT_THAT(numbers(SafetensorsFile(file_), "w"), ElementsAre(7));
  EXPECT_FALSE(std::filesystem::exists(file_.string() + ".tmp"));
}

TEST_F(Safetensors, AFileThatIsNotThereOrEmptyIsNamed) {
  EXPECT_EQ(refusal(), "cannot read " + file_.string() + ": No such file or directory");
  write_file(file_, "");
  EXPECT_EQ(refusal(), file_.string() + " is empty or cannot be mapped");
}

TEST_F(Safetensors, ATruncatedFileIsRefused) {
  write_tensors(file_, {{"w", {4}, {1, 2, 3, 4}}});
  const std::string whole = read_file(file_);
  write_file(file_, whole.substr(0, 7));
  EXPECT_EQ(refusal(), invalid_ + "it is shorter than its header");
  write_file(file_, whole.substr(0, 30));
  EXPECT_EQ(refusal(), invalid_ + "its header is longer than the file");
  write_file(file_, whole.substr(0, whole.size() - 1));
  EXPECT_EQ(refusal(), invalid_ + "`w` ends at byte 16, but there are only 15");
  write_file(file_, whole + "x");
  EXPECT_EQ(refusal(), invalid_ + "its tensors end at byte 16, not 17");
}

TEST_F(Safetensors, ABadHeaderIsRefused) {
  const std::string malformed = "the entry of `w` is malformed";
  const std::tuple<std::string, std::uint64_t, std::string> cases[] = {
      {"{}", 3, "its header is longer than the file"},
      {"{}", UINT64_MAX - 1, "its header is longer than the file"},
      {"{\"w\":", UINT64_MAX, "its header is not a JSON object"},
      {"[]", UINT64_MAX, "its header is not a JSON object"},
      {std::string(100000, '['), UINT64_MAX, "its header is not a JSON object"},
      {R"({"w":{"dtype":"F32","shape":[[[[]]]],"data_offsets":[0,4]}})", UINT64_MAX,
       "its header is not a JSON object"},
      {R"({"w":3})", UINT64_MAX, malformed},
      {R"({"w":{"dtype":"F32","shape":[1]}})", UINT64_MAX, malformed},
      {R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", UINT64_MAX, malformed},
      {R"({"w":{"dtype":4,"shape":[1],"data_offsets":[0,4]}})", UINT64_MAX, malformed},
      {R"({"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", UINT64_MAX, malformed},
      {R"({"w":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", UINT64_MAX, malformed},
      {R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4e0]}})", UINT64_MAX, malformed},
      {R"({"w":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", UINT64_MAX,
       malformed},
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

TEST_F(Safetensors, TensorsMustFillTheFileSideBySide) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "`w` begins at byte 4, not 0"},
      {R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       "its tensors end at byte 4, not 8"},
      {R"({"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
       R"("w":{"dtype":"F32","shape":[1],"data_offsets":[2,8]}})",
       "`w` begins at byte 2, not 4"},
      {R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", "`w` begins at byte 4, not 0"},
      {R"({"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,8]}})",
       "`w` is F32 [2, 2], but has 8 bytes"},
      {R"({"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,8]}})",
       "`w` is BF16 [2], but has 8 bytes"},
      {R"({"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})",
       "`w` is F32 [4294967296, 4294967296], but has 8 bytes"},
  };
  for (const auto& [header, why] : cases) {
    write(header, 8);
    EXPECT_EQ(refusal(), invalid_ + why) << header;
  }
}

}  // namespace
}  // namespace qed
