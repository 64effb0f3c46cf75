#pragma once

// Calls into an algorithm under test, from plain data to plain data, and the random batches that it
// is tested on.

#include "core/check/subject.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qed::check {

// One finished completion, with everything that an algorithm may ask for per token and sequence.
struct SequenceData {
  std::uint64_t group = 0;
  float reward = 0;
  float baseline = 0;
  std::uint8_t valid = 1;
  std::uint8_t finish = QED_FINISH_STOP;
  // [tokens]
  std::vector<std::uint8_t> mask;
  std::vector<std::int32_t> turn;
  std::vector<float> behavior_logp, old_logp, ref_logp, value;
  std::vector<float> logp, new_value, entropy;  // of the policy and the critic now
  std::vector<float> adv, ret, weight;          // inputs of the loss

  std::size_t size() const { return mask.size(); }
};

using BatchData = std::vector<SequenceData>;

std::size_t num_tokens(const BatchData& batch);

// How a random batch looks.
struct BatchShape {
  std::vector<std::size_t> groups = {4, 3, 1, 2};  // completions of each prompt
  std::size_t min_length = 2, max_length = 9;
  bool is_multi_turn = false;  // with tokens that the environment wrote
};

// The same batch for the same arguments. Log-probs lie in [-3, -0.05] and differ from the old ones
// by at most 0.4; rewards are in {0, 0.1 ... 1}; adv and ret are normal; weights lie in [0.5, 1.5],
// 0 off mask.
BatchData random_batch(std::uint64_t seed, const BatchShape& shape = {});

struct AdvantageData {
  std::vector<float> adv, ret;
  std::vector<std::uint8_t> keep;
  std::string metrics;
};

struct LossData {
  double loss = 0, value_loss = 0;
  std::vector<float> grad_logp, grad_entropy, grad_value;  // the last two empty without the need
  std::string metrics;
};

// One line per result, exact to the last bit.
std::string lines(const AdvantageData& out);
std::string lines(const LossData& out);

class AlgorithmCaller {
 public:
  explicit AlgorithmCaller(const Object& object, const Form& form = {});

  std::uint64_t needs() const { return needs_; }
  bool needs(std::uint64_t what) const { return (needs_ & what) != 0; }
  bool has_prepare() const { return QED_HAS(qed_algorithm, &table_, prepare); }

  // These throw Failure when the algorithm refuses.
  AdvantageData advantage(const BatchData& batch) const;
  // Calls prepare first where there is one, for this batch.
  LossData loss(const BatchData& batch) const;
  // The loss of a part of an update that `prepared` was made for: it begins at token `first`.
  LossData loss(const BatchData& part, std::string_view prepared, std::uint64_t first) const;
  std::string prepare(const BatchData& update) const;

  // The reply instead of a Failure.
  Reply try_advantage(const BatchData& batch, AdvantageData& out) const;

 private:
  const Object& object_;
  Form form_;
  const qed_algorithm& table_;
  std::uint64_t needs_;
};

}  // namespace qed::check
