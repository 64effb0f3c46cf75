#include "core/ops/cpu_kernels.h"

#include "core/util/error.h"

#include <cstdlib>
#include <string_view>

namespace qed::ops {

namespace generic {
extern const CpuKernels table;
}
namespace avx2 {
extern const CpuKernels table;
}
namespace avx512 {
extern const CpuKernels table;
}

const CpuKernels& cpu_kernels() {
  static const CpuKernels& chosen = []() -> const CpuKernels& {
    __builtin_cpu_init();
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") &&
                            __builtin_cpu_supports("avx512vl") &&
                            __builtin_cpu_supports("avx512dq");
    const char* asked = std::getenv("QED_ISA");
    const std::string_view isa = asked != nullptr ? asked : "";
    if (isa == "generic" || (isa.empty() && !has_avx2)) return generic::table;
    if ((isa.empty() || isa == "avx512") && has_avx512) return avx512::table;
    if ((isa.empty() || isa == "avx2") && has_avx2) return avx2::table;
    throw Error(cat("QED_ISA is `", isa, "`, which this CPU does not have"),
                "unset QED_ISA, or use avx512, avx2 or generic", kExitUsage);
  }();
  return chosen;
}

}  // namespace qed::ops
