#pragma once

// The door to libqed_cuda.so: one function that fills a table of kernels, and what each of them
// takes. Plain pointers and sizes, so that .cu files need no LibTorch and compile in seconds. Both
// sides are built together; size and version tell when they were not.
//
// Pointers are to device memory, owned by the caller; arrays are contiguous unless a stride says
// otherwise. A kernel is queued on `stream` (a cudaStream_t) and the call returns at once, with 0
// or a cudaError_t, or what else error_text knows. [any]

#include "core/cuda/draw_args.h"
#include "core/cuda/gemm_args.h"
#include "core/cuda/kernel_args.h"
#include "core/cuda/logp_args.h"
#include "core/cuda/train_args.h"

#include <cstdint>

namespace qed::cuda {

inline constexpr std::uint32_t kTableVersion = 2;  // changes with every struct of this header

template <class Args>
using Kernel = std::int32_t (*)(const Args& args, void* stream);

// Memory of the GPU and the queue of work. Copies are queued like kernels; `host` memory of an
// upload is free again when the call returns, a download has arrived when it returns.
struct DeviceCalls {
  std::int32_t (*open)(std::int32_t gpu, void** stream);  // once; the driver's number of a GPU
  std::int32_t (*allocate)(void** memory, std::int64_t bytes);  // aligned to 256; 2: out of memory
  std::int32_t (*release)(void* memory);
  std::int32_t (*upload)(void* to, const void* host, std::int64_t bytes, void* stream);
  std::int32_t (*download)(void* host, const void* from, std::int64_t bytes, void* stream);
  std::int32_t (*copy)(void* to, const void* from, std::int64_t bytes, void* stream);
  std::int32_t (*clear)(void* to, std::int64_t bytes, void* stream);  // to 0
  std::int32_t (*wait)(void* stream);                                 // until all work is done
  std::int32_t (*memory)(std::int64_t* free, std::int64_t* total);    // bytes
  const char* (*error_text)(std::int32_t error);                      // lives for ever
};

struct KernelTable {
  std::uint32_t size;     // set by the caller to sizeof(KernelTable), by the library to its own
  std::uint32_t version;  // likewise: kTableVersion
  std::int32_t runtime_version;  // of the CUDA that it was built with; 13000 is 13.0
  std::int32_t reserved;
  const char* architectures;  // what its code runs on: "80 89 90a"

  DeviceCalls device;

  Kernel<RmsNormArgs> rms_norm;
  Kernel<HeadNormArgs> head_norm;
  Kernel<GemmArgs> gemm;
  std::int32_t (*gemm_library)();  // the cuBLASLt that it goes through, 130100 is 13.1.0; 0: none
  Kernel<ConvertArgs> convert;
  Kernel<SwigluArgs> swiglu;
  Kernel<EmbeddingArgs> embedding;
  Kernel<RopeArgs> rope;
  Kernel<AttentionArgs> attention;
  Kernel<DrawArgs> draw;
  Kernel<SumSquaresArgs> sum_squares;
  Kernel<AdamwArgs> adamw;

  Kernel<RmsNormBackwardArgs> rms_norm_backward;
  Kernel<HeadNormBackwardArgs> head_norm_backward;
  Kernel<SwigluBackwardArgs> swiglu_backward;
  Kernel<ScatterRowsArgs> scatter_rows;
  Kernel<ColumnSumArgs> column_sum;
  Kernel<AttentionBackwardArgs> attention_backward;
  Kernel<TokenLogpArgs> token_logp;
  Kernel<TokenLogpBackwardArgs> token_logp_backward;
};

// Returns 0, or 1 when the table is of another version; then it sets size and version alone.
// Exported as kTableSymbol, extern "C".
using FillTable = std::int32_t (*)(KernelTable* table);
inline constexpr char kTableSymbol[] = "qed_cuda_table";

}  // namespace qed::cuda
