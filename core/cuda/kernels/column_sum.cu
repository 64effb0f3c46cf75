#include "core/cuda/kernels/column_sum.h"

#include "core/cuda/kernels/kernels.cuh"
#include "core/cuda/kernels/launch.cuh"

namespace qed::cuda {

namespace {

template <class T>
std::int32_t launch(const ColumnSumArgs& args, void* stream) {
  const ColumnPieceBody<T> piece{args};
  const PiecesBody pieces{num_row_pieces(args.rows), args.cols, args.parts, args.out, nullptr};
  const std::int32_t error = launch_blocks(piece, piece.num_blocks(), stream);
  return error != 0 ? error : launch_elements(pieces, stream);
}

}  // namespace

std::int32_t column_sum(const ColumnSumArgs& args, void* stream) {
  return args.dtype == kBfloat16 ? launch<Bfloat16>(args, stream) : launch<float>(args, stream);
}

}  // namespace qed::cuda
