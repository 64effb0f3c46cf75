// Damaged model files: each is refused with an Error that names it, or read; nothing else happens.

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "core/model/model_folder.h"
#include "core/util/files.h"
#include "qed/philox.h"
#include "tests/model/tensor_file.h"

namespace qed {
namespace {

constexpr int kInputs = 5000;

// What a JSON reader may trip over.
constexpr const char* kWords[] = {"null",
                                  "-1",
                                  "18446744073709551615",
                                  "9223372036854775808",
                                  "1e999",
                                  "\"",
                                  "[",
                                  "{",
                                  "}",
                                  "]",
                                  "\"F16\"",
                                  "\"I64\"",
                                  ",",
                                  ":",
                                  "4294967296",
                                  "\\u0000",
                                  "0",
                                  "\"shape\"",
                                  "\"data_offsets\"",
                                  "true"};

// A few edits somewhere in the text.
std::string damaged(std::string text, Rng& rng) {
  const auto below = [&](std::size_t n) {
    return static_cast<std::size_t>(rng.real() * static_cast<double>(n));
  };
  for (std::size_t edits = 1 + below(4); edits > 0 && !text.empty(); --edits) {
    const std::size_t at = below(text.size());
    switch (below(5)) {
      case 0:
        text[at] = static_cast<char>(below(256));
        break;
      case 1:
        text.erase(at, 1 + below(8));
        break;
      case 2:
        text.insert(at, kWords[below(std::size(kWords))]);
        break;
      case 3:
        text.replace(at, 1 + below(6), kWords[below(std::size(kWords))]);
        break;
      default:
        text.insert(at, text.substr(below(text.size()), 1 + below(40)));
    }
  }
  return text;
}

void put(const std::filesystem::path& file, const std::string& bytes) {  // without a sync to disk
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

// Runs `use`; true when it went well, false when it was refused by an Error that names the file.
template <class Use>
bool survives(const std::filesystem::path& file, Use&& use) {
  try {
    use();
    return true;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos) << error.what();
    return false;
  }
}

TEST(Fuzz, ADamagedSafetensorsFileIsReadOrRefused) {
  const TemporaryFolder folder;
  const auto file = folder / "x.safetensors";
  write_tensors(file, {{"a", {2, 3}, {1, 2, 3, 4, 5, 6}}, {"bias", {4}, {0, 1, 2, 3}}});
  const std::string whole = read_file(file);
  std::uint64_t length = 0;
  std::memcpy(&length, whole.data(), 8);
  Rng rng(1);
  int num_read = 0;
  for (int i = 0; i < kInputs; ++i) {
    const std::string header = damaged(whole.substr(8, length), rng);
    std::uint64_t told = header.size();
    if (rng.real() < 0.1) told = static_cast<std::uint64_t>(rng.real() * 1.8e19) >> (i % 64);
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &told, 8);
    bytes += header + whole.substr(8 + length);
    if (rng.real() < 0.1)
      bytes.resize(static_cast<std::size_t>(rng.real() * static_cast<double>(bytes.size())));
    put(file, bytes);
    num_read += survives(file, [&] {
      const SafetensorsFile opened(file);
      for (const auto& [name, t] : opened.tensors()) {
        const auto dtype = dtype_of_tag(t.tag);
        if (!dtype) continue;
        std::vector<float> out((t.end - t.begin) / static_cast<std::uint64_t>(num_bytes(*dtype)));
        opened.read(t.begin, t.end, *dtype, out.data());
      }
    });
  }
  EXPECT_GT(num_read, kInputs / 100);  // the edits are not all fatal
  EXPECT_LT(num_read, kInputs);
}

TEST(Fuzz, ADamagedConfigIsReadOrRefused) {
  const TemporaryFolder folder;
  const auto file = folder / "config.json";
  const std::string whole = read_file(QED_SOURCE_DIR "/configs/quickstart/config.json");
  Rng rng(2);
  int num_read = 0;
  for (int i = 0; i < kInputs; ++i) {
    put(file, damaged(whole, rng));
    num_read += survives(file, [&] {
      const ModelConfig config = read_model_config(file);
      if (config.num_hidden_layers < 100) checkpoint_tensors(config);
    });
  }
  EXPECT_GT(num_read, kInputs / 100);
  EXPECT_LT(num_read, kInputs);
}

TEST(Fuzz, ADamagedIndexIsReadOrRefused) {
  const TemporaryFolder folder;
  const auto file = folder / "model.safetensors.index.json";
  write_tensors(folder / "a.safetensors", {{"a", {1}, {1}}});
  write_tensors(folder / "b.safetensors", {{"b", {1}, {1}}});
  const std::string whole =
      R"({"metadata": {"total_size": 8}, "weight_map": {"a": "a.safetensors", "b": "b.safetensors"}})";
  Rng rng(3);
  int num_read = 0;
  for (int i = 0; i < kInputs / 10; ++i) {
    put(file, damaged(whole, rng));
    num_read += survives(folder.path(), [&] { TensorSet::open_folder(folder.path()); });
  }
  EXPECT_GT(num_read, kInputs / 1000);
}

}  // namespace
}  // namespace qed
