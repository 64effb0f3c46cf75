#include "core/cuda/kernels/draw.h"

#include "core/cuda/kernels/kernels.cuh"
#include "core/cuda/kernels/launch.cuh"

namespace qed::cuda {

std::int32_t draw(const DrawArgs& args, void* stream) {
  return launch_blocks(DrawBody{args}, args.rows, stream);
}

}  // namespace qed::cuda
