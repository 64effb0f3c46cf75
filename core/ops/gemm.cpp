#include "core/ops/gemm.h"

#include "core/util/half.h"
#include "core/util/parallel.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace qed::ops {

namespace {

constexpr std::int64_t kChunk = 384;  // rows packed at a time: a multiple of every kernel's block
constexpr std::int64_t kDepth = 512;  // depth that they go through at a time, where there are many
// Rows from which on the depth is cut. Multiply-adds, and numbers to pack, below which threads cost
// more than they give.
constexpr std::int64_t kManyRows = 64;
constexpr std::int64_t kSmall = 1 << 16, kSmallPack = 1 << 15;
// Rows for each thread from which on it packs its own; any block, where B stays in its cache.
constexpr std::int64_t kOwnRows = 96, kCachedWeight = 1 << 17;

void pack_all(const Gemm& g, const CpuKernels& kernels, float* packed) {
  const std::int64_t block = kernels.gemm_rows, blocks = (g.rows + block - 1) / block;
  const auto part = [&](std::int64_t begin, std::int64_t end) {
    kernels.pack(g.a + begin * block * g.a_row, g.a_row, g.a_col,
                 std::min(end * block, g.rows) - begin * block, g.depth,
                 packed + begin * block * g.depth);
  };
  if (g.rows * g.depth < kSmallPack) return part(0, blocks);
  parallel_for(blocks, 1, part);
}

// Panels [begin, end) of rows from `row` on.
void run_part(const PackedGemm& g, const CpuKernels& kernels, std::int64_t row, std::int64_t rows,
              std::int64_t begin, std::int64_t end) {
  PackedGemm part = g;
  part.a += g.a_step != 0 ? row : row * g.depth;
  part.rows = rows;
  part.cols = std::min(end * kLanes, g.cols) - begin * kLanes;
  if (g.b != nullptr) part.b += begin * g.b_panel;
  if (g.b_bfloat16 != nullptr) part.b_bfloat16 += begin * g.b_panel;
  part.c += row * g.c_row + begin * g.c_panel;
  if (g.bias != nullptr) part.bias += begin * kLanes;
  kernels.gemm(part);
}

// Cuts panels first, and rows only where there are fewer panels than threads want.
void run_all(const PackedGemm& g, const CpuKernels& kernels) {
  const std::int64_t panels = num_panels(g.cols);
  if (g.rows * g.cols * g.depth < kSmall) return kernels.gemm(g);
  const std::int64_t block = kernels.gemm_rows, blocks = (g.rows + block - 1) / block;
  const std::int64_t parts =
      std::clamp<std::int64_t>(2 * num_threads() / panels, 1, blocks);  // of the rows
  const std::int64_t step = (blocks + parts - 1) / parts * block;
  parallel_for(parts * panels, 1, [&](std::int64_t begin, std::int64_t end) {
    while (begin < end) {
      const std::int64_t part = begin / panels, row = part * step;
      const std::int64_t stop = std::min(end, (part + 1) * panels);
      if (row < g.rows) {
        run_part(g, kernels, row, std::min(step, g.rows - row), begin - part * panels,
                 stop - part * panels);
      }
      begin = stop;
    }
  });
}

// Kept buffers grow: allocating them anew would cost page faults.
void grow(std::vector<float>& buffer, std::int64_t size) {
  if (static_cast<std::int64_t>(buffer.size()) < size)
    buffer.resize(static_cast<std::size_t>(size));
}

// B, whose rows lie apart, as panels.
void pack_panels(const Gemm& g, float* panels) {
  const std::int64_t whole = g.cols / kLanes, left = g.cols % kLanes;
  const auto part = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      const float* from = g.b + k * g.b_depth;
      float* to = panels + k * kLanes;
      for (std::int64_t p = 0; p < whole; ++p) {
        std::memcpy(to + p * g.depth * kLanes, from + p * g.b_panel, kLanes * sizeof(float));
      }
      if (left == 0) continue;
      float* last = to + whole * g.depth * kLanes;
      std::fill(std::copy_n(from + whole * g.b_panel, left, last), last + kLanes, 0.0f);
    }
  };
  if (g.cols * g.depth < kSmallPack) return part(0, g.depth);
  parallel_for(g.depth, 16, part);
}

// All rows through one part of the depth; B is panels.
void run_depth(const Gemm& g, const CpuKernels& kernels) {
  thread_local std::vector<float> packed;
  PackedGemm task{.rows = 0,
                  .cols = g.cols,
                  .depth = g.depth,
                  .a = nullptr,
                  .a_step = 0,
                  .b = g.b,
                  .b_bfloat16 = g.b_bfloat16,
                  .b_panel = g.b_panel,
                  .b_depth = g.b_depth,
                  .c = nullptr,
                  .c_row = g.c_row,
                  .c_panel = g.c_panel,
                  .bias = g.bias,
                  .accumulate = g.accumulate};
  for (std::int64_t row = 0; row < g.rows; row += kChunk) {
    Gemm chunk = g;
    chunk.rows = task.rows = std::min(kChunk, g.rows - row);
    chunk.a += row * g.a_row;
    task.c = g.c + row * g.c_row;
    const std::int64_t block = kernels.gemm_rows;
    if (task.rows == 1 && g.a_col == 1) {  // a packed row is the row itself
      task.a = chunk.a;
    } else if (g.a_row == 1 && task.rows % block == 0) {
      task.a = chunk.a;
      task.a_step = g.a_col;
    } else {
      task.a_step = 0;
      grow(packed, (task.rows + block - 1) / block * block * g.depth);
      pack_all(chunk, kernels, packed.data());
      task.a = packed.data();
    }
    run_all(task, kernels);
  }
}

// Part by part of the depth. All threads share the packed parts, or it is a piece of one thread.
void run_whole(const Gemm& g, const CpuKernels& kernels) {
  // Chains go on where a part of the depth ends, so the cut changes no bit. A part of A stays in
  // the second-level cache.
  const std::int64_t parts = g.rows < kManyRows ? 1 : (g.depth + kDepth - 1) / kDepth;
  const std::int64_t step = parts > 1 ? (g.depth + parts - 1) / parts : g.depth;
  thread_local std::vector<float> panels;
  Gemm part = g;
  for (std::int64_t k = 0; k < g.depth; k += step) {
    part.depth = std::min(step, g.depth - k);
    part.a = g.a + k * g.a_col;
    if (g.b != nullptr) part.b = g.b + k * g.b_depth;
    if (g.b_bfloat16 != nullptr) part.b_bfloat16 = g.b_bfloat16 + k * g.b_depth;
    if (g.b_depth != kLanes) {
      grow(panels, num_panels(g.cols) * part.depth * kLanes);
      pack_panels(part, panels.data());
      part.b = panels.data();
      part.b_panel = part.depth * kLanes;
      part.b_depth = kLanes;
    }
    run_depth(part, kernels);
    part = g;
    part.bias = nullptr;
    part.accumulate = true;
  }
}

// Rows and panels of C in one piece of work.
struct Cut {
  std::int64_t rows, panels;
};

// Pieces that pack for themselves wait for each other once, at the end; what they pack twice must
// cost little beside what they multiply.
Cut cut_of(const Gemm& g, std::int64_t block) {
  const std::int64_t panels = num_panels(g.cols), want = 4 * num_threads();
  const Cut whole{g.rows, panels};
  if (num_threads() == 1 || g.rows * g.cols * g.depth < kSmall) return whole;
  const auto up = [](std::int64_t n, std::int64_t d) { return (n + d - 1) / d; };
  if (g.b_depth == kLanes) {  // panels in place, A packed: rows are cut
    const std::int64_t least = g.cols * g.depth <= kCachedWeight ? block : kOwnRows;
    if (g.rows < num_threads() * least) return whole;
    return {std::clamp(up(up(g.rows, want), block) * block, least, kChunk), panels};
  }
  const std::int64_t parts = std::max<std::int64_t>(1, want / panels);
  return {up(up(g.rows, parts), block) * block, up(panels, want)};
}

Gemm piece(const Gemm& g, std::int64_t row, std::int64_t panel, const Cut& cut) {
  Gemm part = g;
  part.rows = std::min(cut.rows, g.rows - row);
  part.cols = std::min(cut.panels * kLanes, g.cols - panel * kLanes);
  part.a += row * g.a_row;
  if (g.b != nullptr) part.b += panel * g.b_panel;
  if (g.b_bfloat16 != nullptr) part.b_bfloat16 += panel * g.b_panel;
  part.c += row * g.c_row + panel * g.c_panel;
  if (g.bias != nullptr) part.bias += panel * kLanes;
  return part;
}

template <class Number, class Convert>
void scatter(const float* from, std::int64_t rows, std::int64_t depth, Number* panels,
             std::int64_t first_row, Convert&& convert) {
  std::int64_t r = 0;
  while (r < rows) {
    Number* to = panels + panel_row(first_row + r, depth);
    const std::int64_t lane = (first_row + r) % kLanes;
    const std::int64_t count = std::min(kLanes - lane, rows - r);
    for (std::int64_t k = 0; k < depth; ++k) {  // so that a cache line is written once
      for (std::int64_t l = 0; l < count; ++l) {
        to[k * kLanes + l] = convert(from[(r + l) * depth + k]);
      }
    }
    r += count;
  }
}

template <class Number, class Convert>
void gather(const Number* panels, std::int64_t first_row, std::int64_t rows, std::int64_t depth,
            float* to, Convert&& convert) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const Number* row = panels + panel_row(first_row + r, depth);
    for (std::int64_t k = 0; k < depth; ++k) to[r * depth + k] = convert(row[k * kLanes]);
  }
}

float as_float32(float x) { return x; }
float as_float32(std::uint16_t x) { return from_bfloat16(x); }

// `square` gives 16 x 16 neighbouring numbers as float32, in the scratch where they are not.
template <class Number, class Square>
const float* transpose(const Number* panels, std::int64_t n, std::int64_t depth, Square&& square) {
  thread_local std::vector<float> turned;
  grow(turned, num_panels(depth) * n * kLanes);
  float* out = turned.data();
  if (depth % kLanes != 0) std::fill_n(out + depth / kLanes * n * kLanes, n * kLanes, 0.0f);
  const auto panel = [&](std::int64_t p) {
    alignas(64) float scratch[kLanes * kLanes];
    const std::int64_t lanes = std::min(kLanes, n - p * kLanes);
    const Number* from = panels + p * depth * kLanes;
    const std::int64_t whole = lanes == kLanes ? depth / kLanes * kLanes : 0;
    for (std::int64_t k = 0; k < whole; k += kLanes) {
      cpu_kernels().turn(square(from + k * kLanes, scratch), kLanes,
                         out + (k * n + p * kLanes * kLanes), kLanes);
    }
    for (std::int64_t k = whole; k < depth; ++k) {
      float* to = out + (k / kLanes * n + p * kLanes) * kLanes + k % kLanes;
      for (std::int64_t l = 0; l < lanes; ++l) to[l * kLanes] = as_float32(from[k * kLanes + l]);
    }
  };
  parallel_for(num_panels(n), 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) panel(p);
  });
  return out;
}

}  // namespace

void gemm(const Gemm& g, const CpuKernels& kernels) {
  const Cut cut = cut_of(g, kernels.gemm_rows);
  const std::int64_t row_pieces = (g.rows + cut.rows - 1) / cut.rows;
  const std::int64_t panel_pieces = (num_panels(g.cols) + cut.panels - 1) / cut.panels;
  if (row_pieces * panel_pieces == 1) return run_whole(g, kernels);
  parallel_for(row_pieces * panel_pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      run_whole(piece(g, i / panel_pieces * cut.rows, i % panel_pieces * cut.panels, cut), kernels);
    }
  });
}

void to_panels(const float* from, std::int64_t rows, std::int64_t depth, float* panels,
               std::int64_t first_row) {
  scatter(from, rows, depth, panels, first_row, [](float x) { return x; });
}

void to_panels(const float* from, std::int64_t rows, std::int64_t depth, std::uint16_t* panels,
               std::int64_t first_row) {
  scatter(from, rows, depth, panels, first_row, to_bfloat16);
}

void from_panels(const float* panels, std::int64_t first_row, std::int64_t rows, std::int64_t depth,
                 float* to) {
  gather(panels, first_row, rows, depth, to, [](float x) { return x; });
}

void from_panels(const std::uint16_t* panels, std::int64_t first_row, std::int64_t rows,
                 std::int64_t depth, float* to) {
  gather(panels, first_row, rows, depth, to, from_bfloat16);
}

const float* transpose_panels(const float* panels, std::int64_t n, std::int64_t depth) {
  return transpose(panels, n, depth, [](const float* from, float*) { return from; });
}

const float* transpose_panels(const std::uint16_t* panels, std::int64_t n, std::int64_t depth) {
  return transpose(panels, n, depth, [](const std::uint16_t* from, float* scratch) {
    for (std::int64_t i = 0; i < kLanes * kLanes; ++i) scratch[i] = from_bfloat16(from[i]);
    return static_cast<const float*>(scratch);
  });
}

}  // namespace qed::ops
