#include "core/cuda/kernels/rms_norm.h"

#include "core/cuda/kernels/kernels.cuh"
#include "core/cuda/kernels/launch.cuh"

namespace qed::cuda {

namespace {

// The weight's gradient comes first, since dx may lie where dy or x is.
template <class T>
std::int32_t launch(const RmsNormBackwardArgs& args, void* stream) {
  const RmsNormPieceBody<T> piece{args};
  const PiecesBody pieces{num_row_pieces(args.rows), args.dim, args.parts, args.dweight, nullptr};
  std::int32_t error = launch_blocks(piece, piece.num_blocks(), stream);
  if (error == 0) error = launch_elements(pieces, stream);
  return error != 0 ? error : launch_blocks(RmsNormBackwardBody<T>{args}, args.rows, stream);
}

}  // namespace

std::int32_t rms_norm(const RmsNormArgs& args, void* stream) {
  return args.dtype == kBfloat16 ? launch_blocks(RmsNormBody<Bfloat16>{args}, args.rows, stream)
                                 : launch_blocks(RmsNormBody<float>{args}, args.rows, stream);
}

std::int32_t rms_norm_backward(const RmsNormBackwardArgs& args, void* stream) {
  return args.dtype == kBfloat16 ? launch<Bfloat16>(args, stream) : launch<float>(args, stream);
}

}  // namespace qed::cuda
