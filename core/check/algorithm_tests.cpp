// Laws of advantages and losses that hold for every algorithm.

#include "core/check/algorithm_caller.h"
#include "core/check/registry.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace qed::check {
namespace {

using S = SequenceData;

constexpr double kTolerance = 1e-4;  // sums in another order, in float32 at the ends

bool is_near(double a, double b) {
  return std::abs(a - b) <= kTolerance * std::max({1.0, std::abs(a), std::abs(b)});
}

std::vector<BatchData> batches(const Subject& s) {
  std::vector<BatchData> out;
  for (std::uint64_t i = 0; i < (s.is_thorough ? 50u : 4u); ++i) {
    out.push_back(random_batch(s.seed + i, {.is_multi_turn = i % 2 == 1}));
  }
  return out;
}

void expect_finite(const std::vector<float>& values, std::string_view name, std::string_view what) {
  for (const float x : values) expect(std::isfinite(x), name, " is ", x, " ", what);
}

void expect_finite(const AlgorithmCaller& algorithm, const BatchData& batch,
                   std::string_view what) {
  const AdvantageData out = algorithm.advantage(batch);
  expect_finite(out.adv, "adv", what);
  expect_finite(out.ret, "ret", what);
  const LossData loss = algorithm.loss(batch);
  expect(std::isfinite(loss.loss) && std::isfinite(loss.value_loss), "the loss is ", loss.loss,
         " and ", loss.value_loss, " ", what);
  expect_finite(loss.grad_logp, "grad_logp", what);
  expect_finite(loss.grad_entropy, "grad_entropy", what);
  expect_finite(loss.grad_value, "grad_value", what);
}

// The first token of each sequence.
std::vector<std::size_t> starts(const BatchData& batch) {
  std::vector<std::size_t> out = {0};
  for (const S& s : batch) out.push_back(out.back() + s.size());
  return out;
}

// values[t] for every trained token of sequence `b`.
std::vector<float> trained(const BatchData& batch, const std::vector<float>& values,
                           std::size_t b) {
  std::vector<float> out;
  const std::size_t start = starts(batch)[b];
  for (std::size_t t = 0; t < batch[b].size() && !values.empty(); ++t) {
    if (batch[b].mask[t] != 0) out.push_back(values[start + t]);
  }
  return out;
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b, std::string_view name,
                 std::string_view what) {
  expect(a.size() == b.size(), name, " has another length ", what);
  for (std::size_t i = 0; i < a.size(); ++i) {
    expect(is_near(a[i], b[i]), name, " becomes ", b[i], ", not ", a[i], ", ", what);
  }
}

void check_advantage(const Subject& s) {
  const Object object(s);
  const AlgorithmCaller algorithm(object);
  for (const BatchData& batch : batches(s)) {
    expect_finite(algorithm, batch, "on an ordinary batch");
    const AdvantageData out = algorithm.advantage(batch);
    for (const std::uint8_t k : out.keep) expect(k <= 1, "keep is ", int{k}, ", not 0 or 1");
    for (std::size_t b = 0, t = 0; b < batch.size(); ++b) {
      for (std::size_t i = 0; i < batch[b].size(); ++i, ++t) {
        expect(batch[b].mask[i] != 0 || out.adv[t] == 0,
               "adv of a token that the environment wrote is ", out.adv[t]);
      }
    }
  }
}

void check_pure(const Subject& s) {
  const Object object(s), other(s);
  for (const BatchData& batch : batches(s)) {
    const auto session = [&](const Object& o) {
      const AlgorithmCaller algorithm(o);
      return lines(algorithm.advantage(batch)) + lines(algorithm.loss(batch));
    };
    const std::string expected = session(object);
    expect_same(expected, session(object), "the same batch again");
    expect_same(expected, session(other), "the same batch with another object");
  }
}

void check_degenerate(const Subject& s) {
  const Object object(s);
  const AlgorithmCaller algorithm(object);
  expect_finite(algorithm, random_batch(1, {.groups = {1}}), "with one group of one completion");
  expect_finite(algorithm, random_batch(2, {.groups = {2, 1}, .min_length = 1, .max_length = 1}),
                "with completions of one token");
  expect_finite(algorithm, random_batch(3, {.groups = {3}, .min_length = 0, .max_length = 1}),
                "with completions of no token");
  BatchData none = random_batch(4), unwritten = none, one = none;
  for (S& sequence : none) sequence.valid = 0, sequence.reward = 0;
  for (S& sequence : unwritten) {
    std::ranges::fill(sequence.mask, std::uint8_t{0});
    std::ranges::fill(sequence.weight, 0.0f);
    std::ranges::fill(sequence.adv, 0.0f);
  }
  for (S& sequence : one) sequence.valid = &sequence == &one[1];
  expect_finite(algorithm, none, "with no completion that could be scored");
  expect_finite(algorithm, unwritten, "with no token that the model wrote");
  expect_finite(algorithm, one, "with one completion that could be scored");
}

void check_equal_rewards(const Subject& s) {
  const Object object(s);
  const AlgorithmCaller algorithm(object);
  for (const float reward : {0.0f, 0.1f, 1.0f, -3.0f, 1e6f}) {
    BatchData batch = random_batch(s.seed);
    for (S& sequence : batch) sequence.reward = sequence.baseline = reward;
    expect_finite(algorithm, batch, cat("when every reward is ", reward));
  }
}

// Without them the others get the same.
void check_invalid(const Subject& s) {
  const Object object(s);
  const AlgorithmCaller algorithm(object);
  for (BatchData batch : batches(s)) {
    BatchData rest;
    for (std::size_t b = 0; b < batch.size(); ++b) {
      batch[b].valid = b % 3 != 0;
      if (batch[b].valid == 0) batch[b].reward = 0;
      if (batch[b].valid != 0) rest.push_back(batch[b]);
    }
    const AdvantageData a = algorithm.advantage(batch), c = algorithm.advantage(rest);
    for (std::size_t b = 0, r = 0; b < batch.size(); ++b) {
      if (batch[b].valid != 0) {
        expect_near(trained(rest, c.adv, r++), trained(batch, a.adv, b), "adv",
                    "beside completions that could not be scored");
        continue;
      }
      for (const float x : trained(batch, a.adv, b)) {
        expect(x == 0 || a.keep[b] == 0, "a completion that could not be scored has adv ", x);
      }
    }
  }
}

// Advantages follow their sequences when these trade places by `place`: new index -> old index.
void check_permutation(const AlgorithmCaller& algorithm, const BatchData& batch,
                       const std::vector<std::size_t>& place, std::string_view what) {
  BatchData moved;
  for (const std::size_t old : place) moved.push_back(batch[old]);
  const AdvantageData a = algorithm.advantage(batch), c = algorithm.advantage(moved);
  for (std::size_t b = 0; b < place.size(); ++b) {
    expect_near(trained(batch, a.adv, place[b]), trained(moved, c.adv, b), "adv", what);
    expect_near(trained(batch, a.ret, place[b]), trained(moved, c.ret, b), "ret", what);
  }
}

void check_group_order(const Subject& s) {
  const Object object(s);
  const AlgorithmCaller algorithm(object);
  for (const BatchData& batch : batches(s)) {
    std::vector<std::size_t> place;  // the last group first
    for (std::size_t end = batch.size(); end > 0;) {
      std::size_t begin = end;
      while (begin > 0 && batch[begin - 1].group == batch[end - 1].group) --begin;
      for (std::size_t b = begin; b < end; ++b) place.push_back(b);
      end = begin;
    }
    check_permutation(algorithm, batch, place, "when groups trade places");
  }
}

void check_sample_order(const Subject& s) {
  const Object object(s);
  const AlgorithmCaller algorithm(object);
  for (const BatchData& batch : batches(s)) {
    std::vector<std::size_t> place(batch.size());
    for (std::size_t begin = 0, end = 0; begin < batch.size(); begin = end) {
      while (end < batch.size() && batch[end].group == batch[begin].group) ++end;
      for (std::size_t b = begin; b < end; ++b) place[b] = begin + end - 1 - b;
    }
    check_permutation(algorithm, batch, place, "when completions of a group trade places");
  }
}

void insert_token(S& s, std::size_t at, const S& from) {
  const auto put = [&](auto& v, auto value) {
    v.insert(v.begin() + static_cast<std::ptrdiff_t>(at), value);
  };
  put(s.mask, std::uint8_t{0});
  put(s.turn, s.turn[at]);
  put(s.behavior_logp, from.behavior_logp[0]);
  put(s.old_logp, from.old_logp[0]);
  put(s.ref_logp, from.ref_logp[0]);
  put(s.value, 17.0f);
  put(s.logp, from.logp[0]);
  put(s.new_value, -17.0f);
  put(s.entropy, from.entropy[0]);
  put(s.adv, 0.0f);
  put(s.ret, 5.0f);
  put(s.weight, 0.0f);
}

// More tokens that the environment wrote, where it wrote one already.
void check_observations(const Subject& s) {
  const Object object(s);
  const AlgorithmCaller algorithm(object);
  for (std::uint64_t i = 0; i < 3; ++i) {
    const BatchData batch = random_batch(s.seed + i, {.min_length = 5, .is_multi_turn = true});
    BatchData longer = batch;
    for (S& sequence : longer) {
      for (int k = 0; k < 3; ++k) insert_token(sequence, sequence.size() / 2, batch[0]);
    }
    const AdvantageData a = algorithm.advantage(batch), c = algorithm.advantage(longer);
    const LossData l = algorithm.loss(batch), m = algorithm.loss(longer);
    constexpr std::string_view kWhat = "when the environment writes more";
    expect(is_near(l.loss, m.loss), "the loss becomes ", m.loss, ", not ", l.loss, ", ", kWhat);
    for (std::size_t b = 0; b < batch.size(); ++b) {
      expect_near(trained(batch, a.adv, b), trained(longer, c.adv, b), "adv", kWhat);
      expect_near(trained(batch, a.ret, b), trained(longer, c.ret, b), "ret", kWhat);
      expect_near(trained(batch, l.grad_logp, b), trained(longer, m.grad_logp, b), "grad_logp",
                  kWhat);
    }
  }
}

void check_bad_reward(const Subject& s) {
  const Object object(s);
  const AlgorithmCaller algorithm(object);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    BatchData batch = random_batch(s.seed);
    batch[1].reward = bad;
    AdvantageData out;
    if (!algorithm.try_advantage(batch, out).is_ok()) continue;
    expect_finite(out.adv, "adv", cat("when a reward is ", bad));
  }
}

void check_extreme(const Subject& s) {
  const Object object(s);
  const AlgorithmCaller algorithm(object);
  for (const float shift : {-40.0f, 40.0f}) {
    BatchData batch = random_batch(s.seed);
    for (S& sequence : batch) {
      for (float& x : sequence.logp) x += shift;
    }
    expect_finite(algorithm, batch, cat("when log-ratios are near ", shift));
  }
}

constexpr Test kTests[] = {
    {"algorithm.advantage", Level::kMust, "algorithm", "advantages are finite, and 0 off mask",
     &check_advantage},
    {"algorithm.pure", Level::kMust, "algorithm", "results do not depend on earlier calls",
     &check_pure},
    {"algorithm.degenerate", Level::kMust, "algorithm",
     "groups of one, empty completions and empty masks are fine", &check_degenerate},
    {"algorithm.equal_rewards", Level::kMust, "algorithm", "equal rewards are fine",
     &check_equal_rewards},
    {"algorithm.invalid", Level::kMust, "algorithm",
     "completions that could not be scored count for nothing", &check_invalid},
    {"algorithm.group_order", Level::kMust, "algorithm", "the order of groups does not matter",
     &check_group_order},
    {"algorithm.sample_order", Level::kMust, "algorithm",
     "the order of completions in a group does not matter", &check_sample_order},
    {"algorithm.observations", Level::kMust, "algorithm",
     "more text of the environment changes nothing", &check_observations},
    {"algorithm.bad_reward", Level::kShould, "algorithm",
     "a reward that is not finite never becomes an advantage", &check_bad_reward},
    {"algorithm.extreme", Level::kShould, "algorithm", "log-ratios of 40 give finite losses",
     &check_extreme},
};

}  // namespace

std::span<const Test> algorithm_tests() { return kTests; }

}  // namespace qed::check
