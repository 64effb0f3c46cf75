// A libcuda.so.1 that says what the environment tells it to.
//   FAKE_CUDA_VERSION  13000
//   FAKE_CUDA_INIT     what cuInit returns: 0
//   FAKE_CUDA_GPUS     "NAME:MAJOR:MINOR:BYTES;...": none

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::string setting(const char* name, const char* otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

struct FakeGpu {
  char name[64];
  int major, minor;
  std::size_t bytes;
};

std::vector<FakeGpu> gpus() {
  std::vector<FakeGpu> out;
  std::istringstream list(setting("FAKE_CUDA_GPUS", ""));
  for (std::string text; std::getline(list, text, ';');) {
    FakeGpu& gpu = out.emplace_back();
    std::sscanf(text.c_str(), "%63[^:]:%d:%d:%zu", gpu.name, &gpu.major, &gpu.minor, &gpu.bytes);
  }
  return out;
}

FakeGpu gpu(int device) { return gpus().at(static_cast<std::size_t>(device)); }

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default"))) int

EXPORT cuInit(unsigned) { return std::stoi(setting("FAKE_CUDA_INIT", "0")); }
EXPORT cuDriverGetVersion(int* version) {
  *version = std::stoi(setting("FAKE_CUDA_VERSION", "13000"));
  return 0;
}
EXPORT cuDeviceGetCount(int* count) {
  *count = static_cast<int>(gpus().size());
  return 0;
}
EXPORT cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return 0;
}
EXPORT cuDeviceGetName(char* name, int size, int device) {
  std::snprintf(name, static_cast<std::size_t>(size), "%s", gpu(device).name);
  return 0;
}
EXPORT cuDeviceTotalMem_v2(std::size_t* bytes, int device) {
  *bytes = gpu(device).bytes;
  return 0;
}
EXPORT cuDeviceGetAttribute(int* value, int attribute, int device) {
  *value = attribute == 75 ? gpu(device).major : gpu(device).minor;
  return 0;
}
EXPORT cuGetErrorName(int error, const char** name) {
  *name = error == 803 ? "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH" : nullptr;
  return *name == nullptr;
}
