#include "core/cuda/kernels/head_norm_backward.h"

#include "core/cuda/kernels/kernels.cuh"
#include "core/cuda/kernels/launch.cuh"

namespace qed::cuda {

namespace {

template <class T>
std::int32_t launch(const HeadNormArgs& args, void* stream) {
  const HeadNormBody<T> body{args};
  return launch_blocks(body, body.num_blocks(), stream);
}

// The weights' gradients come first, since dx may lie where dy is.
template <class T>
std::int32_t launch(const HeadNormBackwardArgs& args, void* stream) {
  const HeadNormPieceBody<T> piece{args};
  const PiecesBody pieces{num_row_pieces(args.rows), args.dim, args.parts, args.dq_weight,
                          args.dk_weight};
  const HeadNormBackwardBody<T> dx{args};
  std::int32_t error = launch_blocks(piece, piece.num_blocks(), stream);
  if (error == 0) error = launch_elements(pieces, stream);
  return error != 0 ? error : launch_blocks(dx, dx.num_blocks(), stream);
}

}  // namespace

std::int32_t head_norm(const HeadNormArgs& args, void* stream) {
  return args.dtype == kBfloat16 ? launch<Bfloat16>(args, stream) : launch<float>(args, stream);
}

std::int32_t head_norm_backward(const HeadNormBackwardArgs& args, void* stream) {
  return args.dtype == kBfloat16 ? launch<Bfloat16>(args, stream) : launch<float>(args, stream);
}

}  // namespace qed::cuda
