#pragma once

// Bodies of the backward of packed attention. The probabilities are made again from lse, and delta
// is the sum of out * dout of a row and head: Dao, "FlashAttention-2" (2023), algorithm 2. One pass
// takes tiles of queries and adds up dq over their keys, one takes tiles of keys and adds up dk and
// dv over the queries that see them: those of the sequence itself, then of its children, head by
// head. Every sum is one chain in that order, so that a gradient's bits depend neither on tiles nor
// on what else is in the batch.

#include "core/cuda/kernels/packed_sequence.h"
#include "core/cuda/kernels/product_tile.h"
#include "core/cuda/train_args.h"

#include <cmath>

namespace qed::cuda {

// Where the rows of the arguments lie.
template <class T>
struct GradientRows {
  const AttentionBackwardArgs& a;

  QED_DEVICE std::int64_t width() const { return (a.heads + 2 * a.kv_heads) * a.dim; }
  QED_DEVICE std::int64_t key(std::int64_t kv_head) const { return (a.heads + kv_head) * a.dim; }
  QED_DEVICE std::int64_t value(std::int64_t kv_head) const { return key(a.kv_heads + kv_head); }
  QED_DEVICE const T* qkv(std::int64_t row) const {
    return static_cast<const T*>(a.qkv) + row * width();
  }
  QED_DEVICE T* dqkv(std::int64_t row) const { return static_cast<T*>(a.dqkv) + row * width(); }
  QED_DEVICE const T* dout(std::int64_t row, std::int64_t head) const {
    return static_cast<const T*>(a.dout) + (row * a.heads + head) * a.dim;
  }
};

// Tiles of `size` rows, each of one sequence: those of b are numbered from offset[b] / size + b on.
// That leaves room for all of them, a number too many at most, and needs no table.
inline std::int64_t num_row_tiles(const AttentionBackwardArgs& a, std::int64_t size) {
  return a.rows / size + a.sequences;
}

struct RowTile {
  std::int64_t b, first;  // of the sequence's rows; not below its length: an empty tile
};

QED_DEVICE inline RowTile row_tile(const AttentionBackwardArgs& a, std::int64_t size,
                                   std::int64_t number) {
  std::int64_t b = 0, end = a.sequences;
  while (end - b > 1) {
    const std::int64_t middle = (b + end) / 2;
    (a.offset[middle] / size + middle <= number ? b : end) = middle;
  }
  return {b, (number - a.offset[b] / size - b) * size};
}

// i = row * heads + head.
template <class T>
struct DeltaBody {
  AttentionBackwardArgs a;

  std::int64_t size() const { return a.rows * a.heads; }
  QED_DEVICE void operator()(std::int64_t i) const {
    const T* const out = static_cast<const T*>(a.out) + i * a.dim;
    const T* const dout = static_cast<const T*>(a.dout) + i * a.dim;
    float sum = 0;
    for (std::int64_t d = 0; d < a.dim; ++d) sum += to_float(out[d]) * to_float(dout[d]);
    a.delta[i] = sum;
  }
};

// What a block has of its queries and keys, and how it comes there; heads of up to kDim numbers.
template <class T, int kDim>
struct AttentionTiles {
  using Tile = ProductTile<kDim>;
  static constexpr std::int64_t kFloats = 4 * Tile::kFloats + Tile::kWeightFloats + 2 * Tile::kRows;

  const AttentionBackwardArgs& a;
  float *q, *dout, *k, *v, *weights, *lse, *delta;

  QED_DEVICE AttentionTiles(const AttentionBackwardArgs& args, float* shared)
      : a(args),
        q(shared),
        dout(q + Tile::kFloats),
        k(dout + Tile::kFloats),
        v(k + Tile::kFloats),
        weights(v + Tile::kFloats),
        lse(weights + Tile::kWeightFloats),
        delta(lse + Tile::kRows) {}

  // One head of `count` rows from `row` on.
  QED_DEVICE void load_queries(int thread, std::int64_t row, int count, std::int64_t head) const {
    const GradientRows<T> rows{a};
    const int dim = static_cast<int>(a.dim);
    Tile::load(thread, q, count, dim, [&](int i) { return rows.qkv(row + i) + head * a.dim; });
    Tile::load(thread, dout, count, dim, [&](int i) { return rows.dout(row + i, head); });
    if (thread >= count) return;
    lse[thread] = a.lse[(row + thread) * a.heads + head];
    delta[thread] = a.delta[(row + thread) * a.heads + head];
  }

  // `count` positions of a sequence, from `first` on.
  QED_DEVICE void load_keys(int thread, const PackedSequence& s, std::int64_t first, int count,
                            std::int64_t kv_head) const {
    const GradientRows<T> rows{a};
    const int dim = static_cast<int>(a.dim);
    const std::int64_t key = rows.key(kv_head), value = rows.value(kv_head);
    Tile::load(thread, k, count, dim, [&](int i) { return rows.qkv(s.row(first + i)) + key; });
    Tile::load(thread, v, count, dim, [&](int i) { return rows.qkv(s.row(first + i)) + value; });
  }

  // A thread's part of the probabilities p[query][key] and of their gradient, before the scale.
  // Query i sees the first visible + i keys of the tile.
  QED_DEVICE void weigh(int thread, int queries, int keys, std::int64_t visible,
                        typename Tile::Scores& p, typename Tile::Scores& ds) const {
    const int dim = static_cast<int>(a.dim);
    Tile::multiply(thread, q, k, dim, p);
    Tile::multiply(thread, dout, v, dim, ds);
    Tile::for_each_score(thread, [&](int i, int j, int query, int key) {
      const bool is_seen = query < queries && key < keys && key < visible + query;
      p.x[i][j] = is_seen ? std::exp(p.x[i][j] * a.scale - lse[query]) : 0.0f;
      ds.x[i][j] = is_seen ? p.x[i][j] * (ds.x[i][j] - delta[query]) : 0.0f;
    });
  }

  QED_DEVICE static int rows_of_tile(std::int64_t left) {
    return static_cast<int>(left < Tile::kRows ? left : Tile::kRows);
  }
};

// Blocks: tiles of queries, and of each all heads.
template <class T, int kDim>
struct QueryGradientBody {
  using Shared = float;
  using Tiles = AttentionTiles<T, kDim>;
  using Tile = typename Tiles::Tile;
  static constexpr std::int64_t kShared = Tiles::kFloats;
  AttentionBackwardArgs a;

  std::int64_t num_blocks() const { return num_row_tiles(a, Tile::kRows) * a.heads; }

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, float* shared) const {
    const std::int64_t head = number % a.heads, kv_head = head / (a.heads / a.kv_heads);
    const RowTile tile = row_tile(a, Tile::kRows, number / a.heads);
    const PackedSequence s(a.offset, a.prefix, tile.b);
    if (tile.first >= s.length) return;
    const Tiles tiles(a, shared);
    const int queries = Tiles::rows_of_tile(s.length - tile.first);
    const std::int64_t row = s.begin + tile.first, position = s.before + tile.first;
    typename Block::template Own<typename Tile::Sums> dq;

    block.each([&](int thread) { tiles.load_queries(thread, row, queries, head); });
    for (std::int64_t key = 0; key < position + queries; key += Tile::kRows) {
      const int keys = Tiles::rows_of_tile(position + queries - key);
      block.each([&](int thread) { tiles.load_keys(thread, s, key, keys, kv_head); });
      block.each([&](int thread) {
        typename Tile::Scores p, ds;
        tiles.weigh(thread, queries, keys, position - key + 1, p, ds);
        Tile::store_by_column(thread, ds, tiles.weights);
      });
      block.each([&](int thread) {
        Tile::add(thread, tiles.weights, tiles.k, keys, static_cast<int>(a.dim), dq(thread));
      });
    }
    block.each([&](int thread) {
      const GradientRows<T> rows{a};
      Tile::store(thread, dq(thread), queries, static_cast<int>(a.dim), a.scale,
                  [&](int i) { return rows.dqkv(row + i) + head * a.dim; });
    });
  }
};

// Blocks: tiles of keys, and of each all heads of keys.
template <class T, int kDim>
struct KeyGradientBody {
  using Shared = float;
  using Tiles = AttentionTiles<T, kDim>;
  using Tile = typename Tiles::Tile;
  static constexpr std::int64_t kShared = Tiles::kFloats;
  AttentionBackwardArgs a;

  struct Sums {
    typename Tile::Scores ds;
    typename Tile::Sums dk, dv;
  };

  std::int64_t num_blocks() const { return num_row_tiles(a, Tile::kRows) * a.kv_heads; }

  template <class Block>
  QED_DEVICE void operator()(const Block& block, std::int64_t number, float* shared) const {
    const std::int64_t kv_head = number % a.kv_heads, group = a.heads / a.kv_heads;
    const RowTile tile = row_tile(a, Tile::kRows, number / a.kv_heads);
    const PackedSequence s(a.offset, a.prefix, tile.b);
    if (tile.first >= s.length) return;
    const Tiles tiles(a, shared);
    const int keys = Tiles::rows_of_tile(s.length - tile.first);
    typename Block::template Own<Sums> own;

    block.each(
        [&](int thread) { tiles.load_keys(thread, s, s.before + tile.first, keys, kv_head); });
    // The sequence itself, whose rows see those up to themselves, then who has it for a prefix.
    for (std::int64_t i = a.child_first[tile.b] - 1; i < a.child_first[tile.b + 1]; ++i) {
      const bool is_own = i < a.child_first[tile.b];
      const std::int64_t b = is_own ? tile.b : a.child[i];
      const std::int64_t begin = a.offset[b], length = a.offset[b + 1] - begin;
      for (std::int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
        for (std::int64_t q = is_own ? tile.first : 0; q < length; q += Tile::kRows) {
          add_queries(block, tiles, begin + q, Tiles::rows_of_tile(length - q), head, keys,
                      is_own ? q - tile.first + 1 : Tile::kRows, own);
        }
      }
    }
    block.each([&](int thread) {
      const GradientRows<T> rows{a};
      const int dim = static_cast<int>(a.dim);
      const std::int64_t row = s.begin + tile.first;
      Tile::store(thread, own(thread).dk, keys, dim, a.scale,
                  [&](int i) { return rows.dqkv(row + i) + rows.key(kv_head); });
      Tile::store(thread, own(thread).dv, keys, dim, 1,
                  [&](int i) { return rows.dqkv(row + i) + rows.value(kv_head); });
    });
  }

 private:
  // Adds what `queries` rows from `row` on, which see visible, visible + 1, .. keys, make of them.
  template <class Block, class Own>
  QED_DEVICE void add_queries(const Block& block, const Tiles& tiles, std::int64_t row, int queries,
                              std::int64_t head, int keys, std::int64_t visible, Own& own) const {
    const int dim = static_cast<int>(a.dim);
    block.each([&](int thread) { tiles.load_queries(thread, row, queries, head); });
    block.each([&](int thread) {
      typename Tile::Scores p;
      tiles.weigh(thread, queries, keys, visible, p, own(thread).ds);
      Tile::store_by_row(thread, p, tiles.weights);
    });
    block.each([&](int thread) {
      Tile::add(thread, tiles.weights, tiles.dout, queries, dim, own(thread).dv);
    });
    block.each([&](int thread) { Tile::store_by_row(thread, own(thread).ds, tiles.weights); });
    block.each([&](int thread) {
      Tile::add(thread, tiles.weights, tiles.q, queries, dim, own(thread).dk);
    });
  }
};

}  // namespace qed::cuda
