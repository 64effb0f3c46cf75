#pragma once

// Where a run writes: runs/<name>, or what --run says.

#include <filesystem>
#include <string>
#include <vector>

#include "core/config/load.h"

namespace qed {

// `named` is the argument of --run: a name below runs/, or a path when it has a slash; empty: the
// run's own name, followed by "+key=value" for each --set that changes the run, sorted. Loads the
// run file again without each override to see which ones do.
std::filesystem::path run_folder(const RunConfig& config, const std::vector<std::string>& sets,
                                 const std::string& named, ComponentFinder& finder);

// What a user means by the name of a run: a path, or where there is none, a name below runs/.
std::filesystem::path existing_run(const std::string& run);

// `text` as a part of a file name: letters, digits and ._=+- stay, anything else becomes _.
std::string safe_file_name(const std::string& text);

}  // namespace qed
