#include "core/cuda/kernels/token_logp.h"

#include "core/cuda/kernels/kernels.cuh"
#include "core/cuda/kernels/launch.cuh"

namespace qed::cuda {

std::int32_t token_logp(const TokenLogpArgs& args, void* stream) {
  return launch_blocks(TokenLogpBody{args}, args.rows, stream);
}

std::int32_t token_logp_backward(const TokenLogpBackwardArgs& args, void* stream) {
  return args.dtype == kBfloat16
             ? launch_blocks(TokenLogpBackwardBody<Bfloat16>{args}, args.forward.rows, stream)
             : launch_blocks(TokenLogpBackwardBody<float>{args}, args.forward.rows, stream);
}

}  // namespace qed::cuda
