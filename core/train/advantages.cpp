#include "core/train/advantages.h"

#include <numeric>
#include <vector>

namespace qed {

void compute_advantages(const Algorithm& algorithm, Experience& e, std::uint64_t step,
                        std::uint64_t seed, MetricSums& metrics) {
  std::vector<std::size_t> all(e.num_seqs());
  std::iota(all.begin(), all.end(), std::size_t{0});
  const BatchView batch(e, all, step);
  qed_advantage out{};
  out.size = sizeof out;
  out.adv = {e.adv.data(), e.adv.size()};
  out.keep = {e.keep.data(), e.keep.size()};
  out.ret = {e.ret.data(), e.ret.size()};
  algorithm.advantage(batch.abi(), out, metrics, seed);
}

}  // namespace qed
