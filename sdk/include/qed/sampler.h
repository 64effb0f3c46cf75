#pragma once

// A sampler in plain C++: how a completion is drawn, as a few ops that the engine runs fused. The
// draw, the random numbers and the recorded log-prob stay in the engine. Write a class with these
// members and name it in QED_PLUGIN as qed::Sampler<MySampler>:
//
//   static constexpr qed::Info kInfo{...};
//   void options(qed::Options&);                              // optional; see options.h
//   void plan(const qed::Request&, qed::Plan&) const;         // once per request, from any thread

#include "qed/plugin.h"

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

struct Request {
  bool is_training;         // false: evaluation
  std::uint64_t step;       // of the stage, from 1; evaluation: steps done
  std::uint64_t num_steps;  // of the stage
  std::uint64_t index;      // of the sample in its group
  std::uint64_t group_size;
};

// Takes the ops of one request, in the order in which they apply.
class Plan {
 public:
  explicit Plan(qed_plan* out) : out_(out) {}
  void temperature(double t) { add(QED_OP_TEMPERATURE, t); }  // 0: greedy
  void top_k(std::int64_t k) { add(QED_OP_TOP_K, static_cast<double>(k)); }
  void top_p(double p) { add(QED_OP_TOP_P, p); }

 private:
  void add(std::uint32_t op, double value) {
    const qed_op record = {op, 0, {static_cast<float>(value), 0, 0, 0}, {}, {}};
    if (out_->add(out_, &record) != 0) throw Error("the host refuses this op", QED_UNSUPPORTED);
  }
  qed_plan* out_;
};

template <class S>
struct Sampler {
  static std::int32_t plan(const void* self, qed_call* call, const qed_request* request,
                           qed_plan* out) {
    return guard(call->err, [&] {
      const qed_request r = read(request);
      Plan ops(out);
      static_cast<const S*>(self)->plan(
          Request{r.stage == QED_STAGE_TRAIN, r.step, r.num_steps, r.index, r.group_size}, ops);
    });
  }

  static const qed_component* component() {
    static const qed_sampler kTable = {Object<S>::vtable(sizeof(qed_sampler)), &plan};
    return Object<S>::component("qed.sampler/1", &kTable);
  }
};

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
