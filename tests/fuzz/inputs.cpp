#include "tests/fuzz/inputs.h"

#include "core/util/error.h"
#include "tests/fuzz/guard.h"

#include <algorithm>
#include <charconv>
#include <iostream>

namespace qed::fuzz {
namespace {

std::uint64_t number(const std::string& text) {
  std::uint64_t out = 0;
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, out).ptr != end) {
    throw Error(cat("`", text, "` is no number"), "", kExitUsage);
  }
  return out;
}

int run(const std::vector<std::string>& arguments,
        std::string (*problem_of_input)(std::uint64_t seed)) {
  std::uint64_t num_inputs = 200'000, seed = 1;
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    (arguments[i] == "--seed" ? seed : num_inputs) = number(arguments[i + 1]);
  }
  constexpr std::uint64_t kBatch = 1000;
  const MemoryGuard memory;
  for (std::uint64_t batch = 0; batch < num_inputs; batch += kBatch) {
    const Deadline deadline(cat("the inputs of the batch ", batch, ", seed ", seed));
    for (std::uint64_t i = batch; i < std::min(batch + kBatch, num_inputs); ++i) {
      if (const std::string why = problem_of_input(seed * 1'000'000'007 + i); !why.empty()) {
        std::cout << "FAILED input " << i << " of seed " << seed << ": " << why << "\n";
        return kExitRunFailed;
      }
    }
  }
  if (const std::string why = memory.problem(); !why.empty()) {
    std::cout << "FAILED " << why << "\n";
    return kExitRunFailed;
  }
  std::cout << num_inputs << " inputs\n";
  return kExitOk;
}

}  // namespace

int fuzz_inputs(const std::vector<std::string>& arguments,
                std::string (*problem_of_input)(std::uint64_t seed)) {
  try {
    return run(arguments, problem_of_input);
  } catch (const Error& error) {
    std::cerr << "fuzz: " << error.what() << "\n";
    return error.exit_code();
  }
}

}  // namespace qed::fuzz
