#pragma once

// The two passes of attention_backward.h on tensor cores, for bfloat16. The probabilities and their
// gradients are rounded to bfloat16 for the products that add up; a sum is a chain of products over
// 16 rows each, which are counted from the begin of a sequence, whatever else is in the batch.

#include "core/cuda/kernels/attention_backward.h"
#include "core/cuda/kernels/attention_mma_tiles.h"

namespace qed::cuda {

// Blocks: tiles of queries, and of each all heads.
template <int kDim>
struct QueryGradientMmaBody {
  using Tiles = AttentionMmaTiles<kDim>;
  using Shared = float;
  static constexpr std::int64_t kShared = 2 * Tiles::kFloats;
  AttentionBackwardArgs a;

  struct Lane {
    typename Tiles::Rows rows;
    typename Tiles::Sums dq;
    float lse[2], delta[2];
  };

  std::int64_t num_blocks() const { return num_row_tiles(a, Tiles::kRows) * a.heads; }

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, float* shared) const {
    const std::int64_t head = number % a.heads, kv_head = head / (a.heads / a.kv_heads);
    const RowTile tile = row_tile(a, Tiles::kRows, number / a.heads);
    const PackedSequence s(a.offset, a.prefix, tile.b);
    if (tile.first >= s.length) return;
    const GradientRows<Bfloat16> rows{a};
    const std::int64_t left = s.length - tile.first, row = s.begin + tile.first;
    const int queries = static_cast<int>(left < Tiles::kRows ? left : Tiles::kRows);
    auto *const k = reinterpret_cast<Bfloat16*>(shared), *const v = k + 2 * Tiles::kFloats;
    typename Block::template Own<Lane> own;

    block.each_alone([&](int thread) { load_queries(thread, row, queries, head, own(thread)); });
    const std::int64_t position = s.before + tile.first, end = position + queries;
    for (std::int64_t key = 0; key < end; key += Tiles::kColumns) {
      const int keys = static_cast<int>(end - key < Tiles::kColumns ? end - key : Tiles::kColumns);
      block.each([&](int thread) {
        const auto at = [&](int i) { return rows.qkv(s.row(key + i)); };
        Tiles::load_columns(thread, keys, k, [&](int i) { return at(i) + rows.key(kv_head); });
        Tiles::load_columns(thread, keys, v, [&](int i) { return at(i) + rows.value(kv_head); });
      });
      for (int c = 0; c < keys; c += 16) {
        Tiles::make_scores(block, own, k, v, c);
        block.each_alone([&](int thread) {
          Lane& lane = own(thread);
          Tiles::weigh(thread, lane.rows, a.scale, [&](int i, int query, int column) {
            const bool is_seen = query < queries && key + c + column <= position + query;
            return typename Tiles::Seen{is_seen, lane.lse[i], lane.delta[i]};
          });
        });
        block.template multiply<2 * Tiles::kSteps>([&](int thread, int i) {
          Lane& lane = own(thread);
          return MmaStep{&lane.dq.x[i / 2][i % 2], lane.rows.ds,
                         Tiles::turned(thread, k, c, i / 2, i % 2)};
        });
      }
      block.each([](int) {});
    }
    block.each_alone([&](int thread) {
      Tiles::store(thread, queries, own(thread).dq, a.scale,
                   [&](int i) { return rows.dqkv(row + i) + head * kDim; });
    });
  }

 private:
  QED_DEVICE void load_queries(int thread, std::int64_t row, int queries, std::int64_t head,
                               Lane& lane) const {
    const GradientRows<Bfloat16> rows{a};
    Tiles::load_rows(thread, queries, lane.rows.x[0],
                     [&](int i) { return rows.qkv(row + i) + head * kDim; });
    Tiles::load_rows(thread, queries, lane.rows.x[1],
                     [&](int i) { return rows.dout(row + i, head); });
    QED_UNROLL
    for (int i = 0; i < 2; ++i) {
      const int r = Tiles::row_of(thread, i);
      const std::int64_t at = (row + r) * a.heads + head;
      lane.lse[i] = r < queries ? a.lse[at] : 0.0f;
      lane.delta[i] = r < queries ? a.delta[at] : 0.0f;
    }
  }
};

// Blocks: tiles of keys, and of each all heads of keys.
template <int kDim>
struct KeyGradientMmaBody {
  using Tiles = AttentionMmaTiles<kDim>;
  using Shared = float;
  static constexpr std::int64_t kShared = 2 * Tiles::kFloats + 2 * Tiles::kColumns;
  AttentionBackwardArgs a;

  struct Lane {
    typename Tiles::Rows rows;
    typename Tiles::Sums dk, dv;
  };

  std::int64_t num_blocks() const { return num_row_tiles(a, Tiles::kRows) * a.kv_heads; }

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, float* shared) const {
    const std::int64_t kv_head = number % a.kv_heads, group = a.heads / a.kv_heads;
    const RowTile tile = row_tile(a, Tiles::kRows, number / a.kv_heads);
    const PackedSequence s(a.offset, a.prefix, tile.b);
    if (tile.first >= s.length) return;
    const GradientRows<Bfloat16> rows{a};
    const std::int64_t left = s.length - tile.first, row = s.begin + tile.first;
    const int keys = static_cast<int>(left < Tiles::kRows ? left : Tiles::kRows);
    typename Block::template Own<Lane> own;

    block.each_alone([&](int thread) {
      auto& x = own(thread).rows.x;
      Tiles::load_rows(thread, keys, x[0],
                       [&](int i) { return rows.qkv(row + i) + rows.key(kv_head); });
      Tiles::load_rows(thread, keys, x[1],
                       [&](int i) { return rows.qkv(row + i) + rows.value(kv_head); });
    });
    // The sequence itself, whose rows see those up to themselves, then who has it for a prefix.
    for (std::int64_t i = a.child_first[tile.b] - 1; i < a.child_first[tile.b + 1]; ++i) {
      const bool is_own = i < a.child_first[tile.b];
      const std::int64_t b = is_own ? tile.b : a.child[i];
      const std::int64_t begin = a.offset[b], length = a.offset[b + 1] - begin;
      for (std::int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
        for (std::int64_t q = is_own ? tile.first : 0; q < length; q += Tiles::kColumns) {
          const std::int64_t rest = length - q;
          add_queries(block, own, shared, begin + q,
                      static_cast<int>(rest < Tiles::kColumns ? rest : Tiles::kColumns), head, keys,
                      is_own ? static_cast<int>(q - tile.first) : Tiles::kRows);
        }
      }
    }
    block.each_alone([&](int thread) {
      Tiles::store(thread, keys, own(thread).dk, a.scale,
                   [&](int r) { return rows.dqkv(row + r) + rows.key(kv_head); });
      Tiles::store(thread, keys, own(thread).dv, 1,
                   [&](int r) { return rows.dqkv(row + r) + rows.value(kv_head); });
    });
  }

 private:
  // Adds what `queries` rows from `row` on make of the keys, of which they see all up to `last`,
  // `last` + 1, ..
  template <class Block, class Own>
  QED_DEVICE void add_queries(const Block& block, Own& own, float* shared, std::int64_t row,
                              int queries, std::int64_t head, int keys, int last) const {
    auto *const q = reinterpret_cast<Bfloat16*>(shared), *const dout = q + 2 * Tiles::kFloats;
    float *const lse = shared + 2 * Tiles::kFloats, *const delta = lse + Tiles::kColumns;
    block.each([&](int thread) {
      const GradientRows<Bfloat16> rows{a};
      Tiles::load_columns(thread, queries, q,
                          [&](int i) { return rows.qkv(row + i) + head * kDim; });
      Tiles::load_columns(thread, queries, dout, [&](int i) { return rows.dout(row + i, head); });
      if (thread >= queries) return;
      lse[thread] = a.lse[(row + thread) * a.heads + head];
      delta[thread] = a.delta[(row + thread) * a.heads + head];
    });
    for (int c = 0; c < queries; c += 16) {
      Tiles::make_scores(block, own, q, dout, c);
      block.each_alone([&](int thread) {
        Tiles::weigh(thread, own(thread).rows, a.scale, [&](int, int key, int column) {
          const int query = c + column;
          if (query >= queries || key >= keys || key > last + query) {
            return typename Tiles::Seen{false, 0, 0};
          }
          return typename Tiles::Seen{true, lse[query], delta[query]};
        });
      });
      block.template multiply<4 * Tiles::kSteps>([&](int thread, int i) {
        Lane& lane = own(thread);
        const int step = i / 2 % Tiles::kSteps, odd = i % 2;
        if (i < 2 * Tiles::kSteps) {
          return MmaStep{&lane.dv.x[step][odd], lane.rows.p,
                         Tiles::turned(thread, dout, c, step, odd)};
        }
        return MmaStep{&lane.dk.x[step][odd], lane.rows.ds, Tiles::turned(thread, q, c, step, odd)};
      });
    }
    block.each([](int) {});
  }
};

}  // namespace qed::cuda
