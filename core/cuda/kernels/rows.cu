#include "core/cuda/kernels/elements.h"

#include "core/cuda/kernels/kernels.cuh"
#include "core/cuda/kernels/launch.cuh"
#include "core/cuda/kernels/scatter_rows.h"

namespace qed::cuda {

namespace {

template <class From>
std::int32_t launch(const ScatterRowsArgs& args, void* stream) {
  return args.to_dtype == kBfloat16 ? launch_elements(ScatterRowsBody<From, Bfloat16>{args}, stream)
                                    : launch_elements(ScatterRowsBody<From, float>{args}, stream);
}

}  // namespace

std::int32_t swiglu(const SwigluArgs& args, void* stream) {
  return args.dtype == kBfloat16 ? launch_elements(SwigluBody<Bfloat16>{args}, stream)
                                 : launch_elements(SwigluBody<float>{args}, stream);
}

std::int32_t swiglu_backward(const SwigluBackwardArgs& args, void* stream) {
  return args.dtype == kBfloat16 ? launch_elements(SwigluBackwardBody<Bfloat16>{args}, stream)
                                 : launch_elements(SwigluBackwardBody<float>{args}, stream);
}

std::int32_t embedding(const EmbeddingArgs& args, void* stream) {
  return args.dtype == kBfloat16 ? launch_elements(EmbeddingBody<Bfloat16>{args}, stream)
                                 : launch_elements(EmbeddingBody<float>{args}, stream);
}

std::int32_t scatter_rows(const ScatterRowsArgs& args, void* stream) {
  return args.from_dtype == kBfloat16 ? launch<Bfloat16>(args, stream)
                                      : launch<float>(args, stream);
}

std::int32_t rope(const RopeArgs& args, void* stream) {
  return args.dtype == kBfloat16 ? launch_elements(RopeBody<Bfloat16>{args}, stream)
                                 : launch_elements(RopeBody<float>{args}, stream);
}

std::int32_t convert(const ConvertArgs& args, void* stream) {
  if (args.from_dtype == args.to_dtype) return cudaErrorInvalidValue;
  return args.to_dtype == kBfloat16 ? launch_elements(ConvertBody<float, Bfloat16>{args}, stream)
                                    : launch_elements(ConvertBody<Bfloat16, float>{args}, stream);
}

}  // namespace qed::cuda
