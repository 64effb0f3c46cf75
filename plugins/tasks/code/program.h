#pragma once

// What runs a completion's code on an item's tests.

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

}  // namespace code
