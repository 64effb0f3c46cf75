// The library's one exported function.

#include "core/cuda/kernel_table.h"
#include "core/cuda/kernels/cublaslt.h"
#include "core/cuda/kernels/device.h"
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
  table->device = device_calls();
  table->rms_norm = rms_norm;
  table->gemm = gemm;
  table->gemm_library = cublaslt_version;
  table->swiglu = swiglu;
  table->embedding = embedding;
  table->rope = rope;
  table->attention = attention;
  table->draw = draw;
  table->convert = convert;
  table->sum_squares = sum_squares;
  table->adamw = adamw;
  table->column_sum = column_sum;
  table->attention_backward = attention_backward;
  table->token_logp = token_logp;
  table->token_logp_backward = token_logp_backward;
  table->rms_norm_backward = rms_norm_backward;
  table->head_norm = head_norm;
  table->head_norm_backward = head_norm_backward;
  table->swiglu_backward = swiglu_backward;
  table->scatter_rows = scatter_rows;
  return 0;
}
