// Verdicts of many threads at once.

#include "tests/plugins/tasks/math/golds.h"
#include "verify.h"

#include <numeric>
#include <thread>

namespace qed::math_golds {

std::size_t verdicts_that_differ(const std::vector<std::string>& golds, std::size_t num_threads,
                                 std::size_t num_verdicts) {
  const auto verdict = [&](std::size_t i) {
    const std::string& gold = golds[i * 7 % golds.size()];
    const std::string& other = golds[(i * 7 + i % 3) % golds.size()];
    const math::Policy& policy = math::presets()[i % math::presets().size()];
    return math::compare_answers(gold, rewritten(other), policy).reason;
  };
  std::vector<math::Reason> alone(num_verdicts);
  for (std::size_t i = 0; i < num_verdicts; ++i) alone[i] = verdict(i);
  std::vector<std::size_t> num_different(num_threads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < num_threads; ++t) {
    threads.emplace_back([&, t] {
      std::size_t count = 0;
      for (std::size_t k = 0; k < num_verdicts; ++k) {
        const std::size_t i = (k + t * num_verdicts / num_threads) % num_verdicts;
        if (verdict(i) != alone[i]) ++count;
      }
      num_different[t] = count;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return std::accumulate(num_different.begin(), num_different.end(), std::size_t{0});
}

}  // namespace qed::math_golds
