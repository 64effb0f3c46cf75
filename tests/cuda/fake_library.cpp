// A libqed_cuda.so without kernels: of this build, or of one that FAKE_TABLE_VERSION names.

#include "core/cuda/kernel_table.h"

extern "C" __attribute__((visibility("default"))) std::int32_t qed_cuda_table(
    qed::cuda::KernelTable* table) {
  const bool is_same = table->version == FAKE_TABLE_VERSION;
  table->version = FAKE_TABLE_VERSION;
  if (!is_same) return 1;
  table->runtime_version = 13000;
  table->architectures = "80 89 90a";
  return 0;
}
