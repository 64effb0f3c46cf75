#pragma once

// The body of a draw: a block per row. Scratch holds the row that is drawn from: -infinity for an
// id that may not be drawn, NaN for one that a truncation left out.

#include "core/cuda/draw_args.h"
#include "core/cuda/kernels/candidates.h"

#include "qed/abi.h"
#include "qed/philox.h"

#include <cmath>

namespace qed::cuda {

template <class Block>
class Drawer {
 public:
  QED_DEVICE Drawer(const Block& block, const DrawArgs& a, std::int64_t row, double* shared)
      : block_(block),
        a_(a),
        row_(a.row[row]),
        number_(row),
        from_(a.logits + row * a.vocab),
        z_(a.scratch + row * a.vocab),
        counts_(a.counts + row * a.vocab),
        shared_(shared),
        ids_(block, a.vocab, z_, shared) {}

  QED_DEVICE void run() {
    const float* const from = from_;
    const double bad = ids_.sum([=](std::int64_t i) { return from[i] - from[i] == 0 ? 0.0 : 1.0; });
    if (bad > 0) return end(kLogitsNotFinite);
    copy();
    if (!apply_ops()) return end(kNothingToDraw);
    if (!row_.is_greedy && !ids_.is_all()) ids_.keep_top(a_.max_support);
    draw();
  }

 private:
  QED_DEVICE void copy() {
    float* const z = z_;
    const float* const from = from_;
    ids_.for_each([=](std::int64_t i) { z[i] = from[i]; });
    ban(row_.banned, row_.num_banned);
    if (row_.allowed == nullptr) return;
    const std::uint8_t* const allowed = row_.allowed;
    ids_.for_each([=](std::int64_t i) {
      if (is_kept(z[i]) && (allowed[i >> 3] >> (i & 7) & 1) == 0) z[i] = NAN;
    });
  }

  QED_DEVICE void ban(const std::int32_t* ids, std::int32_t count) {
    float* const z = z_;
    block_.each([=](int thread) {
      for (std::int32_t i = thread; i < count; i += kThreads) z[ids[i]] = -INFINITY;
    });
  }

  // False when no id is left.
  QED_DEVICE bool apply_ops() {
    for (std::int32_t i = 0; i < row_.num_ops; ++i) {
      if (ids_.num_kept() == 0) return false;
      const DrawOp op = row_.ops[i];
      if (op.op == QED_OP_TOP_K) {
        ids_.keep_top(op.value < 1 ? 1 : static_cast<double>(op.value));
      } else if (op.op == QED_OP_TOP_P) {
        ids_.keep_mass(op.inv_temperature, op.value);
      } else if (op.op == QED_OP_MIN_P) {
        ids_.keep_likely(op.inv_temperature, op.value);
      } else {
        change(op);
      }
    }
    return ids_.num_kept() > 0;
  }

  QED_DEVICE void change(const DrawOp& op) {
    float* const z = z_;
    const float scale = op.inv_temperature, f = op.value;
    if (scale != 1) ids_.for_each([=](std::int64_t i) { z[i] *= scale; });
    if (op.op == QED_OP_BAN) return ban(op.ids, op.num_ids);
    if (op.op == QED_OP_LOGIT_BIAS) {  // in their order: an id may occur twice
      return block_.each([=](int thread) {
        for (std::int32_t i = 0; thread == 0 && i < op.num_ids; ++i) z[op.ids[i]] += op.values[i];
      });
    }
    if (op.op == QED_OP_REPETITION) count(row_.prompt, row_.num_prompt);
    count(row_.completion, row_.num_completion);
    const std::uint32_t kind = op.op;
    const auto penalise = [=](float& x, std::int32_t times) {
      if (kind == QED_OP_REPETITION) x = x > 0 ? x / f : x * f;
      if (kind == QED_OP_PRESENCE) x -= f;
      if (kind == QED_OP_FREQUENCY) x -= f * static_cast<float>(times);
    };
    if (op.op == QED_OP_REPETITION) take(row_.prompt, row_.num_prompt, penalise);
    take(row_.completion, row_.num_completion, penalise);
  }

  QED_DEVICE void count(const std::int32_t* ids, std::int32_t n) {
    std::int32_t* const counts = counts_;
    block_.each([=](int thread) {
      for (std::int32_t i = thread; i < n; i += kThreads) add_atomic(&counts[ids[i]], 1);
    });
  }

  // Calls f(logit, count) once for each id that was counted, and clears its count.
  template <class F>
  QED_DEVICE void take(const std::int32_t* ids, std::int32_t n, const F& f) {
    std::int32_t* const counts = counts_;
    float* const z = z_;
    block_.each([=](int thread) {
      for (std::int32_t i = thread; i < n; i += kThreads) {
        const std::int32_t times = take_atomic(&counts[ids[i]]);
        if (times > 0) f(z[ids[i]], times);
      }
    });
  }

  QED_DEVICE void draw() {
    const float *const z = z_, *const from = from_;
    const float plain_max = ids_.max_kept(from, 1);
    const double plain_sum = ids_.sum(
        [=](std::int64_t i) { return static_cast<double>(std::exp(from[i] - plain_max)); });
    const bool all = ids_.is_all();
    if (row_.is_greedy) {
      ids_.keep_top(1);
    }
    const float scale = row_.inv_temperature, max = ids_.max_kept(z, scale);
    const double mass = write_chunks(max);
    if (!(mass > 0 && mass < INFINITY && max < INFINITY)) return end(kOpsNotFinite);
    const DrawArgs a = a_;
    const DrawRow row = row_;
    const std::int64_t number = number_;
    double* const shared = shared_;
    block_.each([=](int thread) {
      if (thread != 0) return;
      const double point = row.is_greedy ? 0 : uniform(row.key, row.position) * mass;
      const std::int64_t token = pick(a.vocab, z, scale, max, point, shared);
      a.token[number] = static_cast<std::int32_t>(token);
      a.logp[number] = static_cast<float>(from[token] - plain_max - std::log(plain_sum));
      const double logp = static_cast<double>(z[token] * scale) - max - std::log(mass);
      a.behavior_logp[number] = row.is_greedy ? 0 : static_cast<float>(logp);
      a.status[number] = kDrawn;
    });
    write_support(row.is_greedy || !all);
  }

  // The ids of a thread are a piece of the vocabulary, so that the masses of pieces, one after
  // another, are the distribution in the order of ids.
  QED_DEVICE static std::int64_t chunk(std::int64_t vocab) {
    return (vocab + kThreads - 1) / kThreads;
  }

  // shared[t] = the mass of thread t's ids; returns that of all.
  QED_DEVICE double write_chunks(float max) {
    double* const shared = shared_;
    const float *const z = z_, scale = row_.inv_temperature;
    const std::int64_t vocab = a_.vocab;
    block_.each([=](int thread) {
      double part = 0;
      for (std::int64_t i = thread * chunk(vocab); i < (thread + 1) * chunk(vocab); ++i) {
        if (i < vocab && is_kept(z[i])) part += std::exp(z[i] * scale - max);
      }
      shared[thread] = part;
    });
    double mass = 0;
    for (int t = 0; t < kThreads; ++t) mass += shared[t];
    return mass;
  }

  // The id whose share of the mass holds `point`; where rounding left the point above every sum,
  // the last one kept.
  QED_DEVICE static std::int64_t pick(std::int64_t vocab, const float* z, float scale, float max,
                                      double point, const double* masses) {
    double mass = 0;
    std::int64_t last = 0;
    for (int t = 0; t < kThreads; ++t) {
      if (masses[t] == 0) continue;
      if (point >= mass + masses[t] && has_mass_after(masses, t)) {
        mass += masses[t];
        continue;
      }
      for (std::int64_t i = t * chunk(vocab); i < (t + 1) * chunk(vocab) && i < vocab; ++i) {
        if (!is_kept(z[i])) continue;
        mass += std::exp(z[i] * scale - max);
        last = i;
        if (point < mass) return i;
      }
      return last;
    }
    return last;
  }

  QED_DEVICE static bool has_mass_after(const double* masses, int thread) {
    for (int t = thread + 1; t < kThreads; ++t) {
      if (masses[t] > 0) return true;
    }
    return false;
  }

  QED_DEVICE void write_support(bool is_truncated) {
    const DrawArgs a = a_;
    const std::int64_t number = number_;
    if (!is_truncated) {
      return block_.each([=](int thread) {
        if (thread == 0) a.support_size[number] = 0;
      });
    }
    double* const shared = shared_;
    const float* const z = z_;
    block_.each([=](int thread) {
      double count = 0;
      for (std::int64_t i = thread * chunk(a.vocab); i < (thread + 1) * chunk(a.vocab); ++i) {
        count += i < a.vocab && is_kept(z[i]) ? 1 : 0;
      }
      shared[thread] = count;
    });
    block_.each([=](int thread) {
      double before = 0, all = 0;
      for (int t = 0; t < kThreads; ++t) {
        before += t < thread ? shared[t] : 0;
        all += shared[t];
      }
      std::int32_t* to = a.support + number * a.max_support + static_cast<std::int64_t>(before);
      for (std::int64_t i = thread * chunk(a.vocab); i < (thread + 1) * chunk(a.vocab); ++i) {
        if (i < a.vocab && is_kept(z[i])) *to++ = static_cast<std::int32_t>(i);
      }
      if (thread == 0) a.support_size[number] = static_cast<std::int32_t>(all);
    });
  }

  QED_DEVICE void end(std::uint32_t status) {
    std::uint32_t* const to = a_.status + number_;
    block_.each([=](int thread) {
      if (thread == 0) *to = status;
    });
  }

  const Block& block_;
  const DrawArgs& a_;
  const DrawRow row_;
  const std::int64_t number_;
  const float* const from_;
  float* const z_;
  std::int32_t* const counts_;
  double* const shared_;
  Candidates<Block> ids_;
};

struct DrawBody {
  using Shared = double;
  static constexpr std::int64_t kShared = kThreads;
  DrawArgs a;

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t row, double* shared) const {
    Drawer<Block>(block, a, row, shared).run();
  }
};

}  // namespace qed::cuda
