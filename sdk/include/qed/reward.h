#pragma once

// A reward term that any task can add to its reward. Write a class with these members and name it
// in QED_PLUGIN as qed::Reward<MyTerm>:
//
//   static constexpr qed::Info kInfo{...};
//   void options(qed::Options&);                         // optional; see options.h
//   qed::Term score(const qed::Scored&) const;           // one completion; or
//   void score(std::span<const qed::Scored>, std::span<qed::Term>) const;  // whole groups
//
// The second form sets QED_WHOLE_GROUPS. A term with QED_TOKEN_REWARDS in kInfo.flags also writes
// Scored::token_rewards. Members are const, are called from any thread, and may throw qed::Error.

#include "qed/task.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// One completion and what the task said of it. Borrowed until the call returns.
struct Scored {
  Sample sample;
  double reward;    // by the task
  Verdict verdict;  // by the task
  std::span<const qed_str> term_names;
  std::span<const float> terms;
  std::span<float> token_rewards;  // [tokens] out: starts as 0; empty without QED_TOKEN_REWARDS

  // The task's term of this name; NaN when it has none.
  double term(std::string_view name) const {
    for (std::size_t i = 0; i < term_names.size() && i < terms.size(); ++i) {
      if (view(term_names[i]) == name) return terms[i];
    }
    return std::numeric_limits<double>::quiet_NaN();
  }
};

struct Term {
  double value = 0;
  bool applies = true;    // false: left out of the sum
  std::string note = {};  // why, for people
};

template <class R>
struct Reward {
  static constexpr bool kByGroup =
      requires(const R& r, std::span<const Scored> in, std::span<Term> out) {
    r.score(in, out);
  };

  static std::int32_t score(const void* self, qed_call* call, const qed_scored* const* samples,
                            qed_term* const* terms, std::uint64_t n) {
    const R& reward = *static_cast<const R*>(self);
    if constexpr (kByGroup) {
      return guard(call->err, [&] {
        std::vector<Scored> in;
        std::vector<Term> out(n);
        for (std::uint64_t i = 0; i < n; ++i) in.push_back(view(*samples[i], *terms[i]));
        reward.score(in, out);
        for (std::uint64_t i = 0; i < n; ++i) put(out[i], *terms[i]);
      });
    } else {
      for (std::uint64_t i = 0; i < n; ++i) {  // one bad sample spoils only itself
        qed_term& out = *terms[i];
        call->err->msg_len = 0;
        out.status = guard(call->err, [&] { put(reward.score(view(*samples[i], out)), out); });
        if (out.status != QED_OK) {
          guard(nullptr, [&] { write(out.note, {call->err->msg, call->err->msg_len}); });
        }
      }
      return QED_OK;
    }
  }

  static const qed_component* component() {
    static const qed_reward kTable = {Object<R>::vtable(sizeof(qed_reward)), &score};
    return Object<R>::component("qed.reward/1", &kTable, kByGroup ? QED_WHOLE_GROUPS : 0u);
  }

 private:
  static Scored view(const qed_scored& in, const qed_term& out) {
    const qed_scored s = read(&in);
    return {qed::view(read(s.sample)),       s.reward,
            static_cast<Verdict>(s.verdict), {s.term_names.p, s.term_names.n},
            {s.terms.p, s.terms.n},          {out.tokens.p, out.tokens.n}};
  }

  static void put(const Term& term, qed_term& out) {
    out.value = term.value;
    out.applies = term.applies ? 1 : 0;
    out.status = QED_OK;
    write(out.note, term.note);
  }
};

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
