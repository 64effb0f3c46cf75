#pragma once

// Products of two tiles in a block's shared memory, made by all its threads: kRows rows of up to
// kDim float32, kRows such that a tile has 4096. Each result is one chain of additions in ascending
// order.

#include "core/cuda/kernels/body.h"

namespace qed::cuda {

template <int kDim>
struct ProductTile {
  static constexpr int kRows = 4096 / kDim;
  // From row to row; 4 more than a power of 2, so that rows lie in other banks.
  static constexpr int kStride = kDim + 4, kWeightStride = kRows + 4;
  static constexpr std::int64_t kFloats = kRows * kStride, kWeightFloats = kRows * kWeightStride;
  static_assert(kThreads == 256 && kDim % 64 == 0 && kRows % 16 == 0);

  // A thread's scores are those of rows r + 16 i with columns c + 16 j, r and c from its number.
  static constexpr int kEach = kRows / 16;
  struct Scores {
    float x[kEach][kEach];
  };
  // Its sums are those of rows 4 r + i and columns 4 c + j.
  static constexpr int kFours = kDim / 4;  // of a row
  struct Sums {
    float x[4][4];
  };

  // The first `count` rows, of `dim` numbers each, row i from where row(i) points; the rest is 0.
  template <class Row>
  QED_DEVICE static void load(int thread, float* to, int count, int dim, const Row& row) {
    for (int i = thread; i < kRows * kDim; i += kThreads) {
      const int r = i / kDim, d = i % kDim;
      to[r * kStride + d] = r < count && d < dim ? to_float(row(r)[d]) : 0.0f;
    }
  }

  // scores = A B^T.
  QED_DEVICE static void multiply(int thread, const float* a, const float* b, int dim,
                                  Scores& scores) {
    const float *const row = a + thread / 16 * kStride, *const column = b + thread % 16 * kStride;
    Scores sum{};
    for (int d = 0; d < dim; d += 4) {
      Four x[kEach], y[kEach];
      QED_UNROLL
      for (int i = 0; i < kEach; ++i) {
        x[i] = *reinterpret_cast<const Four*>(row + 16 * i * kStride + d);
        y[i] = *reinterpret_cast<const Four*>(column + 16 * i * kStride + d);
      }
      QED_UNROLL
      for (int i = 0; i < kEach; ++i) {
        QED_UNROLL
        for (int j = 0; j < kEach; ++j) {
          QED_UNROLL
          for (int e = 0; e < 4; ++e) sum.x[i][j] += x[i].x[e] * y[j].x[e];
        }
      }
    }
    scores = sum;
  }

  // Calls f(i, j, row, column) for each of the thread's scores.
  template <class F>
  QED_DEVICE static void for_each_score(int thread, const F& f) {
    QED_UNROLL
    for (int i = 0; i < kEach; ++i) {
      QED_UNROLL
      for (int j = 0; j < kEach; ++j) f(i, j, thread / 16 + 16 * i, thread % 16 + 16 * j);
    }
  }

  // Puts the thread's scores where add() takes them: as they are, or turned.
  QED_DEVICE static void store_by_row(int thread, const Scores& scores, float* weights) {
    for_each_score(thread, [&](int i, int j, int row, int column) {
      weights[row * kWeightStride + column] = scores.x[i][j];
    });
  }
  QED_DEVICE static void store_by_column(int thread, const Scores& scores, float* weights) {
    for_each_score(thread, [&](int i, int j, int row, int column) {
      weights[column * kWeightStride + row] = scores.x[i][j];
    });
  }

  // sums += W^T B over the first `count` rows of both.
  QED_DEVICE static void add(int thread, const float* weights, const float* b, int count, int dim,
                             Sums& sums) {
    const float* const weight = weights + thread / kFours * 4;
    const float* const from = b + thread % kFours * 4;
    if (thread % kFours * 4 >= dim) return;
    Sums sum = sums;
    for (int k = 0; k < count; ++k) {
      const Four w = *reinterpret_cast<const Four*>(weight + k * kWeightStride);
      const Four x = *reinterpret_cast<const Four*>(from + k * kStride);
      QED_UNROLL
      for (int i = 0; i < 4; ++i) {
        QED_UNROLL
        for (int j = 0; j < 4; ++j) sum.x[i][j] += w.x[i] * x.x[j];
      }
    }
    sums = sum;
  }

  // Writes the first `count` rows times `scale`, row i to where row(i) points.
  template <class Row>
  QED_DEVICE static void store(int thread, const Sums& sums, int count, int dim, float scale,
                               const Row& row) {
    QED_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int r = thread / kFours * 4 + i;
      QED_UNROLL
      for (int j = 0; r < count && j < 4; ++j) {
        const int d = thread % kFours * 4 + j;
        if (d < dim) put(row(r)[d], sums.x[i][j] * scale);
      }
    }
  }
};

}  // namespace qed::cuda
