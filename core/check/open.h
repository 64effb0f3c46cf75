#pragma once

// Loads the plugin under test into this process.

#include "core/check/subject.h"

#include <string>
#include <vector>

namespace qed::check {

struct OpenOptions {
  std::string file;
  std::vector<std::string> sets;  // "key=value": options of the components
  std::uint64_t seed = 1;
  bool is_thorough = false;
};

// Its components of known kinds, in their order. Throws Error with exit code 3 where qed refuses
// the file, with exit code 2 where a value of `sets` fits no option or a required option is
// missing. Once per process. [main]
const std::vector<Subject>& open_plugin(const OpenOptions& options);

// Throws Error with exit code 2 where the component has an option of `sets` and its create refuses
// them with a reason. [main]
void expect_given_taken(const Subject& subject, const std::vector<std::string>& sets);

// What loading changed of the process, beyond what the loader refuses; empty: nothing.
const std::string& load_changes();

// The entry of a loaded file.
qed_entry_fn entry_of(const std::string& file);

}  // namespace qed::check
