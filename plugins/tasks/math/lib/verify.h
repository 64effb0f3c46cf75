#pragma once

// The library's front door: is the answer of a completion the gold answer?

#include "budget.h"
#include "evaluate.h"
#include "policy.h"

#include <span>
#include <string>
#include <string_view>

namespace math {

enum class Reason : std::uint8_t {
  kSame,          // equal
  kDifferent,     // proved different, or of another shape
  kNoAnswer,      // none was found in the completion
  kUnreadAnswer,  // it is no expression that is known here
  kUnreadGold,    // neither is the gold answer, and the two texts differ
  kUndecided,     // no proof either way
  kTooMuchWork,   // the budget was spent first
};
std::string_view text_of(Reason reason);

struct Verdict {
  Equality equality = Equality::kUnknown;
  Reason reason = Reason::kUndecided;
  std::size_t gold = 0;            // which of the gold answers
  std::string answer = {};         // as it was taken from the completion
  std::size_t begin = 0, end = 0;  // where it stands there
};

// The completion is right when its answer equals one of the gold answers. A pure function: the
// same verdict on every machine and in every thread. Bounded work whatever the texts are.
Verdict verify(std::span<const std::string_view> golds, std::string_view completion,
               const Policy& policy, std::uint64_t operations = Budget::kDefault);

// The same of two bare answers.
Verdict compare_answers(std::string_view gold, std::string_view answer, const Policy& policy,
                        std::uint64_t operations = Budget::kDefault);

}  // namespace math
