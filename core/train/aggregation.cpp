#include "core/train/aggregation.h"

#include "core/util/error.h"

#include <numeric>

namespace qed {

std::vector<double> sequence_weights(const std::string& aggregation, double length,
                                     std::span<const double> num_tokens) {
  const auto num_seqs = static_cast<double>(num_tokens.size());
  const double all = std::accumulate(num_tokens.begin(), num_tokens.end(), 0.0);
  const auto divisor = [&](double n) {
    if (aggregation == "token-mean") return all;
    if (aggregation == "seq-mean-token-mean") return num_seqs * n;
    if (aggregation == "seq-mean-token-sum") return num_seqs;
    QED_CHECK(aggregation == "constant" && length > 0, aggregation, " ", length);
    return num_seqs * length;
  };
  std::vector<double> out;
  for (const double n : num_tokens) out.push_back(n > 0 ? 1 / divisor(n) : 0);
  return out;
}

}  // namespace qed
