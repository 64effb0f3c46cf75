#include "core/run/truncated.h"

#include "core/util/error.h"

#include "qed/abi.h"

#include <algorithm>
#include <limits>

namespace qed {

void treat_truncated(const std::string& policy,
                     std::span<const std::vector<Completion>> completions, Scores& scored) {
  if (policy == "keep") return;
  QED_CHECK(policy == "mask" || policy == "zero", policy);
  std::size_t i = 0;
  for (const auto& group : completions) {
    for (const Completion& c : group) {
      Score& score = scored.scores[i];
      if (c.finish == QED_FINISH_LENGTH && score.status == QED_OK) {
        if (policy == "mask") score.status = QED_CANCELLED;
        score.reward = policy == "mask" ? std::numeric_limits<double>::quiet_NaN() : 0;
        for (TokenStream& stream : scored.streams) std::ranges::fill(stream.rewards[i], 0.0f);
      }
      ++i;
    }
  }
}

}  // namespace qed
