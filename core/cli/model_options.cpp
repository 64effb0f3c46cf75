#include "core/cli/model_options.h"

#include "core/util/error.h"

namespace qed {

void add_model_options(CLI::App& command, std::string& dtype, std::int64_t& threads) {
  command.add_option("--dtype", dtype, "of the weights in memory: float32 (default) or bfloat16")
      ->type_name("NAME");
  command.add_option("--threads", threads, "0: one per core")->type_name("N");
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
