// Cases of advantage estimators and losses. The harness does the engine's part (weights, the KL in
// the loss, constants of entropy); the numbers in between are the plugin's.

#include "core/host/algorithm.h"

#include "core/util/error.h"
#include "tests/conformance/algorithm_case.h"

#include <algorithm>
#include <cmath>

namespace qed::conformance {
namespace {

// Collects the first difference. Pass: |a - b| <= max(tol, 1e-5 max(1, |a|)); spans are float32.
class Comparison {
 public:
  explicit Comparison(double tolerance) : tolerance_(tolerance) {}

  void check(const std::string& what, double got, const Json& expected) {
    if (!first_.empty()) return;
    const double a = expected.is_number() ? expected.get<double>() : NAN;
    const double allowed = std::max(tolerance_, 1e-5 * std::max(1.0, std::abs(a)));
    if (!(std::abs(a - got) <= allowed)) first_ = cat(what, " is ", got, " instead of ", a);
  }

  const std::string& first() const { return first_; }

 private:
  double tolerance_;
  std::string first_;
};

template <class T>
qed_f32s view(const std::vector<T>& x) {
  return {x.empty() ? nullptr : x.data(), x.size()};
}
qed_f32s_out out(std::vector<float>& x) { return {x.empty() ? nullptr : x.data(), x.size()}; }

void check_tokens(Comparison& compare, const AlgorithmCase& c, const std::string& what,
                  const std::vector<float>& got, const std::vector<double>& expected) {
  for (std::size_t t = 0; t < got.size(); ++t) {
    if (c.is_written(t)) compare.check(what + " of " + c.place(t), got[t], expected[t]);
  }
}

// The metrics of the origin that qed has under the same name.
void check_metrics(Comparison& compare, const Json& row, const MetricSums& metrics) {
  if (!row["expected"].contains("metrics")) return;
  for (const auto& [name, value] : row["expected"]["metrics"].items()) {
    const auto at = metrics.find(name.starts_with("vf_") ? "critic/" + name : name);
    if (at == metrics.end() || at->second.second == 0) continue;
    compare.check("metric " + name, at->second.first / at->second.second, value);
  }
}

void run_advantage(const Algorithm& algorithm, const Json& row, const Mapping& mapping,
                   Comparison& compare) {
  const AlgorithmCase c(row, mapping);
  std::vector<float> adv(c.num_tokens()), ret(c.batch().value.n);
  std::vector<std::uint8_t> keep(c.num_seqs(), 1);
  qed_advantage spans = {sizeof(qed_advantage),      0,      out(adv), out(ret),
                         {keep.data(), keep.size()}, nullptr};
  MetricSums metrics;
  algorithm.advantage(c.batch(), spans, metrics, 0);
  const Json& expected = row["expected"];
  const char* name = expected.contains("advantages") ? "advantages" : "seq_advantages";
  check_tokens(compare, c, "the advantage", adv, c.tokens(expected[name]));
  if (!ret.empty()) check_tokens(compare, c, "the target", ret, c.tokens(expected["returns"]));
}

// The engine's KL in the loss: beta (exp(d) - 1 - d), d = ref_logp - logp.
double add_kl(const AlgorithmCase& c, const Json& row, const std::vector<double>& weight,
              std::vector<float>& grad) {
  const double beta = row["params"].value("beta", 0.0);
  if (beta == 0) return 0;
  const auto logp = c.tokens(row["input"]["logp"]), ref = c.tokens(row["input"]["ref_logp"]);
  double loss = 0;
  for (std::size_t t = 0; t < grad.size(); ++t) {
    if (weight[t] == 0) continue;
    const double d = ref[t] - logp[t];
    loss += weight[t] * beta * (std::exp(d) - 1 - d);
    grad[t] += static_cast<float>(weight[t] * beta * (1 - std::exp(d)));
  }
  return loss;
}

// The engine's entropy bonus; the entropy is a constant in these cases.
double entropy_bonus(const AlgorithmCase& c, const Json& row, const std::vector<double>& weight) {
  const double coef = row["params"].value("entropy_coef", 0.0);
  if (coef == 0) return 0;
  const auto entropy = c.tokens(row["input"]["entropy"]);
  double sum = 0;
  for (std::size_t t = 0; t < weight.size(); ++t) {
    if (c.is_written(t)) sum += weight[t] * entropy[t];
  }
  return coef * sum;
}

void run_loss(const Algorithm& algorithm, const Json& row, const Mapping& mapping,
              Comparison& compare) {
  const AlgorithmCase c(row, mapping);
  const auto weight = c.weights(mapping.aggregation(row["params"]));
  const auto corrected = c.corrected(weight);
  const auto adv = c.floats(row["input"]["advantages"]), logp = c.floats(row["input"]["logp"]);
  std::vector<float> grad(c.num_tokens());
  qed_loss args{};
  args.size = sizeof(qed_loss);
  args.batch = &c.batch();
  args.adv = view(adv), args.logp = view(logp), args.weight = view(corrected);
  args.grad_logp = out(grad);
  MetricSums metrics;
  algorithm.loss(args, metrics, 0);

  const double kl = add_kl(c, row, weight, grad);
  compare.check("the loss", args.loss + kl - entropy_bonus(c, row, weight),
                row["expected"]["loss"]);
  check_tokens(compare, c, "the gradient", grad, c.tokens(row["expected"]["grad_logp"]));
  check_metrics(compare, row, metrics);
}

void run_value_loss(const Algorithm& algorithm, const Json& row, const Mapping& mapping,
                    Comparison& compare) {
  const AlgorithmCase c(row, mapping);
  const auto weight = c.corrected(c.weights(mapping.aggregation(row["params"])));
  const auto value = c.floats(row["input"]["vpreds"]), ret = c.floats(row["input"]["returns"]);
  const std::vector<float> adv(c.num_tokens()), logp(c.num_tokens(), -1);
  std::vector<float> grad(c.num_tokens()), grad_value(c.num_tokens());
  qed_loss args{};
  args.size = sizeof(qed_loss);
  args.batch = &c.batch();
  args.adv = view(adv), args.ret = view(ret), args.logp = view(logp), args.weight = view(weight);
  args.grad_logp = out(grad);
  args.value = view(value), args.grad_value = out(grad_value);
  MetricSums metrics;
  algorithm.loss(args, metrics, 0);
  compare.check("the value loss", args.value_loss, row["expected"]["loss"]);
  check_tokens(compare, c, "the gradient", grad_value, c.tokens(row["expected"]["grad_vpreds"]));
  check_metrics(compare, row, metrics);
}

Outcome run(PluginHost& host, const std::string&, const Json& row) {
  const std::string function =
      cat(row["framework"].get<std::string>(), "/", row["function"].get<std::string>());
  const auto mapping = std::ranges::find(algorithm_mappings(), function, &Mapping::function);
  if (mapping == algorithm_mappings().end()) {
    return {Result::kNotMapped, function, "the table has no such function"};
  }
  std::string reason(mapping->reason);
  if (mapping->refuses != nullptr) reason = mapping->refuses(row);
  if (!reason.empty()) return {Result::kNotMapped, function, reason};

  Comparison compare(row["tol"]);
  std::string problem;
  try {
    const Component& component = host.load("algorithm", std::string(mapping->component));
    const std::string options = options_with(component.spec, mapping->options(row["params"]));
    const Algorithm algorithm(component, options, host.abi());
    const auto body = mapping->part == Part::kLoss        ? run_loss
                      : mapping->part == Part::kValueLoss ? run_value_loss
                                                          : run_advantage;
    body(algorithm, row, *mapping, compare);
    problem = compare.first();
  } catch (const Error& error) {
    problem = error.what();
  }
  if (problem.empty()) return {Result::kPassed};
  return {Result::kFailed,
          cat(row["id"].get<std::string>(), " (", row["kind"].get<std::string>(), ")"), problem};
}

}  // namespace

const Family kAlgorithms = {[](const std::string&, const Json& first) {
                              return first.contains("framework") && first.contains("function");
                            },
                            run};

}  // namespace qed::conformance
