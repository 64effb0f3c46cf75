#!/usr/bin/env bash
# The GPU half, compiled, linked and loaded by the preset `cuda`, which needs no GPU; nvcc is fetched
# once. Skipped where it cannot be fetched, unless CI runs this.
set -euo pipefail

cache=$1
toolkit=$cache/cuda-13.0
cd "$QED_SOURCE_DIR"
if ! scripts/setup-wheels cuda "$toolkit" >"$QED_BINARY_DIR/setup_cuda.log" 2>&1; then
  cat "$QED_BINARY_DIR/setup_cuda.log"
  echo "nvcc cannot be fetched, so the GPU half is neither built nor tested"
  [[ ${CI:-} == true ]] && exit 1
  exit 77
fi
grep -qsxF "QED_CUDA_TOOLKIT:PATH=$toolkit" build/cuda/CMakeCache.txt ||
  cmake --preset cuda -DQED_CACHE="$cache" -DQED_CUDA_TOOLKIT="$toolkit"
ninja -C build/cuda -j2 cuda_library_test cuda_cublaslt_test cuda_device_test gpu_test bench_gpu_kernels
ctest --test-dir build/cuda --output-on-failure --no-tests=error -L '^(cuda|gpu)$'
