#pragma once

// What the GPU's draw takes; see kernel_args.h.

#include <cstdint>

namespace qed::cuda {

// Draws one token of each row, as core/rollout/draw.h says: the same ops in the same order, the
// same random number and order of ids, so that only rounding tells the two apart.
struct DrawOp {
  std::uint32_t op;  // QED_OP_*, never QED_OP_TEMPERATURE
  float value;
  float inv_temperature;  // that stands before it
  std::int32_t num_ids;
  const std::int32_t* ids;  // of a bias or a ban
  const float* values;      // of a bias
};

struct DrawRow {
  std::uint64_t key, position;  // of the random number
  float inv_temperature;        // after the last change of logits
  std::int32_t is_greedy;
  const DrawOp* ops;
  const std::int32_t *prompt, *completion;  // what penalties look at
  const std::int32_t* banned;               // not drawn this time
  const std::uint8_t* allowed;              // a bit per id; null: all
  std::int32_t num_ops, num_prompt, num_completion, num_banned;
};

inline constexpr std::uint32_t kDrawn = 0;
inline constexpr std::uint32_t kLogitsNotFinite = 1;  // the model's
inline constexpr std::uint32_t kNothingToDraw = 2;    // the ops leave no id
inline constexpr std::uint32_t kOpsNotFinite = 3;     // the ops' logits are not finite

struct DrawArgs {
  std::int64_t rows, vocab;
  std::int32_t max_support, reserved;
  const float* logits;          // [rows, vocab]
  const DrawRow* row;           // [rows]
  float* scratch;               // [rows, vocab]
  std::int32_t* counts;         // [rows, vocab]: 0 before and after
  std::uint32_t* status;        // [rows]; the rest is set where it is kDrawn
  std::int32_t* token;          // [rows]
  float *behavior_logp, *logp;  // [rows]: under the distribution drawn from; of the plain softmax
  std::int32_t* support;        // [rows, max_support]: the ids kept, ascending
  std::int32_t* support_size;   // [rows]; 0: all are kept
};

}  // namespace qed::cuda
