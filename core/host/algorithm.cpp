#include "core/host/algorithm.h"

#include "core/host/plugin_call.h"
#include "core/util/error.h"
#include "qed/philox.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

namespace qed {
namespace {

constexpr std::uint64_t kMaxMetricName = 64;

// What qed_metrics.host points to during one call.
struct MetricSink {
  MetricSums& sums;
  std::string problem;  // the first metric that is refused
};

void add_metric(qed_metrics* self, qed_str name, double sum, double count) {
  auto& sink = *static_cast<MetricSink*>(self->host);
  const std::string_view word = from_abi(name);
  if (word.empty() || word.size() > kMaxMetricName || !is_utf8(word)) {
    sink.problem = cat("the name of a metric has 1 to ", kMaxMetricName, " bytes of UTF-8");
  } else if (!std::isfinite(sum) || !std::isfinite(count)) {
    sink.problem = cat("metric `", word, "` is not finite: ", sum, " / ", count);
  } else {
    auto& [total, n] = sink.sums[std::string(word)];
    total += sum;
    n += count;
  }
}

// "`advantage` wrote nan for token 7 (sequence 2)", or nothing.
std::string first_non_finite(qed_f32s_out values, const qed_batch& batch, std::string_view what) {
  for (std::uint64_t t = 0; t < values.n; ++t) {
    if (std::isfinite(values.p[t])) continue;
    const auto* end = batch.offset.p + batch.offset.n;
    const auto sequence = std::upper_bound(batch.offset.p, end, t) - batch.offset.p - 1;
    return cat(what, " ", values.p[t], " for token ", t - batch.offset.p[sequence], " of sequence ",
               sequence);
  }
  return "";
}

std::uint64_t call_seed(const qed_batch& batch) {
  return KeyHash().add("qed.algorithm").add(batch.step).value();
}

void check_batch(const qed_batch& batch) {
  QED_CHECK(batch.size == sizeof(qed_batch), batch.size);
  QED_CHECK(batch.offset.n == batch.group.n + 1, batch.offset.n, " and ", batch.group.n);
  QED_CHECK(batch.offset.p[batch.group.n] == batch.mask.n, "T is ", batch.mask.n);
  QED_CHECK(batch.reward.n == batch.group.n && batch.valid.n == batch.group.n);
}

}  // namespace

Algorithm::Algorithm(const Component& component, const std::string& options, const qed_host* host)
    : component_(component), table_(static_cast<const qed_algorithm*>(component.abi->vtable)) {
  self_ = create_object(component, table_->object, options, host);
  const std::uint64_t needs = table_->needs(self_);
  if (needs == 0) return;
  table_->object.destroy(self_);
  std::string what = needs & QED_NEEDS_REF ? "a reference model" : "";
  if (needs & QED_NEEDS_VALUE) what += what.empty() ? "a value model" : " and a value model";
  if (what.empty()) what = cat("something unknown (needs = ", needs, ")");
  throw Error(cat(label(component), ": it needs ", what, ", which this qed does not have"),
              "choose an algorithm that works from rewards and log-probs alone, such as `grpo`",
              kExitPlugin);
}

Algorithm::~Algorithm() { table_->object.destroy(self_); }

const std::string& Algorithm::name() const { return component_.spec.name; }

void Algorithm::advantage(const qed_batch& batch, qed_advantage& out) const {
  check_batch(batch);
  QED_CHECK(out.size == sizeof(qed_advantage), out.size);
  QED_CHECK(out.adv.n == batch.mask.n && out.keep.n == batch.group.n);
  PluginCall call(call_seed(batch));
  const std::int32_t status = table_->advantage(self_, call.abi(), &batch, &out);
  if (status != QED_OK) fail_plugin(component_, call.message(status));
  const std::string problem = first_non_finite(out.adv, batch, "it gave the advantage");
  if (!problem.empty()) fail_plugin(component_, problem);
}

void Algorithm::loss(qed_loss& args, MetricSums& metrics) const {
  check_batch(*args.batch);
  QED_CHECK(args.logp.n == args.batch->mask.n && args.grad_logp.n == args.logp.n &&
            args.adv.n == args.logp.n && args.weight.n == args.logp.n);
  MetricSink sink{metrics, ""};
  qed_metrics writer = {sizeof(qed_metrics), 0, &sink, &add_metric};
  args.size = sizeof(qed_loss);
  args.metrics = &writer;
  args.loss = std::numeric_limits<double>::quiet_NaN();
  std::fill_n(args.grad_logp.p, args.grad_logp.n, 0.0f);
  PluginCall call(call_seed(*args.batch));
  const std::int32_t status = table_->loss(self_, call.abi(), &args);
  args.metrics = nullptr;
  if (status != QED_OK) fail_plugin(component_, call.message(status));

  std::string problem = sink.problem;
  if (problem.empty() && !std::isfinite(args.loss)) problem = cat("it gave the loss ", args.loss);
  if (problem.empty()) {
    problem = first_non_finite(args.grad_logp, *args.batch, "it gave the gradient");
  }
  if (!problem.empty()) fail_plugin(component_, problem);
}

}  // namespace qed
