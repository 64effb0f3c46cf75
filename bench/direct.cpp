#include "bench/direct.h"

#include "bench/plugins/blank.h"

namespace bench {

double score_directly(const std::string* texts, std::size_t n) {
  const Blank task;
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const qed::Sample sample = {.item = {},
                                .prompt = {},
                                .prefill = {},
                                .text = texts[i],
                                .tokens = {},
                                .finish = qed::Finish::kStop,
                                .group = i,
                                .index = 0,
                                .max_new_tokens = 0};
    const qed::Score score = task.verify(sample);
    sum += score.reward + static_cast<double>(score.note.size());
  }
  return sum;
}

}  // namespace bench
