// Laws of the loss and its gradients.

#include "core/check/algorithm_caller.h"
#include "core/check/registry.h"

#include <algorithm>
#include <cmath>

namespace qed::check {
namespace {

using S = SequenceData;

constexpr double kStep = 1.0 / 256;  // of a difference; spans are float32, so not smaller
constexpr double kTolerance = 2e-3;

// One port: an input of the loss, the gradient with respect to it, and the loss that it belongs to.
struct Port {
  std::string_view name;
  std::vector<float> S::*input;
  std::vector<float> LossData::*gradient;
  double LossData::*loss;
};

std::vector<Port> ports(const AlgorithmCaller& algorithm) {
  std::vector<Port> out = {{"logp", &S::logp, &LossData::grad_logp, &LossData::loss}};
  if (algorithm.needs(QED_NEEDS_ENTROPY)) {
    out.push_back({"entropy", &S::entropy, &LossData::grad_entropy, &LossData::loss});
  }
  if (algorithm.needs(QED_NEEDS_VALUE)) {
    out.push_back({"value", &S::new_value, &LossData::grad_value, &LossData::value_loss});
  }
  return out;
}

std::vector<BatchData> batches(const Subject& s) {
  std::vector<BatchData> out;
  for (std::uint64_t i = 0; i < (s.is_thorough ? 20u : 4u); ++i) {
    const std::size_t shortest = i == 3 ? 0 : 1;
    out.push_back(random_batch(
        s.seed + i, {.groups = {3, 1, 2}, .min_length = shortest, .is_multi_turn = i % 2 == 1}));
  }
  return out;
}

struct Slopes {
  double below, above;  // difference quotients on either side
};

// Of the loss along one number of the batch. Everything in double but the number itself.
Slopes slopes(const AlgorithmCaller& algorithm, BatchData& batch, std::string_view prepared,
              const Port& port, float& x) {
  const float here = x;
  const auto at = [&](double value) {
    x = static_cast<float>(value);
    return algorithm.loss(batch, prepared, 0).*port.loss;
  };
  const double middle = at(here), low = at(here - kStep);
  const double low_x = x;
  const double high = at(here + kStep);
  const double high_x = x;
  x = here;
  return {(middle - low) / (here - low_x), (high - middle) / (high_x - here)};
}

// At a kink of the loss any slope between the two sides is a gradient.
bool is_between(double g, const Slopes& s) {
  const double slack = kTolerance * std::max({1.0, std::abs(s.below), std::abs(s.above)});
  return g >= std::min(s.below, s.above) - slack && g <= std::max(s.below, s.above) + slack;
}

// True when loss = sum of grad * logp: the loss holds its other factors constant, as CISPO and
// REINFORCE do, and its value is no function to differentiate.
bool is_score_function(const BatchData& batch, const LossData& loss) {
  double sum = 0, size = 0;
  std::size_t t = 0;
  for (const S& s : batch) {
    for (const float x : s.logp) {
      const double part = double{loss.grad_logp[t++]} * x;
      sum += part, size += std::abs(part);
    }
  }
  return std::abs(sum - loss.loss) <= 1e-5 * std::max(size, 1e-3);
}

// The first token whose gradient is no slope of the loss, as a sentence; empty: there is none.
std::string slope_problem(const AlgorithmCaller& algorithm, BatchData& batch, const Port& port) {
  const std::string prepared = algorithm.prepare(batch);
  const std::vector<float> gradient = algorithm.loss(batch, prepared, 0).*port.gradient;
  std::size_t t = 0;
  for (std::size_t b = 0; b < batch.size(); ++b) {
    for (std::size_t i = 0; i < batch[b].size(); ++i, ++t) {
      if (batch[b].mask[i] == 0) continue;
      const Slopes s = slopes(algorithm, batch, prepared, port, (batch[b].*port.input)[i]);
      if (is_between(gradient[t], s)) continue;
      return cat("dL/d", port.name, " of token ", i, " of completion ", b, " is ", gradient[t],
                 "; differences of the loss give ", s.below, " and ", s.above);
    }
  }
  return "";
}

void check_gradient(const Subject& s) {
  const Object object(s);
  const AlgorithmCaller algorithm(object);
  for (const Port& port : ports(algorithm)) {
    std::string problem;
    bool is_alternative = port.name == "logp";
    for (BatchData& batch : batches(s)) {
      is_alternative = is_alternative && is_score_function(batch, algorithm.loss(batch));
      if (problem.empty()) problem = slope_problem(algorithm, batch, port);
    }
    expect(problem.empty() || is_alternative, problem);
  }
}

void check_masked(const Subject& s) {
  const Object object(s);
  const AlgorithmCaller algorithm(object);
  for (const BatchData& batch : batches(s)) {
    const LossData loss = algorithm.loss(batch);
    for (const Port& port : ports(algorithm)) {
      std::size_t t = 0;
      for (const S& sequence : batch) {
        for (const float weight : sequence.weight) {
          const float g = (loss.*port.gradient)[t++];
          expect(weight != 0 || g == 0, "dL/d", port.name, " of a token with weight 0 is ", g);
        }
      }
    }
  }
}

void check_zero_advantage(const Subject& s) {
  const Object object(s);
  const AlgorithmCaller algorithm(object);
  for (BatchData& batch : batches(s)) {
    for (std::size_t b = 0; b < batch.size(); b += 2) std::ranges::fill(batch[b].adv, 0.0f);
    const LossData loss = algorithm.loss(batch);
    std::size_t t = 0;
    for (std::size_t b = 0; b < batch.size(); ++b) {
      for (std::size_t i = 0; i < batch[b].size(); ++i, ++t) {
        if (b % 2 != 0) continue;
        expect(loss.grad_logp[t] == 0, "dL/dlogp is ", loss.grad_logp[t],
               " in a completion whose advantages are all 0");
      }
    }
  }
}

bool is_near(double a, double b) {
  return std::abs(a - b) <= 1e-4 * std::max({1.0, std::abs(a), std::abs(b)});
}

void check_weight(const Subject& s) {
  const Object object(s);
  const AlgorithmCaller algorithm(object);
  for (const BatchData& batch : batches(s)) {
    BatchData doubled = batch;
    for (S& sequence : doubled) {
      for (float& w : sequence.weight) w *= 2;
    }
    const std::string prepared = algorithm.prepare(batch);
    const LossData a = algorithm.loss(batch, prepared, 0);
    const LossData b = algorithm.loss(doubled, prepared, 0);
    expect(is_near(2 * a.loss, b.loss), "with all weights doubled the loss becomes ", b.loss,
           ", not ", 2 * a.loss);
    expect(is_near(2 * a.value_loss, b.value_loss),
           "with all weights doubled the loss of the critic becomes ", b.value_loss, ", not ",
           2 * a.value_loss);
    for (std::size_t t = 0; t < a.grad_logp.size(); ++t) {
      expect(is_near(2 * a.grad_logp[t], b.grad_logp[t]),
             "with all weights doubled dL/dlogp becomes ", b.grad_logp[t], ", not ",
             2 * a.grad_logp[t]);
    }
  }
}

// Micro-batches of one, two, three ... completions of one update.
void check_split(const Subject& s) {
  const Object object(s);
  const AlgorithmCaller algorithm(object);
  for (const BatchData& batch : batches(s)) {
    const std::string prepared = algorithm.prepare(batch);
    const LossData whole = algorithm.loss(batch, prepared, 0);
    double loss = 0, value_loss = 0;
    std::size_t first = 0;
    for (std::size_t begin = 0, size = 1; begin < batch.size(); begin += size, ++size) {
      const auto end = std::min(begin + size, batch.size());
      const BatchData part(batch.begin() + static_cast<std::ptrdiff_t>(begin),
                           batch.begin() + static_cast<std::ptrdiff_t>(end));
      const LossData out = algorithm.loss(part, prepared, first);
      loss += out.loss, value_loss += out.value_loss;
      for (const Port& port : ports(algorithm)) {
        for (std::size_t t = 0; t < num_tokens(part); ++t) {
          const double a = (whole.*port.gradient)[first + t], b = (out.*port.gradient)[t];
          expect(is_near(a, b), "dL/d", port.name, " of a token is ", b, " in a micro-batch and ",
                 a, " in the whole update");
        }
      }
      first += num_tokens(part);
    }
    expect(is_near(whole.loss, loss) && is_near(whole.value_loss, value_loss),
           "the losses of micro-batches add up to ", loss, " and ", value_loss,
           "; the whole update has ", whole.loss, " and ", whole.value_loss);
  }
}

constexpr Test kTests[] = {
    {"algorithm.gradient", Level::kMust, "algorithm", "gradients are slopes of the loss",
     &check_gradient},
    {"algorithm.masked", Level::kMust, "algorithm", "tokens with weight 0 have gradient 0",
     &check_masked},
    {"algorithm.zero_advantage", Level::kMust, "algorithm", "advantage 0 gives gradient 0",
     &check_zero_advantage},
    {"algorithm.weight", Level::kMust, "algorithm", "the loss is linear in the weights",
     &check_weight},
    {"algorithm.split", Level::kMust, "algorithm", "micro-batches add up to the whole update",
     &check_split},
};

}  // namespace

std::span<const Test> gradient_tests() { return kTests; }

}  // namespace qed::check
