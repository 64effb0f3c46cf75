#include "tests/conformance/answers_map.h"

#include <array>

namespace qed::conformance {
namespace {

using math::Place;
using math::Policy;

// Both readings of a percent sign have a case of their own, in either order.
void nemo_skills(Policy& policy, const Json&) {
  policy.percent = math::Percent::kEither;
  policy.tolerance = math::Tolerance::kNone;
}
// Letters stand behind "Answer:".
void nemo_rl(Policy& policy, const Json& row) {
  if (row["category"] == "mcq_letter") policy.place = Place::kAnswer;
}
void areal(Policy& policy, const Json& row) {
  const bool has_brackets = row["pred"].get<std::string>().find('[') != std::string::npos;
  if (row["category"] == "areal_geometry3k" && has_brackets) policy.place = Place::kBrackets;
}
void skips_thinking(Policy& policy, const Json& row) {
  policy.skips_thinking = row["category"] == "reasoning_accuracy_reward";
  if (policy.skips_thinking) policy.place = Place::kBoxed;
}
// Boxes are the rule's own cases; "Answer:" is DAPO's.
void slime(Policy& policy, const Json& row) {
  const bool is_dapo = row["source_file"].get<std::string>().find("dapo") != std::string::npos;
  policy = *math::preset(is_dapo ? "dapo" : "deepscaler");
}

// Formulas from issues, without boxes.
void without_boxes(Policy& policy, const Json&) { policy.place = Place::kLadder; }

constexpr std::array kSuites = {
    AnswerSuite{"math_verify_cases", "", "math_verify"},
    AnswerSuite{"qwen_real_outputs", "", "qwen"},
    AnswerSuite{"other_grader_cases", "hendrycks/math", "hendrycks"},
    AnswerSuite{"other_grader_cases", "NeMo-Skills", "qwen", nemo_skills},
    AnswerSuite{"other_grader_cases", "Qwen2.5-Math", "qwen"},
    AnswerSuite{"other_grader_cases", "rllm", "deepscaler"},
    AnswerSuite{"other_grader_cases", "deepscaler", "deepscaler"},
    AnswerSuite{"other_grader_cases", "slime", "deepscaler", slime},
    AnswerSuite{"other_grader_cases", "AReaL", "math_verify", areal},
    AnswerSuite{"other_grader_cases", "open-r1", "math_verify"},
    AnswerSuite{"other_grader_cases", "trl", "math_verify", skips_thinking},
    AnswerSuite{"other_grader_cases", "verl", "qwen"},
    AnswerSuite{"other_grader_cases", "NVIDIA-NeMo/RL", "math_verify", nemo_rl},
    AnswerSuite{"other_grader_cases", "lighteval", "math_verify"},
    AnswerSuite{"other_grader_cases", "huggingface/Math-Verify", "strict", without_boxes},
};

}  // namespace

const AnswerSuite* answer_suite(std::string_view file, std::string_view source) {
  for (const AnswerSuite& suite : kSuites) {
    const bool is_any = source.empty() || suite.source.empty();
    if (suite.file == file && (is_any || source.find(suite.source) != source.npos)) return &suite;
  }
  return nullptr;
}

}  // namespace qed::conformance
