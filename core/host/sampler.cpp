#include "core/host/sampler.h"

#include "core/host/call_plugin.h"
#include "core/util/error.h"

#include <algorithm>
#include <cmath>

namespace qed {
namespace {

constexpr std::size_t kMaxOps = 16;

bool has_ids(std::uint32_t op) { return op == QED_OP_LOGIT_BIAS || op == QED_OP_BAN; }

// What qed_plan.host points to during one call.
struct OpSink {
  std::uint64_t vocab_size;
  std::vector<SampleOp> ops = {};
  std::string problem = {};  // why an op was refused
};

// The number of an op that has one; what it must be, or nothing where it is fine.
std::string value_problem(const qed_op& op) {
  const float x = op.f[0];
  const bool is_share = x >= 0 && x <= 1;
  switch (op.op) {
    case QED_OP_TEMPERATURE:
      return std::isfinite(x) && x >= 0 ? "" : cat("its temperature is ", x);
    case QED_OP_TOP_K:
      return std::isfinite(x) && x >= 1 ? "" : cat("its top-k is ", x, ", at least 1 is needed");
    case QED_OP_TOP_P:
      return is_share ? "" : cat("its top-p is ", x, ", which is outside 0 to 1");
    case QED_OP_MIN_P:
      return is_share ? "" : cat("its min-p is ", x, ", which is outside 0 to 1");
    case QED_OP_REPETITION:
      return std::isfinite(x) && x > 0
                 ? ""
                 : cat("its repetition penalty is ", x, ", more than 0 is needed");
    case QED_OP_PRESENCE:
      return std::isfinite(x) ? "" : cat("its presence penalty is ", x);
    case QED_OP_FREQUENCY:
      return std::isfinite(x) ? "" : cat("its frequency penalty is ", x);
    default:
      return "";
  }
}

// The spans of an op that has them.
std::string ids_problem(const qed_op& op, std::uint64_t vocab_size) {
  const std::span ids(op.ids.p, op.ids.p == nullptr ? 0 : op.ids.n);
  const std::span values(op.values.p, op.values.p == nullptr ? 0 : op.values.n);
  const std::string what = op.op == QED_OP_BAN ? "its ban" : "its logit bias";
  for (const std::int32_t id : ids) {
    if (id >= 0 && static_cast<std::uint64_t>(id) < vocab_size) continue;
    return cat(what, " names the id ", id, "; the vocabulary has ", vocab_size);
  }
  if (op.op == QED_OP_BAN) return "";
  if (ids.size() != values.size()) {
    return cat(what, " has ", ids.size(), " ids and ", values.size(), " values");
  }
  for (const float x : values) {
    if (!std::isfinite(x)) return cat(what, " adds ", x);
  }
  return "";
}

// Why the op is refused, or nothing.
std::string op_problem(const qed_op& op, std::uint64_t vocab_size) {
  if (op.op < QED_OP_TEMPERATURE || op.op > QED_OP_BAN) {
    return cat("it asks for op ", op.op, ", which this qed does not know");
  }
  return has_ids(op.op) ? ids_problem(op, vocab_size) : value_problem(op);
}

std::int32_t add_op(qed_plan* self, const qed_op* op) {
  auto& sink = *static_cast<OpSink*>(self->host);
  if (sink.problem.empty()) sink.problem = op_problem(*op, sink.vocab_size);
  if (sink.problem.empty() && sink.ops.size() == kMaxOps) {
    sink.problem = cat("it asks for more than ", kMaxOps, " ops");
  }
  if (!sink.problem.empty()) return 1;
  SampleOp& out = sink.ops.emplace_back(SampleOp{op->op, op->f[0]});
  if (!has_ids(op->op)) return 0;
  out.ids.assign(op->ids.p, op->ids.p + op->ids.n);
  if (op->op == QED_OP_LOGIT_BIAS) out.values.assign(op->values.p, op->values.p + op->values.n);
  return 0;
}

}  // namespace

Sampler::Sampler(const Component& component, const std::string& options, const qed_host* host)
    : component_(component),
      table_(static_cast<const qed_sampler*>(component.abi->vtable)),
      self_(create_object(component, table_->object, options, host)),
      lock_(component) {}

Sampler::~Sampler() { table_->object.destroy(self_); }

const std::string& Sampler::name() const { return component_.spec.name; }

std::vector<SampleOp> Sampler::plan(const qed_request& request, std::uint64_t seed) const {
  QED_CHECK(request.size == sizeof(qed_request), request.size);
  OpSink sink{request.vocab_size};
  qed_plan plan = {sizeof(qed_plan), 0, &sink, &add_op};
  PluginCall call(seed);
  std::int32_t status = QED_OK;
  {
    const auto lock = lock_.hold();
    status = call_plugin(component_, "plan",
                         [&] { return table_->plan(self_, call.abi(), &request, &plan); });
  }
  if (!sink.problem.empty()) fail_plugin(component_, sink.problem);
  if (status != QED_OK) fail_plugin(component_, call.message(status));
  return sink.ops;
}

bool Sampler::has_mask() const { return QED_HAS(qed_sampler, table_, mask); }

void Sampler::mask(std::span<qed_mask_row* const> rows, std::uint64_t seed) const {
  QED_CHECK(has_mask());
  PluginCall call(seed);
  std::int32_t status = QED_OK;
  {
    const auto lock = lock_.hold();
    status = call_plugin(component_, "mask",
                         [&] { return table_->mask(self_, call.abi(), rows.data(), rows.size()); });
  }
  if (status != QED_OK) fail_plugin(component_, call.message(status));
  for (const qed_mask_row* row : rows) {
    const std::span bytes(row->allowed.p, row->allowed.n);
    if (std::ranges::any_of(bytes, [](std::uint8_t byte) { return byte != 0; })) continue;
    fail_plugin(component_, cat("its mask leaves no token to completion ", row->request));
  }
}

}  // namespace qed
