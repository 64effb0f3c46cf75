#pragma once

// Log-probs of tokens on the GPU, and their gradient in the logits of one chunk of rows: see
// core/ops/token_logp.h. Logits that penalties or bans change are not for these kernels.

#include "core/cuda/kernel_args.h"

#include <cstdint>

namespace qed::cuda {

struct TokenLogpArgs {
  std::int64_t rows, vocab;
  const float* logits;                // [rows, vocab]
  const std::int32_t* target;         // [rows]
  const float* inv_temperature;       // [rows]
  const std::int32_t* support_first;  // [rows + 1], or null: nothing is truncated; an empty range:
  const std::int32_t* support;        // this row is not
  float *logp, *entropy;              // [rows]; the entropy is of the whole vocabulary
};

struct TokenLogpBackwardArgs {
  TokenLogpArgs forward;          // logp and entropy are not looked at
  const float *dlogp, *dentropy;  // [rows]; dentropy may be null: 0
  std::int32_t dtype, reserved;   // of dlogits
  void* dlogits;                  // [rows, vocab]; may be the logits themselves where float32
};

}  // namespace qed::cuda
