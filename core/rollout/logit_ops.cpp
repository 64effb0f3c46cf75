#include "core/rollout/logit_ops.h"

#include "core/util/error.h"

namespace qed {

namespace {

// Calls f(logit, count) for each id that occurs in the texts.
template <class F>
void for_each_id(std::initializer_list<std::span<const std::int32_t>> texts,
                 std::vector<std::int32_t>& counts, std::span<float> row, F&& f) {
  counts.resize(row.size());
  for (const auto text : texts) {
    for (const std::int32_t id : text) ++counts[static_cast<std::size_t>(id)];
  }
  for (const auto text : texts) {
    for (const std::int32_t id : text) {
      std::int32_t& count = counts[static_cast<std::size_t>(id)];
      if (count == 0) continue;  // done before
      f(row[static_cast<std::size_t>(id)], count);
      count = 0;
    }
  }
}

}  // namespace

void change_logits(const SampleOp& op, std::span<const std::int32_t> prompt,
                   std::span<const std::int32_t> completion, std::vector<std::int32_t>& counts,
                   std::span<float> row, float* slope) {
  const float f = op.value;
  switch (op.op) {
    case QED_OP_REPETITION:
      return for_each_id({prompt, completion}, counts, row, [&](float& z, std::int32_t) {
        if (slope != nullptr) slope[&z - row.data()] *= z > 0 ? 1 / f : f;
        z = z > 0 ? z / f : z * f;
      });
    case QED_OP_PRESENCE:
      return for_each_id({completion}, counts, row, [f](float& z, std::int32_t) { z -= f; });
    case QED_OP_FREQUENCY:
      return for_each_id({completion}, counts, row,
                         [f](float& z, std::int32_t count) { z -= f * static_cast<float>(count); });
    case QED_OP_LOGIT_BIAS:
      for (std::size_t i = 0; i < op.ids.size(); ++i) {
        row[static_cast<std::size_t>(op.ids[i])] += op.values[i];
      }
      return;
    case QED_OP_BAN:
      for (const std::int32_t id : op.ids) {
        row[static_cast<std::size_t>(id)] = kBannedLogit;
        if (slope != nullptr) slope[id] = 0;
      }
      return;
    default:
      QED_CHECK(false, "op ", op.op);
  }
}

}  // namespace qed
