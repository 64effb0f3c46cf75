#pragma once

// Tags in a completion, and what stands between them. A tag is any literal text that is not empty:
// "<answer>", "</answer>", "#### ". Every function takes linear time and returns views into its
// argument; only whole_text may allocate.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// How often `tag` occurs, without overlaps: str.count.
constexpr std::size_t count(std::string_view text, std::string_view tag) {
  std::size_t n = 0;
  for (auto at = text.find(tag); at != text.npos; at = text.find(tag, at + tag.size())) ++n;
  return n;
}

constexpr bool is_once(std::string_view text, std::string_view tag) {
  const auto at = text.find(tag);
  return at != text.npos && text.find(tag, at + 1) == text.npos;
}

// Whether `tag` occurs. Looks near the end first: there a prompt has what opens the answer.
constexpr bool contains(std::string_view text, std::string_view tag) {
  constexpr std::size_t kEnd = 128;
  if (text.size() > kEnd && text.find(tag, text.size() - kEnd) != text.npos) return true;
  return text.find(tag) != text.npos;
}

// What follows the first or the last `tag`: text.split(tag, 1)[1], text.rsplit(tag, 1)[1].
constexpr std::optional<std::string_view> after_first(std::string_view text, std::string_view tag) {
  const auto at = text.find(tag);
  if (at == text.npos) return std::nullopt;
  return text.substr(at + tag.size());
}
constexpr std::optional<std::string_view> after_last(std::string_view text, std::string_view tag) {
  const auto at = text.rfind(tag);
  if (at == text.npos) return std::nullopt;
  return text.substr(at + tag.size());
}

// What precedes the first `tag`; all of the text without one: text.split(tag)[0].
constexpr std::string_view before_first(std::string_view text, std::string_view tag) {
  return text.substr(0, text.find(tag));
}

enum class Dot { kAll, kLine };  // whether . of a regular expression matches \n, as with DOTALL

// The matches of the regular expression `open(.*?)close`, from front to back, without overlaps, as
// re.finditer finds them: what stands between the tags. All of them together take linear time.
class Between {
 public:
  constexpr Between(std::string_view text, std::string_view open, std::string_view close,
                    Dot dot = Dot::kAll)
      : text_(text), open_(open), close_(close), dot_(dot) {}

  constexpr std::optional<std::string_view> next() {
    while (!is_done_) {
      const auto open = text_.find(open_, at_);
      if (open == text_.npos) break;
      const auto begin = open + open_.size();
      const auto end = find_from(close_, begin, close_at_);
      if (end == text_.npos) break;
      if (dot_ == Dot::kLine && find_from("\n", begin, line_end_) < end) {
        at_ = open + 1;  // no match starts here; one may start further right
        continue;
      }
      at_ = end + close_.size();
      return text_.substr(begin, end - begin);
    }
    is_done_ = true;
    return std::nullopt;
  }

 private:
  // text_.find(what, from); `known` is the answer for an earlier `from`.
  constexpr std::size_t find_from(std::string_view what, std::size_t from, std::size_t& known) {
    if (known < from) known = text_.find(what, from);
    return known;
  }

  std::string_view text_, open_, close_;
  Dot dot_;
  std::size_t at_ = 0, close_at_ = 0, line_end_ = 0;
  bool is_done_ = false;
};

constexpr std::optional<std::string_view> first_between(std::string_view text,
                                                        std::string_view open,
                                                        std::string_view close,
                                                        Dot dot = Dot::kAll) {
  return Between(text, open, close, dot).next();
}
// The last of the matches from front to back: in "<a>1<a>2</a>" it is "1<a>2".
constexpr std::optional<std::string_view> last_between(std::string_view text, std::string_view open,
                                                       std::string_view close,
                                                       Dot dot = Dot::kAll) {
  std::optional<std::string_view> last;
  Between matches(text, open, close, dot);
  while (const auto match = matches.next()) last = match;
  return last;
}

// Prompt, prefill and completion as the one text that many published rules score. A prompt that
// ends with the prefill already has it. `buffer` holds the result where it is put together.
inline std::string_view whole_text(std::string_view prompt, std::string_view prefill,
                                   std::string_view completion, std::string& buffer) {
  if (prompt.ends_with(prefill)) prefill = {};
  if (prompt.empty() && prefill.empty()) return completion;
  buffer.clear();
  buffer.reserve(prompt.size() + prefill.size() + completion.size());
  return buffer.append(prompt).append(prefill).append(completion);
}

// A completion of the form before <think> thought </think> between <answer> answer </answer> after.
struct ThinkAnswer {
  std::string_view before, thought, between, answer, after;
};

// The parts, if each of the four tags is there exactly once, and in this order.
constexpr std::optional<ThinkAnswer> think_answer(std::string_view text) {
  constexpr std::string_view kTags[] = {"<think>", "</think>", "<answer>", "</answer>"};
  std::string_view parts[5] = {};
  std::size_t begin = 0, n = 0;  // n: tags found
  for (auto at = text.find('<'); at != text.npos; at = text.find('<', at + 1)) {
    const std::string_view rest = text.substr(at);
    for (std::size_t i = 0; i < 4; ++i) {
      if (!rest.starts_with(kTags[i])) continue;
      if (i != n) return std::nullopt;
      parts[n++] = text.substr(begin, at - begin);
      begin = at + kTags[i].size();
    }
  }
  if (n != 4) return std::nullopt;
  parts[4] = text.substr(begin);
  return ThinkAnswer{parts[0], parts[1], parts[2], parts[3], parts[4]};
}

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
