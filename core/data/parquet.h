#pragma once

// Rows of a parquet file, through the library libqed_parquet.so, which is opened at first use:
// from the folder QED_LIB where that is set, else from ../lib beside the program or from beside the
// library that holds this code.

#include "core/data/dataset.h"

#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace qed {

// Row groups are decoded one at a time, the chosen columns only; of those decoded, the last used
// that fit into 1 GiB are kept, and always the last one. [any]
std::shared_ptr<const Dataset> open_parquet(const std::filesystem::path& path,
                                            std::span<const std::string> columns);

}  // namespace qed
