// A libqed_cuda.so of another build.

#include "core/cuda/kernel_table.h"

extern "C" __attribute__((visibility("default"))) std::int32_t qed_cuda_table(
    qed::cuda::KernelTable* table) {
  table->version = 77;
  return 1;
}
