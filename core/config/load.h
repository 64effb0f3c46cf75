#pragma once

// Reads a run file: TOML and --set overrides in, a RunConfig with nothing left to check out.
//
// Of one key, the strongest value wins: a stage's own, by --set stage.N.…; a stage's own, in the
// file; the top-level table's, by --set; the top-level table's, in the file; the default. So --set
// a.b=v does what writing `b = v` into the file's [a] would do; where every stage sets `b` itself
// that is nothing, and an error. A stage that changes a plugin's name starts from that plugin's
// defaults; a --set that changes it keeps the file's options that the new plugin declares too.
//
// A file may extend another: extends = "shared.toml". What the file says itself is stronger, key by
// key; all that is said above of the file holds for the two as one. Its own [[stage]] replace
// those of the other. A key without effect is an error in the run file, not in what it extends.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/config/option.h"
#include "core/config/run_config.h"

namespace qed {

struct ResolvedValue {
  int stage;          // from 1; 0: [run] and [model]
  std::string table;  // "train", "reward.LABEL"; empty: a key of [[stage]] itself
  std::string key;
  nlohmann::json value;
  std::string origin;  // "configs/x.toml:12", "--set" or "default"
};

struct LoadReport {
  std::vector<std::string> notices;   // sentences about what was left out and why
  std::vector<ResolvedValue> values;  // each key that has an effect, in the order of a run file
};

// `overrides` are the arguments of --set. Relative model paths start at the folder of the file in
// which they stand, those of --set at the working directory. Throws ConfigError with every problem
// found, the refusals of plugins among them.
RunConfig load_run_config(const std::string& file, const std::vector<std::string>& overrides,
                          ComponentFinder& finder, LoadReport* report = nullptr);

}  // namespace qed
