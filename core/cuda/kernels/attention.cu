#include "core/cuda/kernels/attention.h"

#include "core/cuda/kernels/kernels.cuh"
#include "core/cuda/kernels/launch.cuh"

namespace qed::cuda {

namespace {

template <class T>
std::int32_t launch(const AttentionArgs& args, void* stream) {
  const std::int32_t error = launch_blocks(AttentionBody<T>{args}, num_blocks(args), stream);
  return error != 0 ? error : launch_elements(MergeBody<T>{args}, stream);
}

}  // namespace

std::int32_t attention(const AttentionArgs& args, void* stream) {
  return args.dtype == kBfloat16 ? launch<Bfloat16>(args, stream) : launch<float>(args, stream);
}

}  // namespace qed::cuda
