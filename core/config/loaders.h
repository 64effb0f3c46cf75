#pragma once

// The parts of load.cpp, and of nothing else: each reads one part of a run file and reports all
// that is wrong with it.

#include <string>

#include "core/config/resolver.h"

namespace qed {

inline constexpr char kListing[] = "`qed config` lists all keys";

inline TableNames engine_names(const std::string& table, int stage) {
  return {stage, table, "key", "[" + table + "]", kListing};
}

// [model]; paths become relative to the working directory.
void load_model(const Document& document, Resolver& resolver, RunConfig& config);

// How many [[stage]] the file has; reports what is no stage.
int count_stages(const Document& document, Resolver& resolver);

// Stage `number`, from 1. A file without stages is checked as if it had one, so that all its
// problems come at once: that one is not real.
Stage load_stage(int number, bool is_real, Resolver& resolver);

}  // namespace qed
