// The gemm micro-kernel: a tile of R rows times Q panels whose sums stay in registers.

#include "core/ops/isa/isa.h"
#include "core/ops/isa/vec.h"

namespace qed::ops::QED_ISA {

namespace {

typedef std::uint16_t Half __attribute__((vector_size(32), aligned(2), may_alias));
typedef std::uint32_t UVec __attribute__((vector_size(64)));

// A bfloat16 is the upper half of a float32.
inline Vec load(const std::uint16_t* p) {
  const UVec bits = __builtin_convertvector(*reinterpret_cast<const Half*>(p), UVec) << 16;
  Vec v;
  __builtin_memcpy(&v, &bits, sizeof v);
  return v;
}
using ops::load;

// Where the next panels lie: fetched to the second-level cache while this tile computes, so that
// the memory works on them during arithmetic.
struct Ahead {
  const char* at = nullptr;
  std::int64_t step = 0;  // bytes per k
};

// `a` is one block [depth][R], `a_step` numbers from k to k; only the first `rows` rows are stored.
// kWhole: all R of them, and whole panels.
template <int R, int Q, bool kWhole, class B>
inline void tile_of(const PackedGemm& g, const float* a, std::int64_t a_step, const B* b,
                 std::int64_t row, std::int64_t rows, std::int64_t panel, Ahead ahead) {
  const auto at = [&](int r, int q) { return g.c + (row + r) * g.c_row + (panel + q) * g.c_panel; };
  const auto lanes = [&](int q) { return kWhole ? kLanes : g.cols - (panel + q) * kLanes; };
  Vec acc[R][Q];
  for (int q = 0; q < Q; ++q) {
    const Vec start = g.bias != nullptr ? load(g.bias + (panel + q) * kLanes) : Vec{};
    for (int r = 0; r < R; ++r) {
      acc[r][q] = start;
      if (g.accumulate && (kWhole || r < rows)) {
        acc[r][q] = lanes(q) >= kLanes ? load(at(r, q)) : load_part(at(r, q), lanes(q));
      }
    }
  }
  for (std::int64_t k = 0; k < g.depth; ++k) {
    Vec column[Q];
    for (int q = 0; q < Q; ++q) column[q] = load(b + q * g.b_panel + k * g.b_depth);
    if (ahead.at != nullptr) {
      __builtin_prefetch(ahead.at + k * ahead.step, 0, 2);
    }
    for (int r = 0; r < R; ++r) {
      const Vec x = splat(a[k * a_step + r]);
      for (int q = 0; q < Q; ++q) acc[r][q] = x * column[q] + acc[r][q];
    }
  }
  for (int r = 0; r < R; ++r) {
    if (!kWhole && r >= rows) break;
    for (int q = 0; q < Q; ++q) {
      lanes(q) >= kLanes ? store(at(r, q), acc[r][q]) : store_part(at(r, q), acc[r][q], lanes(q));
    }
  }
}

template <int R, int Q, class B>
inline void tile(const PackedGemm& g, const float* a, std::int64_t a_step, const B* b,
                 std::int64_t row, std::int64_t rows, std::int64_t panel, Ahead ahead) {
  if (rows == R && g.cols >= (panel + Q) * kLanes) {
    tile_of<R, Q, true>(g, a, a_step, b, row, rows, panel, ahead);
  } else {
    tile_of<R, Q, false>(g, a, a_step, b, row, rows, panel, ahead);
  }
}

constexpr int kSums = QED_ISA_SUMS;  // sums that fit into the registers
constexpr int kStreams = 4;          // panels read side by side: more confuse the prefetcher

constexpr int panels_of(int rows) {
  const int fit = kSums / rows;
  return fit < 1 ? 1 : fit > kStreams ? kStreams : fit;
}

template <int n>
struct Width {
  static constexpr int value = n;
};

// Calls f with the tile width for `rows` rows as a constant.
template <class F>
inline void with_width(std::int64_t rows, F&& f) {
  const std::int64_t width = tile_width(rows, QED_ISA_ROWS);
  if (width == 1) return f(Width<1>{});
  if constexpr (QED_ISA_ROWS > 2) {
    if (width == 2) return f(Width<2>{});
  }
  if constexpr (QED_ISA_ROWS > 4) {
    if (width == 4) return f(Width<4>{});
  }
  if constexpr (QED_ISA_ROWS > 8) {
    if (width == 8) return f(Width<8>{});
  }
  f(Width<QED_ISA_ROWS>{});
}

// Fewer rows than a block: each panel is read once, several side by side.
template <class B>
void run_few(const PackedGemm& g, const B* b) {
  const std::int64_t panels = num_panels(g.cols);
  with_width(g.rows, [&](auto width) {
    constexpr int R = decltype(width)::value, Q = panels_of(R);
    std::int64_t p = 0;
    for (; p + Q <= panels; p += Q) tile<R, Q>(g, g.a, R, b + p * g.b_panel, 0, g.rows, p, {});
    for (; p < panels; ++p) tile<R, 1>(g, g.a, R, b + p * g.b_panel, 0, g.rows, p, {});
  });
}

// Panel by panel, each through all rows while it is in the cache.
template <class B>
void run(const PackedGemm& g, const B* b) {
  constexpr std::int64_t R = QED_ISA_ROWS;
  const std::int64_t whole = g.rows / R * R, panels = num_panels(g.cols);
  const std::int64_t step = g.a_step != 0 ? g.a_step : R, block = g.a_step != 0 ? R : R * g.depth;
  if (g.rows < R) return run_few(g, b);
  for (std::int64_t p = 0; p < panels; ++p) {
    const B* panel = b + p * g.b_panel;
    for (std::int64_t row = 0; row < whole; row += R) {
      Ahead ahead;
      if (row + R == whole && p + 1 < panels) {
        ahead = {reinterpret_cast<const char*>(panel + g.b_panel),
                 g.b_depth * static_cast<std::int64_t>(sizeof(B))};
      }
      tile<R, 1>(g, g.a + row / R * block, step, panel, row, R, p, ahead);
    }
    if (whole == g.rows) continue;
    with_width(g.rows - whole, [&](auto width) {
      tile<decltype(width)::value, 1>(g, g.a + whole * g.depth, decltype(width)::value, panel,
                                      whole, g.rows - whole, p, {});
    });
  }
}

// a0 b0 a1 b1 ... of the lower, and of the upper halves.
inline Vec zip_low(Vec a, Vec b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
inline Vec zip_high(Vec a, Vec b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                 31);
}

// Turns 16 rows of 16 numbers: four perfect shuffles, each of which moves one bit of an element's
// number from the column to the row.
inline void transpose(Vec (&v)[kLanes]) {
  for (int step = 0; step < 4; ++step) {
    Vec next[kLanes];
    for (int i = 0; i < 8; ++i) {
      next[2 * i] = zip_low(v[i], v[i + 8]);
      next[2 * i + 1] = zip_high(v[i], v[i + 8]);
    }
    for (int i = 0; i < kLanes; ++i) v[i] = next[i];
  }
}

// One block: from rows of A to [depth][R], zero for rows that are not there.
template <int R>
void pack_block(const float* a, std::int64_t a_row, std::int64_t a_col, std::int64_t rows,
                std::int64_t depth, float* packed) {
  if (R == kLanes && a_row == 1) {  // already in place: whole vectors
    for (std::int64_t k = 0; k < depth; ++k, packed += R) {
      store(packed, rows == R ? load(a + k * a_col) : load_part(a + k * a_col, rows));
    }
    return;
  }
  constexpr std::int64_t kStep = 16;  // of k: lines of A stay in the cache while they are cut
  std::int64_t k0 = 0;
  if constexpr (R == kLanes) {
    for (; a_col == 1 && k0 + kStep <= depth; k0 += kStep) {
      Vec v[kLanes];
      for (std::int64_t r = 0; r < R; ++r) v[r] = r < rows ? load(a + r * a_row + k0) : Vec{};
      transpose(v);
      for (std::int64_t k = 0; k < kStep; ++k) store(packed + (k0 + k) * R, v[k]);
    }
  }
  for (; k0 < depth; k0 += kStep) {
    const std::int64_t end = k0 + kStep < depth ? k0 + kStep : depth;
    for (std::int64_t r = 0; r < R; ++r) {
      for (std::int64_t k = k0; k < end; ++k) {
        packed[k * R + r] = r < rows ? a[r * a_row + k * a_col] : 0.0f;
      }
    }
  }
}

}  // namespace

void turn(const float* from, std::int64_t from_row, float* to, std::int64_t to_row) {
  Vec v[kLanes];
  for (int i = 0; i < kLanes; ++i) v[i] = load(from + i * from_row);
  transpose(v);
  for (int i = 0; i < kLanes; ++i) store(to + i * to_row, v[i]);
}

void gemm(const PackedGemm& g) { g.b_bfloat16 != nullptr ? run(g, g.b_bfloat16) : run(g, g.b); }

void pack(const float* a, std::int64_t a_row, std::int64_t a_col, std::int64_t rows,
          std::int64_t depth, float* packed) {
  constexpr std::int64_t R = QED_ISA_ROWS;
  for (; rows > 0; rows -= R, a += R * a_row, packed += R * depth) {
    with_width(rows, [&](auto width) {
      constexpr int W = decltype(width)::value;
      pack_block<W>(a, a_row, a_col, rows < W ? rows : W, depth, packed);
    });
  }
}

}  // namespace qed::ops::QED_ISA
