#pragma once

// What the NVIDIA driver of this machine says: asked through libcuda.so.1 itself, so that it works
// in every build of qed.

#include <cstdint>
#include <string>
#include <vector>

namespace qed::cuda {

struct Gpu {
  std::string name;          // "NVIDIA H200"
  int major = 0, minor = 0;  // compute capability
  std::int64_t memory_bytes = 0;
};

struct Driver {
  bool is_installed = false;
  int version = 0;      // the newest CUDA that it serves: 13000 is 13.0
  std::string release;  // its own version, "580.65.06"; empty where the kernel does not say
  int error = 0;        // of cuInit, a CUresult
  std::string error_name;
  std::string open_error;  // why the library could not be opened, unless it is just not there
  std::vector<Gpu> gpus;
};

inline constexpr int kNeededCuda = 13000;  // CUDA 13.0
inline constexpr char kDriverLibrary[] = "libcuda.so.1";

// Takes some tenths of a second where there is a driver. [main]
Driver ask_driver(const char* library = kDriverLibrary);

// 13000 -> "13.0".
std::string cuda_version_text(int version);

}  // namespace qed::cuda
