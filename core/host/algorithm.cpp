#include "core/host/algorithm.h"

#include "core/host/call_plugin.h"
#include "core/util/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

namespace qed {
namespace {

constexpr std::uint64_t kMaxMetricName = 64;
constexpr std::uint64_t kMaxPrepared = 1 << 30;

// What qed_metrics.host points to during one call.
struct MetricSink {
  MetricSums& sums;
  std::string problem = {};  // the first metric that is refused
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

// "it gave the advantage nan for token 7 of sequence 2", or nothing.
template <class Span>
std::string first_non_finite(Span values, const qed_batch& batch, std::string_view what) {
  for (std::uint64_t t = 0; t < values.n; ++t) {
    if (std::isfinite(values.p[t])) continue;
    const auto* end = batch.offset.p + batch.offset.n;
    const auto sequence = std::upper_bound(batch.offset.p, end, t) - batch.offset.p - 1;
    return cat(what, " ", std::isnan(values.p[t]) ? std::abs(values.p[t]) : values.p[t],
               " for token ", t - batch.offset.p[sequence], " of sequence ", sequence);
  }
  return "";
}

void check_batch(const qed_batch& batch) {
  const std::uint64_t num_seqs = batch.group.n, num_tokens = batch.mask.n;
  QED_CHECK(batch.size == sizeof(qed_batch), batch.size);
  QED_CHECK(batch.offset.n == num_seqs + 1, batch.offset.n, " and ", num_seqs);
  QED_CHECK(batch.offset.p[num_seqs] == num_tokens, "T is ", num_tokens);
  QED_CHECK(batch.reward.n == num_seqs && batch.valid.n == num_seqs);
}

// What the engine must provide, in the words of a message.
std::string needs_text(std::uint64_t needs) {
  static constexpr std::pair<std::uint64_t, const char*> kWords[] = {
      {QED_NEEDS_REF, "a reference model"},
      {QED_NEEDS_VALUE, "a value model"},
      {QED_NEEDS_ENTROPY, "the entropy of the policy"},
      {QED_NEEDS_BASELINE, "a greedy completion per group"},
      {QED_NEEDS_UPDATE_LOGP, "the log-probs of a whole update"}};
  std::string text;
  for (const auto& [bit, word] : kWords) {
    if ((needs & bit) != 0) text += cat(text.empty() ? "" : " and ", word);
    needs &= ~bit;
  }
  return needs == 0 ? text : cat("something unknown (needs = ", needs, ")");
}

}  // namespace

Algorithm::Algorithm(const Component& component, const std::string& options, const qed_host* host)
    : component_(component),
      table_(static_cast<const qed_algorithm*>(component.abi->vtable)),
      self_(create_object(component, table_->object, options, host)),
      needs_(table_->needs(self_)),
      lock_(component) {}

Algorithm::~Algorithm() { table_->object.destroy(self_); }

const std::string& Algorithm::name() const { return component_.spec.name; }

void Algorithm::check_needs(std::uint64_t provided) const {
  const std::uint64_t missing = needs_ & ~provided;
  if (missing == 0) return;
  throw Error(
      cat(label(component_), ": it needs ", needs_text(missing), ", which this qed does not have"),
      "choose an algorithm that works from rewards and log-probs alone, such as `grpo`",
      kExitPlugin);
}

template <class Body>
void Algorithm::call(const char* function, qed_metrics*& slot, MetricSums& metrics,
                     std::uint64_t seed, Body&& body) const {
  MetricSink sink{metrics};
  qed_metrics writer = {sizeof(qed_metrics), 0, &sink, &add_metric};
  slot = &writer;
  PluginCall call(seed);
  std::int32_t status = QED_OK;
  {
    const auto lock = lock_.hold();
    status = call_plugin(component_, function, [&] { return body(call.abi()); });
  }
  slot = nullptr;
  if (status != QED_OK) fail_plugin(component_, call.message(status));
  if (!sink.problem.empty()) fail_plugin(component_, sink.problem);
}

void Algorithm::advantage(const qed_batch& batch, qed_advantage& out, MetricSums& metrics,
                          std::uint64_t seed) const {
  check_batch(batch);
  QED_CHECK(out.size == sizeof(qed_advantage), out.size);
  QED_CHECK(out.adv.n == batch.mask.n && out.keep.n == batch.group.n);
  call("advantage", out.metrics, metrics, seed,
       [&](qed_call* abi) { return table_->advantage(self_, abi, &batch, &out); });
  refuse_non_finite(out.adv, batch, "it gave the advantage");
  refuse_non_finite(out.ret, batch, "it gave the value target");
}

bool Algorithm::has_prepare() const { return QED_HAS(qed_algorithm, table_, prepare); }

std::string Algorithm::prepare(qed_update& update, MetricSums& metrics, std::uint64_t seed) const {
  QED_CHECK(has_prepare() && update.size == sizeof(qed_update));
  check_batch(*update.batch);
  TextSink out(kMaxPrepared);
  call("prepare", update.metrics, metrics, seed,
       [&](qed_call* abi) { return table_->prepare(self_, abi, &update, out.abi()); });
  if (out.is_full()) fail_plugin(component_, cat("it prepared more than ", kMaxPrepared, " bytes"));
  return std::move(out.text());
}

void Algorithm::loss(qed_loss& args, MetricSums& metrics, std::uint64_t seed) const {
  const qed_batch& batch = *args.batch;
  check_batch(batch);
  QED_CHECK(args.logp.n == batch.mask.n && args.grad_logp.n == args.logp.n &&
            args.adv.n == args.logp.n && args.weight.n == args.logp.n);
  QED_CHECK(args.grad_entropy.n == args.entropy.n && args.grad_value.n == args.value.n);
  const std::string diverged = first_non_finite(args.logp, batch, "the policy's log-prob is");
  if (!diverged.empty()) {
    throw Error(diverged, "its weights have diverged: lower train.lr, or set train.clip_norm");
  }
  args.size = sizeof(qed_loss);
  args.loss = std::numeric_limits<double>::quiet_NaN();
  args.value_loss = 0;
  for (const qed_f32s_out& grad : {args.grad_logp, args.grad_entropy, args.grad_value}) {
    std::fill_n(grad.p, grad.n, 0.0f);
  }
  call("loss", args.metrics, metrics, seed,
       [&](qed_call* abi) { return table_->loss(self_, abi, &args); });
  if (!std::isfinite(args.loss)) fail_plugin(component_, cat("it gave the loss ", args.loss));
  if (!std::isfinite(args.value_loss)) {
    fail_plugin(component_, cat("it gave the value loss ", args.value_loss));
  }
  refuse_non_finite(args.grad_logp, batch, "it gave the gradient");
  refuse_non_finite(args.grad_entropy, batch, "it gave the gradient of the entropy");
  refuse_non_finite(args.grad_value, batch, "it gave the gradient of the value");
}

void Algorithm::refuse_non_finite(qed_f32s_out values, const qed_batch& batch,
                                  const char* what) const {
  const std::string problem = first_non_finite(values, batch, what);
  if (!problem.empty()) fail_plugin(component_, problem);
}

}  // namespace qed
