#pragma once

// What the two passes of attention's backward share on tensor cores. A warp has 16 rows of the tile
// that its block is for (queries in one pass, keys in the other) in registers, and rows of the
// other kind, here called columns, stream through shared memory, 64 at a time. Scores are made with
// the block's rows as rows, so that what a lane has of them is what it needs of them in the product
// that adds up. See mma.h for g and j.

#include "core/cuda/kernels/mma.h"

#include <cmath>

namespace qed::cuda {

// kDim: of a head, a multiple of 16.
template <int kDim>
struct AttentionMmaTiles {
  static_assert(kDim % 16 == 0);
  static constexpr int kSteps = kDim / 16;   // products over the numbers of a head
  static constexpr int kRows = 16 * kWarps;  // of a block
  static constexpr int kColumns = 64;        // rows of the other kind
  static constexpr int kStride = kDim + 8;   // from row to row in shared memory: other banks
  static constexpr int kFloats = kColumns * kStride / 2;  // of a matrix

  // Two matrices of the rows, the scores of 16 columns with each, and what they make.
  struct Rows {
    FragmentA x[2][kSteps];
    FragmentC score[2][2];
    FragmentA p, ds;
  };
  struct Sums {
    FragmentC x[kSteps][2];  // of two neighbours in memory the first, and the second
  };
  struct alignas(16) Eight {
    std::uint32_t x[4];
  };

  // Row g or g + 8 of a warp's rows, as i is 0 or 1.
  QED_DEVICE static int row_of(int thread, int i) {
    return thread / kWarp * 16 + thread % kWarp / 4 + 8 * i;
  }
  // Column of a chunk of 16: 2 j and 2 j + 1 of each 8.
  QED_DEVICE static int column_of(int thread, int eight, int i) {
    return 8 * eight + 2 * (thread % 4) + i;
  }

  // The block's first `count` rows, row i from where row(i) points.
  template <class Row>
  QED_DEVICE static void load_rows(int thread, int count, FragmentA (&to)[kSteps], const Row& row) {
    QED_UNROLL
    for (int step = 0; step < kSteps; ++step) {
      QED_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int r = row_of(thread, i % 2), d = 16 * step + 2 * (thread % 4) + i / 2 * 8;
        to[step].x[i] = r < count ? pair_at(row(r) + d) : 0;
      }
    }
  }

  // Copies `count` columns, 0 where there is none.
  template <class Row>
  QED_DEVICE static void load_columns(int thread, int count, Bfloat16* to, const Row& row) {
    constexpr int kEights = kDim / 8;
    QED_UNROLL
    for (int i = thread; i < kColumns * kEights; i += kThreads) {
      const int c = i / kEights, d = i % kEights * 8;
      const Eight none{};
      *reinterpret_cast<Eight*>(to + c * kStride + d) =
          c < count ? *reinterpret_cast<const Eight*>(row(c) + d) : none;
    }
  }

  // Columns of a chunk as columns: 8 of them from c on, numbers 16 step .. 16 step + 15.
  QED_DEVICE static FragmentB columns(int thread, const Bfloat16* from, int c, int step) {
    const Bfloat16* const at =
        from + (c + thread % kWarp / 4) * kStride + 16 * step + 2 * (thread % 4);
    return {pair_at(at), pair_at(at + 8)};
  }

  // 16 of them from c on as rows: numbers 16 step + odd, 16 step + odd + 2, ..
  QED_DEVICE static FragmentB turned(int thread, const Bfloat16* from, int c, int step, int odd) {
    const Bfloat16* const at =
        from + (c + 2 * (thread % 4)) * kStride + 16 * step + 2 * (thread % kWarp / 4);
    const std::uint32_t a = pair_at(at), b = pair_at(at + kStride), x = pair_at(at + 8 * kStride),
                        y = pair_at(at + 9 * kStride);
    if (odd != 0) return {upper_halves(a, b), upper_halves(x, y)};
    return {lower_halves(a, b), lower_halves(x, y)};
  }

  // score[m] = the products of the rows x[m] with the 16 columns of matrix m from c on.
  template <class Block, class Own>
  QED_DEVICE static void make_scores(const Block& block, Own& own, const Bfloat16* first,
                                     const Bfloat16* second, int c) {
    block.each_alone([&](int thread) {
      QED_UNROLL
      for (int i = 0; i < 4; ++i) own(thread).rows.score[i / 2][i % 2] = {};
    });
    block.template multiply<4 * kSteps>([&](int thread, int i) {
      const int m = i / (2 * kSteps), step = i / 2 % kSteps, eight = i % 2;
      Rows& rows = own(thread).rows;
      return MmaStep{&rows.score[m][eight], rows.x[m][step],
                     columns(thread, m == 0 ? first : second, c + 8 * eight, step)};
    });
  }

  // Turns scores into probabilities p and their gradients ds, before the scale: number(row, column)
  // gives {is seen, lse, delta}, of the block's row and the chunk's column.
  struct Seen {
    bool is_seen;
    float lse, delta;
  };
  template <class F>
  QED_DEVICE static void weigh(int thread, Rows& rows, float scale, const F& seen) {
    QED_UNROLL
    for (int i = 0; i < 4; ++i) {  // as fragments A count: row i % 2, eight columns i / 2
      float p[2], ds[2];
      QED_UNROLL
      for (int j = 0; j < 2; ++j) {
        const int at = i % 2 * 2 + j;
        const Seen s = seen(i % 2, row_of(thread, i % 2), column_of(thread, i / 2, j));
        p[j] = s.is_seen ? std::exp(rows.score[0][i / 2].x[at] * scale - s.lse) : 0.0f;
        ds[j] = s.is_seen ? p[j] * (rows.score[1][i / 2].x[at] - s.delta) : 0.0f;
      }
      rows.p.x[i] = rounded_pair(p[0], p[1]);
      rows.ds.x[i] = rounded_pair(ds[0], ds[1]);
    }
  }

  // Writes the block's first `count` rows times `scale`.
  template <class Row>
  QED_DEVICE static void store(int thread, int count, const Sums& sums, float scale,
                               const Row& row) {
    QED_UNROLL
    for (int i = 0; i < 2; ++i) {
      const int r = row_of(thread, i);
      if (r >= count) continue;
      QED_UNROLL
      for (int step = 0; step < kSteps; ++step) {
        const float *const even = sums.x[step][0].x + 2 * i, *const odd = sums.x[step][1].x + 2 * i;
        auto* const to = reinterpret_cast<std::uint32_t*>(row(r) + 16 * step + 4 * (thread % 4));
        to[0] = rounded_pair(even[0] * scale, odd[0] * scale);
        to[1] = rounded_pair(even[1] * scale, odd[1] * scale);
      }
    }
  }
};

}  // namespace qed::cuda
