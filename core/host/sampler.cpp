#include "core/host/sampler.h"

#include "core/host/plugin_call.h"
#include "core/util/error.h"
#include "qed/philox.h"

#include <cmath>

namespace qed {
namespace {

constexpr std::size_t kMaxOps = 16;

// What qed_plan.host points to during one call.
struct OpSink {
  std::vector<SampleOp> ops;
  std::string problem;  // why an op was refused
};

// Why this qed cannot apply the op, or nothing.
std::string op_problem(const qed_op& op) {
  const float x = op.f[0];
  switch (op.op) {
    case QED_OP_TEMPERATURE:
      return std::isfinite(x) && x >= 0 ? "" : cat("its temperature is ", x);
    case QED_OP_TOP_K:
      return std::isfinite(x) && x >= 1 ? "" : cat("its top-k is ", x, ", at least 1 is needed");
    case QED_OP_TOP_P:
      return x >= 0 && x <= 1 ? "" : cat("its top-p is ", x, ", which is outside 0 to 1");
    default:
      return cat("it asks for op ", op.op, ", which this qed does not know");
  }
}

std::int32_t add_op(qed_plan* self, const qed_op* op) {
  auto& sink = *static_cast<OpSink*>(self->host);
  if (sink.problem.empty()) sink.problem = op_problem(*op);
  if (sink.problem.empty() && sink.ops.size() == kMaxOps) {
    sink.problem = cat("it asks for more than ", kMaxOps, " ops");
  }
  if (!sink.problem.empty()) return 1;
  sink.ops.push_back({op->op, op->f[0]});
  return 0;
}

}  // namespace

Sampler::Sampler(const Component& component, const std::string& options, const qed_host* host)
    : component_(component), table_(static_cast<const qed_sampler*>(component.abi->vtable)) {
  self_ = create_object(component, table_->object, options, host);
}

Sampler::~Sampler() { table_->object.destroy(self_); }

const std::string& Sampler::name() const { return component_.spec.name; }

std::vector<SampleOp> Sampler::plan(const qed_request& request) const {
  QED_CHECK(request.size == sizeof(qed_request), request.size);
  OpSink sink;
  qed_plan plan = {sizeof(qed_plan), 0, &sink, &add_op};
  PluginCall call(
      KeyHash().add("qed.sampler").add(request.stage).add(request.step).add(request.index).value());
  const std::int32_t status = table_->plan(self_, call.abi(), &request, &plan);
  if (!sink.problem.empty()) fail_plugin(component_, sink.problem);
  if (status != QED_OK) fail_plugin(component_, call.message(status));
  return sink.ops;
}

}  // namespace qed
