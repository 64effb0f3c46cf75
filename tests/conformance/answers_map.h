#pragma once

// Which preset of the maths verifier each grader's own cases are run under.

#include "policy.h"
#include "tests/conformance/conformance.h"

#include <string>
#include <string_view>

namespace qed::conformance {

struct AnswerSuite {
  std::string_view file;    // of the cases, without extension
  std::string_view source;  // a part of `source_file`; empty: any
  std::string_view preset;
  void (*adjust)(math::Policy& policy, const Json& row) = nullptr;  // single options on top
};

// Null for a file that is none of answers.
const AnswerSuite* answer_suite(std::string_view file, std::string_view source);

}  // namespace qed::conformance
