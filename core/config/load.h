#pragma once

// Reads a run file: TOML and --set overrides in, a RunConfig with nothing left to check out.
//
// Of one key, the strongest value wins: a stage's own, by --set stage.N.…; a stage's own, in the
// file; the top-level table's, by --set; the top-level table's, in the file; the default. So --set
// a.b=v does what writing `b = v` into the file's [a] would do; where every stage sets `b` itself
// that is nothing, and an error. A stage that changes a plugin's name starts from that plugin's
// defaults; a
// --set that changes it keeps the file's options that the new plugin declares too.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/config/option.h"
#include "core/config/run_config.h"

namespace qed {

struct ResolvedValue {
  int stage;          // from 1; 0: [run] and [model]
  std::string table;  // empty: a key of [[stage]] itself
  std::string key;
  nlohmann::json value;
  std::string origin;  // "configs/x.toml:12", "--set" or "default"
};

struct LoadReport {
  std::vector<std::string> notices;   // sentences about what was left out and why
  std::vector<ResolvedValue> values;  // each key that has an effect, in the order of a run file
};

// `overrides` are the arguments of --set. Relative model paths in the file start at the file's
// folder, those of --set at the working directory. Throws ConfigError with every problem found.
RunConfig load_run_config(const std::string& file, const std::vector<std::string>& overrides,
                          ComponentFinder& finder, LoadReport* report = nullptr);

}  // namespace qed
