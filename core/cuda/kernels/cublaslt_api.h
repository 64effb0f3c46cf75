#pragma once

// What qed uses of cuBLASLt 13, declared here because its own header comes with the library alone,
// in a wheel of 400 MB. Types, numbers and sizes are those of cublasLt.h 13.1.0; they stay within a
// major version, which the library's name carries.

#include <cstddef>
#include <cstdint>

namespace qed::cuda::lt {

inline constexpr char kLibrary[] = "libcublasLt.so.13";

using Status = int;  // cublasStatus_t
inline constexpr Status kSuccess = 0;

struct Handle;
struct Operation;   // cublasLtMatmulDesc
struct Layout;      // cublasLtMatrixLayout
struct Preference;  // cublasLtMatmulPreference

struct Algorithm {
  std::uint64_t data[8];
};

// cublasLtMatmulHeuristicResult_t
struct Choice {
  Algorithm algorithm;
  std::size_t workspace_bytes;
  Status state;
  float waves;
  int reserved[4];
};

// cudaDataType and cublasComputeType_t. kComputeFloat32 adds up in float32, and of float32 inputs
// uses all bits (no TF32).
inline constexpr int kFloat = 0, kBfloat = 14, kComputeFloat32 = 68;
inline constexpr std::int32_t kAsIs = 0, kTurned = 1;  // cublasOperation_t

// Attributes of an operation: std::int32_t.
inline constexpr int kTurnA = 3, kTurnB = 4;
// Of a preference: std::uint64_t, then std::uint32_t each.
inline constexpr int kMaxWorkspace = 1, kReductions = 3, kAlignA = 5, kAlignB = 6, kAlignC = 7,
                     kAlignD = 8;
inline constexpr std::uint32_t kReduceInFloat32 =
    2;  // parts of a sum are added in the compute type

// The functions, by their names in the library.
struct Functions {
  Status (*Create)(Handle** handle);
  std::size_t (*GetVersion)();
  const char* (*GetStatusString)(Status status);
  Status (*MatmulDescCreate)(Operation** operation, int compute_type, int scale_type);
  Status (*MatmulDescDestroy)(Operation* operation);
  Status (*MatmulDescSetAttribute)(Operation* operation, int attribute, const void* value,
                                   std::size_t bytes);
  Status (*MatrixLayoutCreate)(Layout** layout, int type, std::uint64_t rows, std::uint64_t cols,
                               std::int64_t step);  // column-major
  Status (*MatrixLayoutDestroy)(Layout* layout);
  Status (*MatmulPreferenceCreate)(Preference** preference);
  Status (*MatmulPreferenceDestroy)(Preference* preference);
  Status (*MatmulPreferenceSetAttribute)(Preference* preference, int attribute, const void* value,
                                         std::size_t bytes);
  Status (*MatmulAlgoGetHeuristic)(Handle* handle, Operation* operation, Layout* a, Layout* b,
                                   Layout* c, Layout* d, Preference* preference, int wanted,
                                   Choice* choices, int* found);
  Status (*Matmul)(Handle* handle, Operation* operation, const void* alpha, const void* a,
                   Layout* a_layout, const void* b, Layout* b_layout, const void* beta,
                   const void* c, Layout* c_layout, void* d, Layout* d_layout,
                   const Algorithm* algorithm, void* workspace, std::size_t workspace_bytes,
                   void* stream);
};

}  // namespace qed::cuda::lt
