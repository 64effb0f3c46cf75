#include "core/cuda/kernels/cublaslt.h"

#include "core/cuda/kernels/cublaslt_api.h"

#include <cuda_runtime.h>
#include <dlfcn.h>

#include <algorithm>
#include <compare>
#include <map>
#include <memory>
#include <mutex>

namespace qed::cuda {

namespace {

constexpr std::uint64_t kWorkspaceBytes = 32u << 20;  // what NVIDIA names for Hopper
constexpr std::size_t kMaxPlans = 4096;               // some megabytes

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* library, lt::Functions& f) {
  return find(library, "cublasLtCreate", f.Create) &&
         find(library, "cublasLtGetVersion", f.GetVersion) &&
         find(library, "cublasLtGetStatusString", f.GetStatusString) &&
         find(library, "cublasLtMatmulDescCreate", f.MatmulDescCreate) &&
         find(library, "cublasLtMatmulDescDestroy", f.MatmulDescDestroy) &&
         find(library, "cublasLtMatmulDescSetAttribute", f.MatmulDescSetAttribute) &&
         find(library, "cublasLtMatrixLayoutCreate", f.MatrixLayoutCreate) &&
         find(library, "cublasLtMatrixLayoutDestroy", f.MatrixLayoutDestroy) &&
         find(library, "cublasLtMatmulPreferenceCreate", f.MatmulPreferenceCreate) &&
         find(library, "cublasLtMatmulPreferenceDestroy", f.MatmulPreferenceDestroy) &&
         find(library, "cublasLtMatmulPreferenceSetAttribute", f.MatmulPreferenceSetAttribute) &&
         find(library, "cublasLtMatmulAlgoGetHeuristic", f.MatmulAlgoGetHeuristic) &&
         find(library, "cublasLtMatmul", f.Matmul);
}

// What an algorithm is chosen by. Alignments are powers of two.
struct Shape {
  std::int64_t rows, cols, depth, a_step, b_step, c_step;
  std::int32_t ab_dtype, c_dtype, a_turned, b_turned;
  std::uint32_t a_align, b_align, c_align;
  auto operator<=>(const Shape&) const = default;
};

std::uint32_t alignment(const void* pointer) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  return static_cast<std::uint32_t>(std::min<std::uintptr_t>(address & -address, 256));
}

Shape shape_of(const GemmArgs& g) {
  return {g.rows,         g.cols,         g.depth,       g.a_step,   g.b_step,
          g.c_step,       g.ab_dtype,     g.c_dtype,     g.a_turned, g.b_turned,
          alignment(g.a), alignment(g.b), alignment(g.c)};
}

// How cuBLASLt is asked for a product. Its matrices are column-major, ours row-major: what it sees
// is C^T = B^T A^T, so its A is our B. Without an algorithm the plain kernel runs.
class Plan {
 public:
  Plan(const lt::Functions& f, lt::Handle* handle, const Shape& s, std::uint64_t workspace)
      : f_(f) {
    has_algorithm_ = describe(s) && choose(handle, s, workspace);
  }
  ~Plan() {
    if (operation_ != nullptr) f_.MatmulDescDestroy(operation_);
    for (lt::Layout* const layout : {a_, b_, c_}) {
      if (layout != nullptr) f_.MatrixLayoutDestroy(layout);
    }
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  bool has_algorithm() const { return has_algorithm_; }

  lt::Status run(lt::Handle* handle, const GemmArgs& g, void* workspace, std::uint64_t bytes,
                 void* stream) const {
    const float alpha = 1, beta = g.accumulate != 0 ? 1.0f : 0.0f;
    return f_.Matmul(handle, operation_, &alpha, g.b, a_, g.a, b_, &beta, g.c, c_, g.c, c_,
                     &choice_.algorithm, workspace, bytes, stream);
  }

 private:
  static int type(std::int32_t dtype) { return dtype == kBfloat16 ? lt::kBfloat : lt::kFloat; }

  // A row-major matrix, whose rows are the library's columns.
  bool lay(lt::Layout*& layout, std::int32_t dtype, std::int64_t rows, std::int64_t cols,
           std::int64_t step) const {
    return f_.MatrixLayoutCreate(&layout, type(dtype), static_cast<std::uint64_t>(cols),
                                 static_cast<std::uint64_t>(rows),
                                 std::max(step, cols)) == lt::kSuccess;
  }

  bool turn(int attribute, bool is_turned) const {
    const std::int32_t value = is_turned ? lt::kTurned : lt::kAsIs;
    return f_.MatmulDescSetAttribute(operation_, attribute, &value, sizeof value) == lt::kSuccess;
  }

  bool describe(const Shape& s) {
    const bool a_turned = s.a_turned != 0, b_turned = s.b_turned != 0;
    return f_.MatmulDescCreate(&operation_, lt::kComputeFloat32, lt::kFloat) == lt::kSuccess &&
           turn(lt::kTurnA, b_turned) && turn(lt::kTurnB, a_turned) &&
           lay(a_, s.ab_dtype, b_turned ? s.cols : s.depth, b_turned ? s.depth : s.cols,
               s.b_step) &&
           lay(b_, s.ab_dtype, a_turned ? s.depth : s.rows, a_turned ? s.rows : s.depth,
               s.a_step) &&
           lay(c_, s.c_dtype, s.rows, s.cols, s.c_step);
  }

  bool choose(lt::Handle* handle, const Shape& s, std::uint64_t workspace) {
    lt::Preference* preference = nullptr;
    if (f_.MatmulPreferenceCreate(&preference) != lt::kSuccess) return false;
    const auto set = [&](int attribute, const auto& value) {
      return f_.MatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value) ==
             lt::kSuccess;
    };
    int found = 0;
    const bool is_answered =
        set(lt::kMaxWorkspace, workspace) && set(lt::kReductions, lt::kReduceInFloat32) &&
        set(lt::kAlignA, s.b_align) && set(lt::kAlignB, s.a_align) && set(lt::kAlignC, s.c_align) &&
        set(lt::kAlignD, s.c_align) &&
        f_.MatmulAlgoGetHeuristic(handle, operation_, a_, b_, c_, c_, preference, 1, &choice_,
                                  &found) == lt::kSuccess;
    f_.MatmulPreferenceDestroy(preference);
    return is_answered && found == 1 && choice_.state == lt::kSuccess;
  }

  const lt::Functions& f_;
  lt::Operation* operation_ = nullptr;
  lt::Layout *a_ = nullptr, *b_ = nullptr, *c_ = nullptr;
  lt::Choice choice_{};
  bool has_algorithm_ = false;
};

class Library {
 public:
  Library() {
    void* const library = ::dlopen(lt::kLibrary, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr || !find_all(library, f_)) return;
    if (f_.Create(&handle_) != lt::kSuccess) {
      handle_ = nullptr;
    } else if (cudaMalloc(&workspace_, kWorkspaceBytes) == cudaSuccess) {
      workspace_bytes_ = kWorkspaceBytes;
    }
    cudaGetLastError();  // so that no launch after this reports it
  }

  std::int32_t version() const {
    return handle_ == nullptr ? 0 : static_cast<std::int32_t>(f_.GetVersion());
  }

  std::optional<std::int32_t> gemm(const GemmArgs& args, void* stream) {
    if (handle_ == nullptr || args.depth == 0) return std::nullopt;
    const std::lock_guard lock(mutex_);
    const Shape shape = shape_of(args);
    if (plans_.size() >= kMaxPlans && !plans_.contains(shape)) plans_.clear();
    std::unique_ptr<Plan>& plan = plans_[shape];
    if (!plan) plan = std::make_unique<Plan>(f_, handle_, shape, workspace_bytes_);
    if (!plan->has_algorithm()) return std::nullopt;
    const lt::Status status = plan->run(handle_, args, workspace_, workspace_bytes_, stream);
    if (status == lt::kSuccess) return 0;
    cudaGetLastError();  // so that no launch after this reports it
    return kCublasError + status;
  }

  const char* error_text(lt::Status status) const {
    return handle_ == nullptr ? "an error of cuBLASLt, which is not there"
                              : f_.GetStatusString(status);
  }

 private:
  lt::Functions f_{};
  lt::Handle* handle_ = nullptr;  // null: not to be used
  void* workspace_ = nullptr;
  std::uint64_t workspace_bytes_ = 0;
  std::mutex mutex_;
  std::map<Shape, std::unique_ptr<Plan>> plans_;
};

// Lives to the end of the process, whose last moments CUDA may not see.
Library& library() {
  static auto* const library = new Library;
  return *library;
}

}  // namespace

std::int32_t cublaslt_version() { return library().version(); }

std::optional<std::int32_t> cublaslt_gemm(const GemmArgs& args, void* stream) {
  return library().gemm(args, stream);
}

const char* cublaslt_error_text(std::int32_t error) {
  return library().error_text(error - kCublasError);
}

}  // namespace qed::cuda
