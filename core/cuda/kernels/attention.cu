#include "core/cuda/kernels/attention.h"

#include "core/cuda/kernels/attention_mma.h"
#include "core/cuda/kernels/kernels.cuh"
#include "core/cuda/kernels/launch.cuh"

namespace qed::cuda {

namespace {

template <class T>
std::int32_t launch_splits(const AttentionArgs& args, void* stream) {
  return launch_blocks(AttentionBody<T>{args}, num_blocks(args), stream);
}

template <int kDim>
std::int32_t launch_mma_splits(const AttentionArgs& args, void* stream) {
  const AttentionMmaBody<kDim> body{args};
  return launch_blocks(body, body.num_blocks(), stream);
}

// On tensor cores for the usual dims.
std::int32_t launch_bfloat16_splits(const AttentionArgs& args, void* stream) {
  if (!has_mma()) return launch_splits<Bfloat16>(args, stream);
  switch (args.dim) {
    case 64:
      return launch_mma_splits<64>(args, stream);
    case 80:
      return launch_mma_splits<80>(args, stream);
    case 96:
      return launch_mma_splits<96>(args, stream);
    case 128:
      return launch_mma_splits<128>(args, stream);
    default:
      return launch_splits<Bfloat16>(args, stream);
  }
}

}  // namespace

std::int32_t attention(const AttentionArgs& args, void* stream) {
  const bool is_float = args.dtype == kFloat32;
  const std::int32_t error =
      is_float ? launch_splits<float>(args, stream) : launch_bfloat16_splits(args, stream);
  if (error != 0) return error;
  return is_float ? launch_elements(MergeBody<float>{args}, stream)
                  : launch_elements(MergeBody<Bfloat16>{args}, stream);
}

}  // namespace qed::cuda
