#include "core/cuda/driver.h"

#include "core/util/error.h"

#include <dlfcn.h>

#include <fstream>
#include <regex>
#include <string_view>

namespace qed::cuda {

namespace {

// The few functions of the driver, with the prototypes of cuda.h.
struct Functions {
  int (*init)(unsigned flags);
  int (*version)(int* version);
  int (*count)(int* count);
  int (*device)(int* device, int ordinal);
  int (*name)(char* name, int size, int device);
  int (*memory)(std::size_t* bytes, int device);
  int (*attribute)(int* value, int attribute, int device);
  int (*error_name)(int error, const char** name);
};

constexpr int kMajorAttribute = 75, kMinorAttribute = 76;
constexpr int kNoDevice = 100;  // CUDA_ERROR_NO_DEVICE

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* library, Functions& f) {
  return find(library, "cuInit", f.init) && find(library, "cuDriverGetVersion", f.version) &&
         find(library, "cuDeviceGetCount", f.count) && find(library, "cuDeviceGet", f.device) &&
         find(library, "cuDeviceGetName", f.name) &&
         find(library, "cuDeviceTotalMem_v2", f.memory) &&
         find(library, "cuDeviceGetAttribute", f.attribute) &&
         find(library, "cuGetErrorName", f.error_name);
}

std::string kernel_release() {
  std::ifstream file("/proc/driver/nvidia/version");
  std::string line;
  std::smatch found;
  std::getline(file, line);
  static const std::regex kRelease(R"(\s(\d+\.\d+(\.\d+)?)\s)");
  return std::regex_search(line, found, kRelease) ? found[1].str() : "";
}

Gpu ask_gpu(const Functions& f, int ordinal) {
  Gpu gpu;
  int device = 0;
  char name[256] = "";
  std::size_t bytes = 0;
  f.device(&device, ordinal);
  f.name(name, sizeof name, device);
  f.memory(&bytes, device);
  f.attribute(&gpu.major, kMajorAttribute, device);
  f.attribute(&gpu.minor, kMinorAttribute, device);
  gpu.name = name;
  gpu.memory_bytes = static_cast<std::int64_t>(bytes);
  return gpu;
}

}  // namespace

Driver ask_driver(const char* path) {
  Driver driver;
  void* const library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const char* const reason = ::dlerror();
    const std::string_view text = reason == nullptr ? "no reason given" : reason;
    // Of libraries that the driver needs in turn, it is worth telling.
    const bool is_absent = text.starts_with(path) && text.find("No such file") != text.npos;
    if (!is_absent) driver.open_error = text;
    return driver;
  }
  Functions f{};
  if (!find_all(library, f)) {
    driver.open_error = cat(path, " is no driver of NVIDIA, or a very old one");
    return driver;
  }
  driver.is_installed = true;
  driver.release = kernel_release();
  f.version(&driver.version);
  driver.error = f.init(0);
  if (driver.error != 0) {
    const char* name = nullptr;
    f.error_name(driver.error, &name);
    driver.error_name = name == nullptr ? "an unknown error" : name;
    if (driver.error == kNoDevice) driver.error = 0;  // no GPU is no failure of the driver
    return driver;
  }
  int count = 0;
  f.count(&count);
  for (int i = 0; i < count; ++i) driver.gpus.push_back(ask_gpu(f, i));
  return driver;
}

std::string cuda_version_text(int version) { return cat(version / 1000, ".", version % 1000 / 10); }

}  // namespace qed::cuda
