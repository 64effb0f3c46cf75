// Rows of a checkpoint's tensors, to and from the flat buffers; and new weights.

#include "core/model/weights.h"
#include "core/ops/device.h"
#include "core/ops/gemm.h"
#include "core/util/half.h"
#include "core/util/parallel.h"

#include "qed/philox.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace qed {

namespace {

// One draw of N(0, 1): Box-Muller on the i-th counter of the tensor's key.
double normal(std::uint64_t key, std::uint64_t i) {
  const auto bits = philox(key, i);
  const double u = (((std::uint64_t{bits[1]} << 32 | bits[0]) >> 11) + 1) * 0x1p-53;  // (0, 1]
  const double angle = (std::uint64_t{bits[3]} << 32 | bits[2]) * 0x1p-64;
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * angle);
}

// A run of rows of one tensor.
struct Piece {
  std::size_t tensor;
  std::int64_t first_row, num_rows;
};

// All tensors in pieces, for threads to take.
std::vector<Piece> pieces(const std::vector<TensorSpec>& specs) {
  std::vector<Piece> out;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const std::int64_t step = rows_per_piece(specs[i]);
    for (std::int64_t row = 0; row < specs[i].rows(); row += step) {
      out.push_back({i, row, std::min(step, specs[i].rows() - row)});
    }
  }
  return out;
}

// Calls body(piece, scratch) for every piece, on all threads.
template <class Body>
void for_each_piece(const std::vector<TensorSpec>& specs, Body&& body) {
  const std::vector<Piece> all = pieces(specs);
  parallel_for(static_cast<std::int64_t>(all.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> scratch;
    for (std::int64_t i = begin; i < end; ++i) {
      const Piece& piece = all[static_cast<std::size_t>(i)];
      scratch.resize(static_cast<std::size_t>(piece.num_rows * specs[piece.tensor].row_length()));
      body(piece, scratch);
    }
  });
}

}  // namespace

// Row-major numbers of one tensor, as a GPU keeps them.
at::Tensor Weights::on_device(const at::Tensor& flat, std::size_t part, std::int64_t first_row,
                              std::int64_t num_rows) const {
  const Part& p = parts_[part];
  const std::int64_t first = (p.first_row + first_row) * p.depth;
  if (!p.is_matrix) return flat.narrow(0, p.offset + first, specs_[part].numel());
  if (!is_half(true)) return flat.narrow(0, p.offset + first, num_rows * p.depth);
  return flat.view(at::kBFloat16).narrow(0, 2 * p.offset + first, num_rows * p.depth);
}

void Weights::get(const at::Tensor& flat, std::size_t part, std::int64_t first_row,
                  std::int64_t num_rows, float* out) const {
  if (ops::device() != nullptr) {
    const at::Tensor from = on_device(flat, part, first_row, num_rows);
    if (from.scalar_type() == at::kFloat) return ops::device()->read(from, out);
    std::vector<std::uint16_t> half(static_cast<std::size_t>(from.numel()));
    ops::device()->read(from, half.data());
    std::ranges::transform(half, out, from_bfloat16);
    return;
  }
  const Part& p = parts_[part];
  const float* from = flat.const_data_ptr<float>() + p.offset;
  const std::int64_t row = p.first_row + first_row;
  if (!p.is_matrix) {
    std::copy_n(from + row, specs_[part].numel(), out);
  } else if (is_half(true)) {
    ops::from_panels(reinterpret_cast<const std::uint16_t*>(from), row, num_rows, p.depth, out);
  } else {
    ops::from_panels(from, row, num_rows, p.depth, out);
  }
}

void Weights::put(const float* from, std::size_t part, std::int64_t first_row,
                  std::int64_t num_rows, at::Tensor& flat) const {
  if (ops::device() != nullptr) {
    const at::Tensor to = on_device(flat, part, first_row, num_rows);
    if (to.scalar_type() == at::kFloat) return ops::device()->write(to, from);
    std::vector<std::uint16_t> half(static_cast<std::size_t>(to.numel()));
    std::transform(from, from + to.numel(), half.begin(), to_bfloat16);
    return ops::device()->write(to, half.data());
  }
  const Part& p = parts_[part];
  float* to = flat.data_ptr<float>() + p.offset;
  const std::int64_t row = p.first_row + first_row;
  if (!p.is_matrix) {
    std::copy_n(from, specs_[part].numel(), to + row);
  } else if (is_half(true)) {
    ops::to_panels(from, num_rows, p.depth, reinterpret_cast<std::uint16_t*>(to), row);
  } else {
    ops::to_panels(from, num_rows, p.depth, to, row);
  }
}

void Weights::init(std::uint64_t seed) {
  for_each_piece(specs_, [&](const Piece& piece, std::vector<float>& values) {
    const Part& part = parts_[piece.tensor];
    const TensorSpec& spec = specs_[piece.tensor];
    std::fill(values.begin(), values.end(), part.init_value);
    if (part.init_std > 0) {
      const std::uint64_t key = KeyHash().add(seed).add("init").add(spec.name).value();
      const auto first = static_cast<std::uint64_t>(piece.first_row * spec.row_length());
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(part.init_std * normal(key, first + i));
      }
    }
    put(values.data(), piece.tensor, piece.first_row, piece.num_rows, flat_);
  });
  sync();
}

void Weights::read(const TensorSet& set, at::Tensor& flat, const std::string& prefix) const {
  for_each_piece(specs_, [&](const Piece& piece, std::vector<float>& values) {
    TensorSpec spec = specs_[piece.tensor];
    spec.name = prefix + spec.name;
    set.read_rows(spec, piece.first_row, piece.num_rows, values.data());
    put(values.data(), piece.tensor, piece.first_row, piece.num_rows, flat);
  });
}

RowSource Weights::rows(const at::Tensor& flat) const {
  return [this, flat](std::size_t part, std::int64_t first_row, std::int64_t num_rows, float* out) {
    get(flat, part, first_row, num_rows, out);
  };
}

}  // namespace qed
