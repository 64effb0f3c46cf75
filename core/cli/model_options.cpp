#include "core/cli/model_options.h"

#include "core/util/error.h"

namespace qed {

void add_dtype_option(CLI::App& command, std::string& name) {
  command.add_option("--dtype", name, "of the weights in memory: float32 (default) or bfloat16")
      ->type_name("NAME");
}

Dtype dtype_option(const std::string& name) {
  const auto dtype = dtype_of_name(name);
  if (dtype && *dtype != Dtype::kFloat16) return *dtype;
  throw Error(cat("--dtype must be \"float32\" or \"bfloat16\", not \"", name, "\""), "",
              kExitUsage);
}

std::int64_t at_least(std::int64_t least, std::int64_t value, const char* flag) {
  if (value >= least) return value;
  throw Error(cat(flag, " must be at least ", least, ", not ", value), "", kExitUsage);
}

}  // namespace qed
