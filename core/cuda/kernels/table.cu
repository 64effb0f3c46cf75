// The library's one exported function.

#include "core/cuda/kernel_table.h"
#include "core/cuda/kernels/kernels.cuh"

#include <cuda_runtime.h>

extern "C" __attribute__((visibility("default"))) std::int32_t qed_cuda_table(
    qed::cuda::KernelTable* table) {
  using namespace qed::cuda;
  const bool is_same = table->version == kTableVersion && table->size == sizeof(KernelTable);
  table->version = kTableVersion;
  table->size = sizeof(KernelTable);
  if (!is_same) return 1;
  table->runtime_version = CUDART_VERSION;
  table->reserved = 0;
  table->architectures = QED_CUDA_ARCHITECTURES;
  table->rms_norm = rms_norm;
  table->swiglu = swiglu;
  table->embedding = embedding;
  table->rope = rope;
  table->attention = attention;
  table->draw = draw;
  table->sum_squares = sum_squares;
  table->adamw = adamw;
  return 0;
}
