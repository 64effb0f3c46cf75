#include "core/check/registry.h"

namespace qed::check {

const std::vector<Test>& tests() {
  static const std::vector<Test> all = [] {
    std::vector<Test> out;
    for (const auto part :
         {static_tests(), lifecycle_tests(), struct_tests(), task_tests(), task_text_tests(),
          reward_tests(), algorithm_tests(), gradient_tests(), sampler_tests(), process_tests()}) {
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  }();
  return all;
}

}  // namespace qed::check
