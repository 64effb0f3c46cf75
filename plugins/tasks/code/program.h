#pragma once

// What runs a completion's code on an item's tests, and what an item's checker says of it.

#include "qed/sandbox.h"

#include "item.h"

#include <string>
#include <string_view>

namespace code {

struct Settings {
  double time_s = 5, memory_mb = 512;  // of a test, where the item has none of its own
};

// `stops`: one test that fails decides.
qed::Program make_program(const Contents& item, const std::string& language, std::string code,
                          const Settings& settings, bool stops);

// Runs the item's checker on what each run wrote that ended well, and before that on the expected
// output of the first test, so that a checker which fails is told from an output that it cannot
// read. No inputs where no run ended well.
qed::Program make_checks(const Contents& item, const qed::Runs& runs, const Settings& settings);

// Whether a checker called the output right: the last word that it writes is 1.
bool says_right(const qed::Run& check);

}  // namespace code
