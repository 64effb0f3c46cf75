#include "answer.h"

#include "qed/tags.h"
#include "qed/unicode.h"

namespace knights {

Answer::Answer(const qed::Sample& sample) : prompt_(sample.prompt), text_(sample.text) {
  std::string_view before = sample.prefill;
  if (prompt_.ends_with(before)) {
    prompt_.remove_suffix(before.size());
  }
  if (before.empty() && qed::strip_right(prompt_).ends_with("<think>")) before = "<think>";
  if (before.empty()) return;
  joined_.reserve(before.size() + text_.size());
  text_ = (joined_ += before) += text_;
}

Response Answer::response_logic_rl() const {
  if (prompt_.empty()) return knights::response_logic_rl(text_);
  if (qed::contains(prompt_, "Assistant:")) return {text_, true};
  const Response own = knights::response_logic_rl(text_);
  return own.has_header && qed::after_first(text_, "Assistant:") ? own : Response{text_, true};
}

}  // namespace knights
