#pragma once

// An algorithm in plain C++: one advantage estimator and one policy loss. It owns no model, no
// optimizer and no I/O. Write a class with these members and name it in QED_PLUGIN as
// qed::Algorithm<MyAlgorithm>:
//
//   static constexpr qed::Info kInfo{...};
//   void options(qed::Options&);                                   // optional; see options.h
//   std::uint64_t needs() const;                                   // optional; QED_NEEDS_<what>
//   void advantage(const qed::Batch&, qed::Advantage&) const;      // once per step
//   double loss(const qed::Batch&, qed::LossArgs&) const;          // once per micro-batch
//   std::string prepare(const qed::Batch&, const qed::Update&) const;  // optional; once per
//   update,
//                                      // before its losses, which get its result as `prepared`
//
// Members are const, are called from any thread, and may throw qed::Error. Building blocks:
// estimators.h and losses.h.
//
// Shapes: B sequences, T tokens of all sequences, packed. Spans are float32; compute in double.

#include "qed/plugin.h"

#include <span>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// Finished completions, ordered by (group, sample). Borrowed until the call returns.
struct Batch {
  std::uint64_t step;                     // of the stage, from 1
  std::span<const std::uint64_t> offset;  // [B+1] tokens of sequence b: [offset[b], offset[b+1])
  std::span<const std::uint64_t> group;   // [B] equal ids are adjacent and share a prompt
  std::span<const float> reward;          // [B] 0 where valid is 0
  std::span<const std::uint8_t> valid;    // [B] 0: scoring failed; not in statistics, not in loss
  std::span<const std::uint8_t> mask;     // [T] 1: the model wrote it
  std::span<const float> behavior_logp;   // [T] of the distribution really sampled from
  std::span<const float> old_logp;        // [T] before the step's first update
  std::span<const float> ref_logp;        // [T] empty without QED_NEEDS_REF
  std::span<const float> value;           // [T] empty without QED_NEEDS_VALUE
  std::span<const std::uint8_t> finish;   // [B] QED_FINISH_<reason>
  std::span<const std::int32_t> turn;     // [T] from 0; empty: single-turn
  std::span<const std::uint64_t> staleness;  // [B] in steps; empty: all 0
  std::span<const float> baseline;  // [B] reward of the greedy completion; QED_NEEDS_BASELINE
  std::span<const qed_stream* const> streams;  // rewards per token, beside `reward`

  std::size_t num_seqs() const { return group.size(); }
  std::size_t num_tokens() const { return mask.size(); }
};

struct Advantage {
  std::span<float> adv;          // [T] 0 off mask; starts as 0
  std::span<float> ret;          // [T] value targets; empty without QED_NEEDS_VALUE
  std::span<std::uint8_t> keep;  // [B] 0: drop the sequence from the update; starts as 1
  qed_metrics* metrics;

  void metric(std::string_view name, double sum, double count) {
    metrics->add(metrics, str(name), sum, count);
  }
};

// The whole of one update, as `prepare` sees it.
struct Update {
  std::span<const float> adv;     // [T]
  std::span<const float> ret;     // [T] empty without values
  std::span<const float> weight;  // [T]
  std::span<const float> logp;    // [T] policy now; empty without QED_NEEDS_UPDATE_LOGP
  qed_metrics* metrics;
};

// What a loss sees of the model, and where its gradient goes.
struct LossArgs {
  std::span<const float> adv;     // [T]
  std::span<const float> ret;     // [T] empty without values
  std::span<const float> logp;    // [T] policy now
  std::span<const float> weight;  // [T] aggregation weight over the whole update; 0 off mask
  std::span<float> grad_logp;     // [T] out: dL/dlogp; starts as 0
  qed_metrics* metrics;
  std::string_view prepared;             // what `prepare` returned for this update
  std::span<const std::uint64_t> token;  // [B] first token of each sequence in that update
  std::span<const float> entropy;        // [T] empty without QED_NEEDS_ENTROPY
  std::span<const float> value;          // [T] critic now; empty without QED_NEEDS_VALUE
  std::span<float> grad_entropy;         // [T] out: dL/dentropy; starts as 0
  std::span<float> grad_value;           // [T] out: dL_value/dvalue; starts as 0
  double value_loss = 0;                 // out: L_value

  // Adds to a named metric, which the host reports as sum of sums / sum of counts.
  void metric(std::string_view name, double sum, double count) {
    metrics->add(metrics, str(name), sum, count);
  }
};

inline Batch view(const qed_batch& b) {
  return {.step = b.step,
          .offset = {b.offset.p, b.offset.n},
          .group = {b.group.p, b.group.n},
          .reward = {b.reward.p, b.reward.n},
          .valid = {b.valid.p, b.valid.n},
          .mask = {b.mask.p, b.mask.n},
          .behavior_logp = {b.behavior_logp.p, b.behavior_logp.n},
          .old_logp = {b.old_logp.p, b.old_logp.n},
          .ref_logp = {b.ref_logp.p, b.ref_logp.n},
          .value = {b.value.p, b.value.n},
          .finish = {b.finish.p, b.finish.n},
          .turn = {b.turn.p, b.turn.n},
          .staleness = {b.staleness.p, b.staleness.n},
          .baseline = {b.baseline.p, b.baseline.n},
          .streams = {b.streams, b.num_streams}};
}

template <class A>
struct Algorithm {
  static std::uint64_t needs(const void* self) noexcept {
    if constexpr (requires { get(self).needs(); }) return get(self).needs();
    return 0;
  }

  static std::int32_t advantage(const void* self, qed_call* call, const qed_batch* batch,
                                qed_advantage* out) {
    return guard(call->err, [&] {
      Advantage spans = {{out->adv.p, out->adv.n},
                         {out->ret.p, out->ret.n},
                         {out->keep.p, out->keep.n},
                         out->metrics};
      get(self).advantage(view(read(batch)), spans);
    });
  }

  static std::int32_t loss(const void* self, qed_call* call, qed_loss* args) {
    return guard(call->err, [&] {
      const qed_loss in = read(args);
      LossArgs spans = {.adv = {in.adv.p, in.adv.n},
                        .ret = {in.ret.p, in.ret.n},
                        .logp = {in.logp.p, in.logp.n},
                        .weight = {in.weight.p, in.weight.n},
                        .grad_logp = {in.grad_logp.p, in.grad_logp.n},
                        .metrics = in.metrics,
                        .prepared = {reinterpret_cast<const char*>(in.prepared.p), in.prepared.n},
                        .token = {in.token.p, in.token.n},
                        .entropy = {in.entropy.p, in.entropy.n},
                        .value = {in.value.p, in.value.n},
                        .grad_entropy = {in.grad_entropy.p, in.grad_entropy.n},
                        .grad_value = {in.grad_value.p, in.grad_value.n}};
      args->loss = get(self).loss(view(read(in.batch)), spans);
      args->value_loss = spans.value_loss;
    });
  }

  static std::int32_t prepare(const void* self, qed_call* call, const qed_update* update,
                              qed_writer* out) {
    return guard(call->err, [&] {
      if constexpr (has_prepare()) {
        const qed_update u = read(update);
        write(out, get(self).prepare(view(read(u.batch)), Update{{u.adv.p, u.adv.n},
                                                                 {u.ret.p, u.ret.n},
                                                                 {u.weight.p, u.weight.n},
                                                                 {u.logp.p, u.logp.n},
                                                                 u.metrics}));
      }
    });
  }

  static const qed_component* component() {
    static const qed_algorithm kTable = {Object<A>::vtable(sizeof(qed_algorithm)), &needs,
                                         &advantage, &loss, has_prepare() ? &prepare : nullptr};
    return Object<A>::component("qed.algorithm/1", &kTable);
  }

 private:
  static constexpr bool has_prepare() {
    return requires(const A& a, const Batch& b, const Update& u) { a.prepare(b, u); };
  }
  static const A& get(const void* self) { return *static_cast<const A*>(self); }
};

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
