// A libcublasLt.so.13 that computes on the CPU, with the arguments of the real one: column-major,
// as slow as can be, float32 sums. It has an algorithm unless FAKE_CUBLASLT_REFUSES is set.

#include "core/cuda/kernels/body.h"
#include "core/cuda/kernels/cublaslt_api.h"

#include <cstdlib>
#include <cstring>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace qed::cuda::lt {

struct Handle {};
struct Operation {
  std::int32_t turn[2];
};
struct Layout {
  int type;
  std::uint64_t rows, cols;
  std::int64_t step;

  std::size_t at(std::uint64_t row, std::uint64_t col) const {
    return static_cast<std::size_t>(row + col * static_cast<std::uint64_t>(step));
  }
  float get(const void* from, std::uint64_t row, std::uint64_t col) const {
    return type == kBfloat ? to_float(static_cast<const Bfloat16*>(from)[at(row, col)])
                           : static_cast<const float*>(from)[at(row, col)];
  }
  void set(void* to, std::uint64_t row, std::uint64_t col, float x) const {
    if (type == kBfloat) {
      put(static_cast<Bfloat16*>(to)[at(row, col)], x);
    } else {
      static_cast<float*>(to)[at(row, col)] = x;
    }
  }
};
struct Preference {
  std::uint32_t alignment;  // the largest that was promised
};

namespace {

constexpr Status kInvalid = 7, kNotSupported = 15;

template <class T>
Status make(T*& made, const T& from) {
  made = new T(from);
  return kSuccess;
}

template <class T>
Status destroy(T* made) {
  delete made;
  return kSuccess;
}

}  // namespace

extern "C" {
__attribute__((visibility("default"))) int fake_cublaslt_choices = 0;  // were asked for
__attribute__((visibility("default"))) std::uint32_t fake_cublaslt_alignment = 0;
}

EXPORT Status cublasLtCreate(Handle** handle) { return make(*handle, {}); }
EXPORT std::size_t cublasLtGetVersion() { return 130100; }
EXPORT const char* cublasLtGetStatusString(Status status) {
  return status == kNotSupported ? "not supported by the fake" : "another error";
}
EXPORT Status cublasLtMatmulDescCreate(Operation** operation, int compute, int scale) {
  if (compute != kComputeFloat32 || scale != kFloat) return kNotSupported;
  return make(*operation, {});
}
EXPORT Status cublasLtMatmulDescDestroy(Operation* operation) { return destroy(operation); }
EXPORT Status cublasLtMatmulDescSetAttribute(Operation* operation, int attribute, const void* value,
                                             std::size_t bytes) {
  if (bytes != 4 || (attribute != kTurnA && attribute != kTurnB)) return kInvalid;
  std::memcpy(&operation->turn[attribute - kTurnA], value, bytes);
  return kSuccess;
}
EXPORT Status cublasLtMatrixLayoutCreate(Layout** layout, int type, std::uint64_t rows,
                                         std::uint64_t cols, std::int64_t step) {
  if (static_cast<std::int64_t>(rows) > step) return kInvalid;
  return make(*layout, {type, rows, cols, step});
}
EXPORT Status cublasLtMatrixLayoutDestroy(Layout* layout) { return destroy(layout); }
EXPORT Status cublasLtMatmulPreferenceCreate(Preference** p) { return make(*p, {}); }
EXPORT Status cublasLtMatmulPreferenceDestroy(Preference* p) { return destroy(p); }
EXPORT Status cublasLtMatmulPreferenceSetAttribute(Preference* preference, int attribute,
                                                   const void* value, std::size_t bytes) {
  if (bytes != (attribute == kMaxWorkspace ? 8u : 4u)) return kInvalid;
  std::uint32_t number = 0;
  std::memcpy(&number, value, sizeof number);
  const bool is_alignment = attribute >= kAlignA && attribute <= kAlignD;
  if (is_alignment && number > preference->alignment) preference->alignment = number;
  return kSuccess;
}

EXPORT Status cublasLtMatmulAlgoGetHeuristic(Handle*, Operation*, Layout*, Layout*, Layout*,
                                             Layout*, Preference* preference, int, Choice* choices,
                                             int* found) {
  ++fake_cublaslt_choices;
  fake_cublaslt_alignment = preference->alignment;
  choices[0] = {};
  *found = std::getenv("FAKE_CUBLASLT_REFUSES") == nullptr ? 1 : 0;
  return kSuccess;
}

EXPORT Status cublasLtMatmul(Handle*, Operation* operation, const void* alpha, const void* a,
                             Layout* a_layout, const void* b, Layout* b_layout, const void* beta,
                             const void*, Layout*, void* d, Layout* d_layout, const Algorithm*,
                             void*, std::size_t, void*) {
  const bool turn_a = operation->turn[0] == kTurned, turn_b = operation->turn[1] == kTurned;
  const std::uint64_t depth = turn_a ? a_layout->rows : a_layout->cols;
  const bool fits = (turn_a ? a_layout->cols : a_layout->rows) == d_layout->rows &&
                    (turn_b ? b_layout->rows : b_layout->cols) == d_layout->cols &&
                    (turn_b ? b_layout->cols : b_layout->rows) == depth;
  if (!fits) return kNotSupported;
  const float scale = *static_cast<const float*>(alpha), keep = *static_cast<const float*>(beta);
  for (std::uint64_t i = 0; i < d_layout->rows; ++i) {
    for (std::uint64_t j = 0; j < d_layout->cols; ++j) {
      float sum = 0;
      for (std::uint64_t k = 0; k < depth; ++k) {
        sum += a_layout->get(a, turn_a ? k : i, turn_a ? i : k) *
               b_layout->get(b, turn_b ? j : k, turn_b ? k : j);
      }
      const float before = keep == 0 ? 0 : keep * d_layout->get(d, i, j);
      d_layout->set(d, i, j, scale * sum + before);
    }
  }
  return kSuccess;
}

}  // namespace qed::cuda::lt
