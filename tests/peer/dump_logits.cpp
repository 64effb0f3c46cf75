// Writes the logits that qed's forward gives for lines of token ids, for comparison with a peer:
//   dump_logits MODEL_FOLDER IDS_FILE OUT_FILE [SAVE_FOLDER MAX_SHARD_BYTES]
//
// IDS_FILE has one sequence per line, ids apart by spaces. OUT_FILE gets [sum of lengths, V]
// float32, in the order of the lines. SAVE_FOLDER gets the model as qed writes it.

#include <ATen/core/grad_mode.h>

#include <cstdio>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/model_folder.h"
#include "core/model/transformer.h"
#include "core/train/packing.h"
#include "core/util/error.h"
#include "core/util/files.h"

namespace qed {
namespace {

std::vector<std::vector<std::int32_t>> read_sequences(const std::string& path) {
  std::istringstream lines(read_file(path));
  std::vector<std::vector<std::int32_t>> sequences;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream ids(line);
    sequences.emplace_back(std::istream_iterator<std::int32_t>(ids),
                           std::istream_iterator<std::int32_t>());
  }
  return sequences;
}

void dump(const std::filesystem::path& folder, const std::string& ids, const std::string& out) {
  const ModelFolder files = open_model_folder(folder);
  Transformer model(files.config, {.is_trainable = false});
  model.weights().load(files.tensors);
  const auto ids_of = read_sequences(ids);
  std::vector<Sequence> sequences;
  // The last token of a packed completion is predicted, never read: one more makes room for all.
  const std::int32_t unread = 0;
  for (const auto& sequence : ids_of) {
    sequences.push_back({.prompt = sequence, .completion = {&unread, 1}});
  }
  const at::NoGradGuard no_grad;
  const Packed packed = pack(sequences);
  const at::Tensor h = model.forward(packed.id, packed.position, {.offset = packed.offset});
  const at::Tensor logits = model.logits(h);
  write_file(out, std::string_view(static_cast<const char*>(logits.const_data_ptr()),
                                   static_cast<std::size_t>(logits.numel()) * sizeof(float)));
}

// Writes the model back, in the format that it has in its first file.
void save(const std::filesystem::path& folder, const std::filesystem::path& out,
          std::int64_t max_shard_bytes) {
  const ModelFolder files = open_model_folder(folder);
  Weights weights(files.config, {.is_trainable = false});
  weights.load(files.tensors);
  const Dtype dtype = dtype_of_tag(files.tensors.entry("model.norm.weight").tag).value();
  std::filesystem::create_directories(out);
  write_model_folder(out, folder / "config.json", weights.tensors(), dtype,
                     weights.rows(weights.flat()), max_shard_bytes);
}

}  // namespace
}  // namespace qed

int main(int argc, char** argv) {
  if (argc != 4 && argc != 6) {
    std::fprintf(
        stderr,
        "usage: dump_logits MODEL_FOLDER IDS_FILE OUT_FILE [SAVE_FOLDER MAX_SHARD_BYTES]\n");
    return 2;
  }
  try {
    qed::dump(argv[1], argv[2], argv[3]);
    if (argc == 6) qed::save(argv[1], argv[4], std::stoll(argv[5]));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "dump_logits: %s\n", e.what());
    return 1;
  }
}
