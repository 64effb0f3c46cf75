#pragma once

// The door to libqed_cuda.so: one function that fills a table of kernels, and what each of them
// takes. Plain pointers and sizes, so that .cu files need no LibTorch and compile in seconds. Both
// sides are built together; size and version tell when they were not.
//
// Pointers are to device memory, owned by the caller; arrays are contiguous unless a stride says
// otherwise. A kernel is queued on `stream` (a cudaStream_t) and the call returns at once, with 0
// or a cudaError_t. [any]

#include "core/cuda/kernel_args.h"

#include <cstdint>

namespace qed::cuda {

inline constexpr std::uint32_t kTableVersion = 1;  // changes with every struct of this header

template <class Args>
using Kernel = std::int32_t (*)(const Args& args, void* stream);

struct KernelTable {
  std::uint32_t size;     // set by the caller to sizeof(KernelTable), by the library to its own
  std::uint32_t version;  // likewise: kTableVersion
  std::int32_t runtime_version;  // of the CUDA that it was built with; 13000 is 13.0
  std::int32_t reserved;
  const char* architectures;  // what its code runs on: "80 89 90a"

  Kernel<RmsNormArgs> rms_norm;
  Kernel<SwigluArgs> swiglu;
  Kernel<EmbeddingArgs> embedding;
  Kernel<RopeArgs> rope;
  Kernel<AttentionArgs> attention;
  Kernel<DrawArgs> draw;
  Kernel<SumSquaresArgs> sum_squares;
  Kernel<AdamwArgs> adamw;
};

// Returns 0, or 1 when the table is of another version; then it sets size and version alone.
// Exported as kTableSymbol, extern "C".
using FillTable = std::int32_t (*)(KernelTable* table);
inline constexpr char kTableSymbol[] = "qed_cuda_table";

}  // namespace qed::cuda
