#pragma once

// The tests of the checker. A name is for ever: people exclude tests by it.

#include "core/check/subject.h"

#include <span>
#include <string_view>
#include <vector>

namespace qed::check {

enum class Level {
  kMust,   // a failure is a mistake in the plugin
  kShould  // a failure is printed as a warning
};

struct Test {
  std::string_view name;  // "group.test"
  Level level;
  std::string_view kind;  // of the components that it is for; empty: all
  std::string_view about;
  // Throws Failure or Skipped. Null: the session runs the test itself, across processes.
  void (*run)(const Subject&);
};

// All tests, in the order in which they run and are listed.
const std::vector<Test>& tests();

// The tests of one file each; `tests` puts them together.
std::span<const Test> static_tests();
std::span<const Test> lifecycle_tests();
std::span<const Test> struct_tests();
std::span<const Test> task_tests();
std::span<const Test> task_text_tests();
std::span<const Test> reward_tests();
std::span<const Test> algorithm_tests();
std::span<const Test> gradient_tests();
std::span<const Test> sampler_tests();
std::span<const Test> process_tests();

}  // namespace qed::check
