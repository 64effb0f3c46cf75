#include "core/cuda/kernels/gemm.h"

#include "core/cuda/kernels/cublaslt.h"
#include "core/cuda/kernels/kernels.cuh"
#include "core/cuda/kernels/launch.cuh"

namespace qed::cuda {

namespace {

template <class AB, class Out>
std::int32_t launch(const GemmArgs& args, void* stream) {
  if (args.exact == 0) {
    if (const std::int32_t error = enter_device(); error != 0) return error;
    const std::optional<std::int32_t> status = cublaslt_gemm(args, stream);
    if (status == 0 && args.bias != nullptr) return launch_elements(BiasBody<Out>{args}, stream);
    if (status) return *status;
  }
  return launch_blocks(GemmBody<AB, Out>{args}, num_blocks(args), stream);
}

}  // namespace

std::int32_t gemm(const GemmArgs& args, void* stream) {
  if (args.rows == 0 || args.cols == 0) return cudaSuccess;
  if (args.ab_dtype == kFloat32) return launch<float, float>(args, stream);
  return args.c_dtype == kBfloat16 ? launch<Bfloat16, Bfloat16>(args, stream)
                                   : launch<Bfloat16, float>(args, stream);
}

}  // namespace qed::cuda
