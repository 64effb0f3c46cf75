#include "core/cuda/kernels/adamw.h"

#include "core/cuda/kernels/kernels.cuh"
#include "core/cuda/kernels/launch.cuh"

namespace qed::cuda {

std::int32_t sum_squares(const SumSquaresArgs& args, void* stream) {
  const std::int32_t error = launch_blocks(SquaresBody{args}, num_pieces(args.n), stream);
  return error != 0 ? error : launch_blocks(PartsBody{args}, 1, stream);
}

std::int32_t adamw(const AdamwArgs& args, void* stream) {
  return launch_elements(AdamwBody{args}, stream);
}

}  // namespace qed::cuda
