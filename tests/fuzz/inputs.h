#pragma once

// A fuzzer of functions without a plugin around them.

#include <cstdint>
#include <string>
#include <vector>

namespace qed::fuzz {

// Calls `problem_of_input` with the seeds of N inputs; it says what is wrong, or nothing. Prints
// the first input that fails. Arguments: [--inputs N] [--seed N]. Returns the exit code.
int fuzz_inputs(const std::vector<std::string>& arguments,
                std::string (*problem_of_input)(std::uint64_t seed));

}  // namespace qed::fuzz
