#pragma once

// The first pass of attention on tensor cores, in place of AttentionBody<Bfloat16>: the same splits
// and results, but for the probabilities, which are rounded to bfloat16 for the product with the
// values. Rows of products are heads of one row or, where keys lie in packed rows, of as many
// neighbours as there is room for: the rows of a product do not touch each other. A warp takes two
// pages of a split, whose numbers go from memory to registers once. Which column of a product is
// which position or number of a head is chosen such that a lane's part lies in neighbouring halves
// of words.

#include "core/cuda/kernels/attention.h"
#include "core/cuda/kernels/mma.h"

namespace qed::cuda {

// kDim: of a head, a multiple of 16.
template <int kDim>
struct AttentionMmaBody {
  static constexpr int kSteps = kDim / 16;  // products over the numbers of a head
  static constexpr int kPages = 2;          // of a warp
  static_assert(kPages * kWarps * kPageSlots == kSplit && kDim % 16 == 0);
  static constexpr int kLanes = 4 * kWarps;  // that share a row of scores
  // Floats from row to row, such that the next row begins in other banks.
  static constexpr int kOutStride = kDim % 32 == 0 ? kDim + 16 : kDim, kStatStride = kLanes + 4;
  static constexpr int kOutFloats = kTileHeads * kOutStride;  // of a warp
  static constexpr int kStatFloats = kTileHeads * kStatStride;

  static constexpr int kBlocksTogether = kDim <= 80 ? 2 : 1;  // one waits for memory, one works
  using Shared = float;
  static constexpr std::int64_t kShared = kWarps * kOutFloats + 2 * kStatFloats;
  AttentionArgs a;

  // What a lane keeps. Of two neighbouring numbers in memory, those with an even place are in
  // fragment 0 and those with an odd one in fragment 1.
  struct Lane {
    FragmentA q[kSteps], p[kPages];
    FragmentB kv[kPages][kSteps][2];
    FragmentC score[kPages][2], out[kSteps][2];
  };

  // Rows that a block takes one after another, together where they are of one sequence.
  QED_HOST_DEVICE std::int64_t rows_of_block() const {
    const std::int64_t group = a.heads / a.kv_heads;
    return a.pool != nullptr || group > kTileHeads ? 1 : kTileHeads / group;
  }
  std::int64_t num_blocks() const {
    const std::int64_t tiles = (a.rows + rows_of_block() - 1) / rows_of_block();
    return tiles * a.kv_heads * num_parts(a) * a.max_splits;
  }

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, float* shared) const {
    const AttentionBlock work(a, number);
    const std::int64_t first = work.tile * rows_of_block(), last = first + rows_of_block();
    const std::int64_t end = last < a.rows ? last : a.rows;
    for (std::int64_t row = first; row < end;) {
      Rows rows{row, 1, work.keys(a, row)};
      while (row + rows.count < end && a.sequence[row + rows.count] == a.sequence[row]) {
        const int keys = work.keys(a, row + rows.count);
        rows.keys = keys > rows.keys ? keys : rows.keys;
        ++rows.count;
      }
      row += rows.count;
      if (rows.keys > 0) attend(block, work, rows, shared);
    }
  }

 private:
  // Rows of one sequence, from `first` on, and how many keys of the split one of them sees at most.
  struct Rows {
    std::int64_t first;
    int count, keys;
  };

  template <class Block>
  QED_DEVICE void attend(const Block& block, const AttentionBlock& work, const Rows& rows,
                         float* shared) const {
    float *const maxima = shared + kWarps * kOutFloats, *const sums = maxima + kStatFloats;
    typename Block::template Own<Lane> own;

    block.each([&](int thread) { load_queries_and_keys(work, rows, thread, own(thread)); });
    block.template multiply<kPages * kSteps * 2>([&](int thread, int i) {
      Lane& lane = own(thread);
      const int page = i / (kSteps * 2), step = i / 2 % kSteps;
      return MmaStep{&lane.score[page][i % 2], lane.q[step], lane.kv[page][step][i % 2]};
    });
    block.each([&](int thread) {
      scale_scores(work, rows, thread, own(thread), maxima);
      load_values(work, rows, thread, own(thread));
    });
    block.each([&](int thread) { make_weights(thread, own(thread), maxima, sums); });
    block.template multiply<kPages * kSteps * 2>([&](int thread, int i) {
      Lane& lane = own(thread);
      const int page = i / (kSteps * 2), step = i / 2 % kSteps;
      return MmaStep{&lane.out[step][i % 2], lane.p[page], lane.kv[page][step][i % 2]};
    });
    block.each([&](int thread) { share_out(thread, own(thread), shared); });
    block.each([&](int thread) { write(work, rows, thread, shared, maxima, sums); });
  }

  struct Place {
    int warp, g, j;  // see mma.h
    QED_DEVICE explicit Place(int thread)
        : warp(thread / kWarp), g(thread % kWarp / 4), j(thread % 4) {}
    // The first of the four positions of a split whose scores the lane has, of one of its pages.
    QED_DEVICE int position(int page) const {
      return (warp * kPages + page) * static_cast<int>(kPageSlots) + 4 * j;
    }
  };

  // Words of two neighbours each, from four rows: fragment 0 takes the first of each, 1 the second.
  QED_DEVICE static void turn(const std::uint32_t (&word)[4], FragmentB (&to)[2]) {
    to[0] = {lower_halves(word[0], word[1]), lower_halves(word[2], word[3])};
    to[1] = {upper_halves(word[0], word[1]), upper_halves(word[2], word[3])};
  }

  QED_DEVICE void load_queries_and_keys(const AttentionBlock& work, const Rows& rows, int thread,
                                        Lane& lane) const {
    const Place place(thread);
    const Bfloat16* const q = static_cast<const Bfloat16*>(a.qkv);
    QED_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int r = place.g + 8 * half, row = r / work.heads;
      const Bfloat16* const from =
          row < rows.count ? q + work.query(a, rows.first + row) + r % work.heads * kDim : nullptr;
      QED_UNROLL
      for (int step = 0; step < kSteps; ++step) {
        QED_UNROLL
        for (int i = 0; i < 2; ++i) {
          const int d = 16 * step + 2 * place.j + 8 * i;
          lane.q[step].x[half + 2 * i] = from != nullptr ? pair_at(from + d) : 0;
        }
      }
    }
    const KeyPlaces<Bfloat16> places(a, rows.first, work.kv_head, work.begin);
    QED_UNROLL
    for (int page = 0; page < kPages; ++page) {
      const int first = place.position(page) - 4 * place.j;
      if (a.pool != nullptr) {
        load_page_of_keys(place, first < rows.keys ? places.key(first + 2 * place.g) : nullptr,
                          lane.kv[page]);
        continue;
      }
      QED_UNROLL
      for (int odd = 0; odd < 2; ++odd) {
        const int p = first + 2 * place.g + odd;
        load_key(place, p < rows.keys ? places.key(p) : nullptr, odd, lane.kv[page]);
      }
    }
  }

  // keys: that of position 2 g of a page, and so the word of each number also has the next one's.
  QED_DEVICE static void load_page_of_keys(const Place& place, const Bfloat16* keys,
                                           FragmentB (&to)[kSteps][2]) {
    QED_UNROLL
    for (int step = 0; step < kSteps; ++step) {
      std::uint32_t word[4];
      QED_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int d = 16 * step + 2 * place.j + i % 2 + i / 2 * 8;
        word[i] = keys != nullptr ? pair_at(keys + d * kPageSlots) : 0;
      }
      turn(word, to[step]);
    }
  }
  QED_DEVICE static void load_key(const Place& place, const Bfloat16* key, int odd,
                                  FragmentB (&to)[kSteps][2]) {
    QED_UNROLL
    for (int step = 0; step < kSteps; ++step) {
      QED_UNROLL
      for (int i = 0; i < 2; ++i) {
        to[step][odd].x[i] = key != nullptr ? pair_at(key + 16 * step + 2 * place.j + 8 * i) : 0;
      }
    }
  }

  // Words of positions that are not seen are 0: what lies there may be no number.
  QED_DEVICE void load_values(const AttentionBlock& work, const Rows& rows, int thread,
                              Lane& lane) const {
    const Place place(thread);
    const KeyPlaces<Bfloat16> places(a, rows.first, work.kv_head, work.begin);
    QED_UNROLL
    for (int page = 0; page < kPages; ++page) {
      const Bfloat16* value[4];
      QED_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int p = place.position(page) + i;
        value[i] = p < rows.keys ? places.value(p) + 2 * place.g : nullptr;
      }
      QED_UNROLL
      for (int step = 0; step < kSteps; ++step) {
        std::uint32_t word[4];
        QED_UNROLL
        for (int i = 0; i < 4; ++i) {
          word[i] = value[i] != nullptr ? pair_at(value[i] + 16 * step) : 0;
        }
        turn(word, lane.kv[page][step]);
      }
    }
  }

  // A lane has scores of the product's rows g and g + 8 with positions 4 j .. 4 j + 3 of its pages.
  QED_DEVICE static float& score(Lane& lane, int page, int row, int i) {
    return lane.score[page][i % 2].x[2 * row + i / 2];
  }

  QED_DEVICE void scale_scores(const AttentionBlock& work, const Rows& rows, int thread, Lane& lane,
                               float* maxima) const {
    const Place place(thread);
    QED_UNROLL
    for (int row = 0; row < 2; ++row) {
      const int r = (place.g + 8 * row) / work.heads;
      const int keys = r < rows.count ? work.keys(a, rows.first + r) : rows.keys;
      float max = -INFINITY;
      QED_UNROLL
      for (int i = 0; i < 4 * kPages; ++i) {
        float& s = score(lane, i / 4, row, i % 4);
        s = place.position(i / 4) + i % 4 < keys ? s * a.scale : -INFINITY;
        max = s > max ? s : max;
      }
      maxima[(place.g + 8 * row) * kStatStride + 4 * place.warp + place.j] = max;
    }
  }

  QED_DEVICE static void make_weights(int thread, Lane& lane, const float* maxima, float* sums) {
    const Place place(thread);
    QED_UNROLL
    for (int row = 0; row < 2; ++row) {
      const float* const of_row = maxima + (place.g + 8 * row) * kStatStride;
      float max = -INFINITY, sum = 0;
      QED_UNROLL
      for (int i = 0; i < kLanes; i += 4) {
        const Four of_lanes = *reinterpret_cast<const Four*>(of_row + i);
        QED_UNROLL
        for (const float x : of_lanes.x) max = x > max ? x : max;
      }
      QED_UNROLL
      for (int i = 0; i < 4 * kPages; ++i) {
        float& s = score(lane, i / 4, row, i % 4);
        s = std::exp(s - max);
        sum += s;
      }
      sums[(place.g + 8 * row) * kStatStride + 4 * place.warp + place.j] = sum;
      QED_UNROLL
      for (int page = 0; page < kPages; ++page) {
        QED_UNROLL
        for (int i = 0; i < 2; ++i) {
          lane.p[page].x[row + 2 * i] =
              rounded_pair(score(lane, page, row, 2 * i), score(lane, page, row, 2 * i + 1));
        }
      }
    }
  }

  QED_DEVICE static void share_out(int thread, const Lane& lane, float* shared) {
    const Place place(thread);
    QED_UNROLL
    for (int step = 0; step < kSteps; ++step) {
      QED_UNROLL
      for (int row = 0; row < 2; ++row) {
        const float *const even = lane.out[step][0].x + 2 * row, *const odd =
                                                                     lane.out[step][1].x + 2 * row;
        float* const to = shared + place.warp * kOutFloats + (place.g + 8 * row) * kOutStride;
        *reinterpret_cast<Four*>(to + 16 * step + 4 * place.j) = {even[0], odd[0], even[1], odd[1]};
      }
    }
  }

  QED_DEVICE void write(const AttentionBlock& work, const Rows& rows, int thread,
                        const float* shared, const float* maxima, const float* sums) const {
    for (int i = thread; i < rows.count * work.heads * kDim; i += kThreads) {
      const int r = i / kDim, d = i % kDim;
      const std::int64_t row = rows.first + r / work.heads;
      if (work.keys(a, row) <= 0) continue;
      float sum = 0;
      for (int w = 0; w < kWarps; ++w) sum += shared[w * kOutFloats + r * kOutStride + d];
      a.part[work.part(a, row, r % work.heads) * kDim + d] = sum;
    }
    const std::int64_t row = rows.first + thread / work.heads;
    if (thread >= rows.count * work.heads || work.keys(a, row) <= 0) return;
    float max = -INFINITY, sum = 0;
    for (int i = 0; i < kLanes; ++i) {
      const int of_lane = thread * kStatStride + i;
      max = maxima[of_lane] > max ? maxima[of_lane] : max;
      sum += sums[of_lane];
    }
    const std::int64_t part = work.part(a, row, thread % work.heads);
    a.part_max[part] = max;
    a.part_sum[part] = sum;
  }
};

}  // namespace qed::cuda
