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

std::span<const CpuKernels* const> all_kernels() {
  static constexpr const CpuKernels* kTables[] = {&generic::table, &avx2::table, &avx512::table};
  static const std::size_t count = []() -> std::size_t {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 1;
    const bool has_avx512 = __builtin_cpu_supports("avx512f") &&
                            __builtin_cpu_supports("avx512vl") &&
                            __builtin_cpu_supports("avx512dq");
    return has_avx512 ? 3 : 2;
  }();
  return std::span(kTables, count);
}

const CpuKernels& cpu_kernels() {
  static const CpuKernels& chosen = []() -> const CpuKernels& {
    const char* asked = std::getenv("QED_ISA");
    if (asked == nullptr || *asked == '\0') return *all_kernels().back();
    for (const CpuKernels* table : all_kernels()) {
      if (std::string_view(asked) == table->isa) return *table;
    }
    throw Error(cat("QED_ISA is `", asked, "`, which this CPU does not have"),
                "unset QED_ISA, or use avx512, avx2 or generic", kExitUsage);
  }();
  return chosen;
}

}  // namespace qed::ops
