// Writes what qed generates greedily from lines of token ids, for comparison with a peer:
//   greedy_ids MODEL_FOLDER IDS_FILE NUM_TOKENS OUT_FILE
//
// IDS_FILE has one prompt per line, ids apart by spaces; OUT_FILE gets a line of NUM_TOKENS ids for
// each. No token ends a completion.

#include <cstdio>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "core/model/model_folder.h"
#include "core/rollout/generate.h"
#include "core/util/files.h"

namespace qed {
namespace {

void run(const std::string& folder, const std::string& ids, std::int64_t num_tokens,
         const std::string& out) {
  const ModelFolder files = open_model_folder(folder);
  Transformer model(files.config, {.is_trainable = false});
  model.weights().load(files.tensors);
  const DrawPlan greedy = DrawPlan::at_temperature(0);
  std::vector<GenerateRequest> requests;
  std::istringstream lines(read_file(ids));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    requests.push_back({.prompt = {std::istream_iterator<std::int32_t>(words),
                                   std::istream_iterator<std::int32_t>()},
                        .samples = {{&greedy, 0}},
                        .max_new_tokens = num_tokens});
  }
  std::string text;
  for (const auto& completions : generate(model, requests, {.stop_ids = {}})) {
    for (const std::int32_t id : completions.front().tokens) text += std::to_string(id) + " ";
    text.back() = '\n';
  }
  write_file(out, text);
}

}  // namespace
}  // namespace qed

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: greedy_ids MODEL_FOLDER IDS_FILE NUM_TOKENS OUT_FILE\n");
    return 2;
  }
  try {
    qed::run(argv[1], argv[2], std::stoll(argv[3]), argv[4]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "greedy_ids: %s\n", e.what());
    return 1;
  }
}
