#include "core/cuda/cuda.h"

#include <dlfcn.h>

#include <algorithm>
#include <sstream>

namespace qed::cuda {

namespace {

namespace fs = std::filesystem;

constexpr char kOrCpu[] = "or write run.device = \"cpu\"";
constexpr char kNewDriver[] = "install a driver of release 580 or newer";
constexpr int kOldest = 75;  // sm_75 is the oldest that CUDA 13 compiles for

Error refusal(const std::string& what, const std::string& hint) {
  return Error(what, cat(hint, ", ", kOrCpu), kExitUsage);
}

std::optional<Error> driver_refusal(const Driver& driver) {
  if (!driver.open_error.empty()) {
    return refusal(cat("cannot open the NVIDIA driver: ", driver.open_error), "install it again");
  }
  if (!driver.is_installed) {
    return refusal(cat("no NVIDIA driver is installed: there is no ", kDriverLibrary), kNewDriver);
  }
  if (driver.version < kNeededCuda) {
    return refusal(
        cat("the NVIDIA driver is too old: it serves CUDA ", cuda_version_text(driver.version),
            ", and qed needs ", cuda_version_text(kNeededCuda)),
        kNewDriver);
  }
  if (driver.error != 0) {
    return refusal(
        cat("the NVIDIA driver does not start: ", driver.error_name, " (", driver.error, ")"),
        "see whether `nvidia-smi` works");
  }
  if (driver.gpus.empty()) {
    return refusal("the NVIDIA driver sees no GPU",
                   "check CUDA_VISIBLE_DEVICES, and what the container was given");
  }
  return std::nullopt;
}

std::optional<Error> gpu_refusal(const Gpu& gpu, const KernelTable& table) {
  if (runs_on(table.architectures, gpu.major, gpu.minor)) return std::nullopt;
  const int found = 10 * gpu.major + gpu.minor;
  const std::string what = cat(gpu.name, " is sm_", found, ", and libqed_cuda.so is built for ",
                               architecture_list(table.architectures));
  return found < kOldest
             ? refusal(what, cat("use a GPU of sm_", kOldest, " or newer"))
             : refusal(what, cat("configure the build with -DQED_CUDA_ARCHITECTURES=", found));
}

}  // namespace

std::string architecture_list(const std::string& architectures) {
  std::istringstream words(architectures);
  std::string text, word;
  while (words >> word) text += cat(text.empty() ? "" : ", ", "sm_", word);
  return text;
}

bool runs_on(const std::string& architectures, int major, int minor) {
  std::istringstream words(architectures);
  std::string word;
  while (words >> word) {
    const bool is_exact = word.back() == 'a';
    const int built = std::stoi(word);
    const bool is_same = built == 10 * major + minor;
    if (is_same || (!is_exact && built / 10 == major && built % 10 < minor)) return true;
  }
  return false;
}

KernelTable open_library(const fs::path& path) {
  if (!fs::exists(path)) {
    throw refusal(cat("this build of qed has no GPU half: ", path.string(), " is missing"),
                  "configure the build with -DQED_CUDA=ON");
  }
  void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* const reason = ::dlerror();
    throw refusal(cat("cannot open the GPU half: ", reason == nullptr ? path.c_str() : reason),
                  "build it again");
  }
  const auto fill = reinterpret_cast<FillTable>(::dlsym(library, kTableSymbol));
  if (fill == nullptr) {
    throw refusal(cat(path.string(), " is not qed's: it has no ", kTableSymbol), "build it again");
  }
  KernelTable table{};
  table.size = sizeof table;
  table.version = kTableVersion;
  if (fill(&table) != 0) {
    throw refusal(
        cat(path.string(), " is of another build of qed: its table has version ", table.version,
            " and ", table.size, " bytes, not ", kTableVersion, " and ", sizeof table),
        "build it again");
  }
  return table;
}

Availability find_cuda(Driver driver, const fs::path& library) {
  Availability found;
  found.driver = std::move(driver);
  found.refusal = driver_refusal(found.driver);
  if (found.refusal) return found;
  try {
    found.table = open_library(library);
  } catch (const Error& error) {
    found.refusal = error;
    return found;
  }
  for (const Gpu& gpu : found.driver.gpus) {
    found.gpus.push_back(gpu_refusal(gpu, *found.table));
  }
  const bool has_one = std::ranges::any_of(found.gpus, [](const auto& g) { return !g; });
  if (!has_one) found.refusal = found.gpus.front();
  return found;
}

}  // namespace qed::cuda
