#pragma once

// A sampler in plain C++: how a completion is drawn, as a few ops that the engine runs fused. The
// draw, the random numbers and the recorded log-prob stay in the engine. Write a class with these
// members and name it in QED_PLUGIN as qed::Sampler<MySampler>:
//
//   static constexpr qed::Info kInfo{...};
//   void options(qed::Options&);                              // optional; see options.h
//   void plan(const qed::Request&, qed::Plan&) const;         // once per request, from any thread
//   void mask(std::span<qed_mask_row* const>) const;          // optional; see qed_mask_row

#include "qed/plugin.h"

#include <span>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

struct Request {
  bool is_training;         // false: evaluation
  std::uint64_t step;       // of the stage, from 1; evaluation: steps done
  std::uint64_t num_steps;  // of the stage
  std::uint64_t index;      // of the sample in its group
  std::uint64_t group_size;
  std::uint64_t vocab_size;
};

// Takes the ops of one request, in the order in which they apply.
class Plan {
 public:
  explicit Plan(qed_plan* out) : out_(out) {}
  void temperature(double t) { add(QED_OP_TEMPERATURE, t); }  // 0: greedy
  void top_k(std::int64_t k) { add(QED_OP_TOP_K, static_cast<double>(k)); }
  void top_p(double p) { add(QED_OP_TOP_P, p); }
  void min_p(double p) { add(QED_OP_MIN_P, p); }
  void repetition_penalty(double penalty) { add(QED_OP_REPETITION, penalty); }
  void presence_penalty(double penalty) { add(QED_OP_PRESENCE, penalty); }
  void frequency_penalty(double penalty) { add(QED_OP_FREQUENCY, penalty); }
  void logit_bias(std::span<const std::int32_t> ids, std::span<const float> values) {
    add(QED_OP_LOGIT_BIAS, 0, {ids.data(), ids.size()}, {values.data(), values.size()});
  }
  void ban(std::span<const std::int32_t> ids) { add(QED_OP_BAN, 0, {ids.data(), ids.size()}); }

 private:
  void add(std::uint32_t op, double value, qed_i32s ids = {}, qed_f32s values = {}) {
    const qed_op record = {op, 0, {static_cast<float>(value), 0, 0, 0}, ids, values};
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
      static_cast<const S*>(self)->plan(Request{r.stage == QED_STAGE_TRAIN, r.step, r.num_steps,
                                                r.index, r.group_size, r.vocab_size},
                                        ops);
    });
  }

  static std::int32_t mask(const void* self, qed_call* call, qed_mask_row* const* rows,
                           std::uint64_t n) {
    return guard(call->err, [&] {
      if constexpr (has_mask()) static_cast<const S*>(self)->mask({rows, n});
    });
  }

  static const qed_component* component() {
    static const qed_sampler kTable = {Object<S>::vtable(sizeof(qed_sampler)), &plan,
                                       has_mask() ? &mask : nullptr};
    return Object<S>::component("qed.sampler/1", &kTable);
  }

 private:
  static constexpr bool has_mask() {
    return requires(const S& s, std::span<qed_mask_row* const> rows) { s.mask(rows); };
  }
};

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
