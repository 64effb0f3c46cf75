#include "core/ops/distribution.h"

namespace qed::ops {

float logp_of(float logit, float inv_temperature, RowSoftmax s) {
  const double scaled = static_cast<double>(logit * inv_temperature) - s.max;
  return static_cast<float>(scaled - std::log(static_cast<double>(s.sum)));
}

}  // namespace qed::ops
