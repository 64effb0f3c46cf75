#pragma once

// Whether this process can use a GPU, and the kernels if so. `qed` runs without: libqed_cuda.so is
// opened only where a GPU is wanted and there.

#include "core/cuda/driver.h"
#include "core/cuda/kernel_table.h"
#include "core/util/error.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace qed::cuda {

// Opens the library, for good, and returns its table. Throws Error: it is missing, cannot be
// opened, or is of another build. Needs no GPU. [main]
KernelTable open_library(const std::filesystem::path& path);

// True when code for these architectures ("80 89 90a") runs on a GPU of this compute capability:
// the same major version and no smaller minor one; with an `a`, the same alone.
bool runs_on(const std::string& architectures, int major, int minor);

// "80 89 90a" -> "sm_80, sm_89, sm_90a".
std::string architecture_list(const std::string& architectures);

struct Availability {
  Driver driver;
  std::optional<KernelTable> table;        // where the library was opened
  std::vector<std::optional<Error>> gpus;  // why one can't be used, in the driver's order
  std::optional<Error> refusal;            // why none can be used; exit code 2
};

// Looks at what the driver said and, where that has a GPU, opens the library. [main]
Availability find_cuda(Driver driver, const std::filesystem::path& library);

}  // namespace qed::cuda
