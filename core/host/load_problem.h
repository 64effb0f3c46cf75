#pragma once

// Why a plugin is refused.

#include "core/util/error.h"

#include <filesystem>
#include <string>

namespace qed {

inline constexpr char kRebuildHint[] = "rebuild it with the SDK of this qed";
inline constexpr char kAuthorHint[] =
    "this is a mistake in the plugin, not in the run file: tell its author";
inline constexpr char kLinkHint[] = "build it with qed_add_plugin, which sets the linker's flags";

// All empty: no problem.
struct LoadProblem {
  std::string code = {};  // of docs/plugins.md, for ever: "P012"
  std::string why = {};   // the end of a sentence that begins with the path
  std::string hint = {};  // what to do

  explicit operator bool() const { return !code.empty(); }
};

// Throws Error with exit code 3: "cannot load plugin PATH: why [code]".
[[noreturn]] inline void refuse(const std::filesystem::path& path, const LoadProblem& problem) {
  throw Error(cat("cannot load plugin ", path.string(), ": ", problem.why, " [", problem.code, "]"),
              problem.hint, kExitPlugin);
}

}  // namespace qed
