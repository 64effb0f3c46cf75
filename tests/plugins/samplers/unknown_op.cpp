// A sampler of a later level: it asks for an op that this qed does not know.

#include "qed/sampler.h"

namespace {

class UnknownOp {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.test.unknown_op",
      .name = "unknown_op",
      .version = "1.0.0",
      .summary = "asks for op 999",
  };

  void plan(const qed::Request&, qed::Plan&) const {}
};

struct Component {
  static std::int32_t plan(const void*, qed_call*, const qed_request*, qed_plan* out) {
    const qed_op op = {999, 0, {1, 0, 0, 0}, {}, {}};
    return out->add(out, &op) == 0 ? QED_OK : QED_UNSUPPORTED;
  }

  static const qed_component* component() {
    static qed_component component = *qed::Sampler<UnknownOp>::component();
    static qed_sampler table = *static_cast<const qed_sampler*>(component.vtable);
    table.plan = &plan;
    component.vtable = &table;
    return &component;
  }
};

}  // namespace

QED_PLUGIN("dev.qed.test.unknown_op", "Apache-2.0", Component);
