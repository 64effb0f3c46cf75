#include "core/cuda/kernels/attention_backward.h"

#include "core/cuda/kernels/attention_backward_mma.h"
#include "core/cuda/kernels/kernels.cuh"
#include "core/cuda/kernels/launch.cuh"

namespace qed::cuda {

namespace {

template <class Queries, class Keys>
std::int32_t launch_passes(const AttentionBackwardArgs& args, void* stream) {
  const Queries queries{args};
  const Keys keys{args};
  const std::int32_t error = launch_blocks(queries, queries.num_blocks(), stream);
  return error != 0 ? error : launch_blocks(keys, keys.num_blocks(), stream);
}

template <class T, int kDim>
std::int32_t launch_plain(const AttentionBackwardArgs& args, void* stream) {
  return launch_passes<QueryGradientBody<T, kDim>, KeyGradientBody<T, kDim>>(args, stream);
}

template <class T>
std::int32_t launch(const AttentionBackwardArgs& args, void* stream) {
  if (args.dim <= 64) return launch_plain<T, 64>(args, stream);
  if (args.dim <= 128) return launch_plain<T, 128>(args, stream);
  return launch_plain<T, 256>(args, stream);
}

template <int kDim>
std::int32_t launch_mma(const AttentionBackwardArgs& args, void* stream) {
  return launch_passes<QueryGradientMmaBody<kDim>, KeyGradientMmaBody<kDim>>(args, stream);
}

// On tensor cores for the usual dims.
std::int32_t launch_bfloat16(const AttentionBackwardArgs& args, void* stream) {
  if (!has_mma()) return launch<Bfloat16>(args, stream);
  switch (args.dim) {
    case 64:
      return launch_mma<64>(args, stream);
    case 80:
      return launch_mma<80>(args, stream);
    case 96:
      return launch_mma<96>(args, stream);
    case 128:
      return launch_mma<128>(args, stream);
    default:
      return launch<Bfloat16>(args, stream);
  }
}

}  // namespace

std::int32_t attention_backward(const AttentionBackwardArgs& args, void* stream) {
  const bool is_float = args.dtype == kFloat32;
  const std::int32_t error = is_float ? launch_elements(DeltaBody<float>{args}, stream)
                                      : launch_elements(DeltaBody<Bfloat16>{args}, stream);
  if (error != 0) return error;
  return is_float ? launch<float>(args, stream) : launch_bfloat16(args, stream);
}

}  // namespace qed::cuda
