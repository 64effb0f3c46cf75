// Rewards for the form of a completion, each as its system defines it. `format` gathers the rules
// that match a whole text; the others count parts.

#include "match.h"
#include "unsloth.h"

#include "qed/reward.h"
#include "qed/tags.h"
#include "qed/unicode.h"

#include <algorithm>

namespace {

constexpr auto npos = std::string_view::npos;

// The last piece of text.split(separator), as Python splits: all of it where there is none.
std::string_view last_piece(std::string_view text, std::string_view separator) {
  std::size_t begin = 0;
  for (auto at = text.find(separator); at != npos; at = text.find(separator, begin)) {
    begin = at + separator.size();
  }
  return text.substr(begin);
}

// open-r1: ^<think>\n.*?\n</think>\n<answer>\n.*?\n</answer>$ with DOTALL and MULTILINE.
bool open_r1(std::string_view text) {
  return take(text, "<think>\n") && take_lazy(text, "\n</think>\n<answer>\n", true) &&
         ends_lazy(text, "\n</answer>", true, true);
}

// open-r1 before: ^<think>.*?</think>\s*<answer>.*?</answer>$, at first without DOTALL.
bool open_r1_old(std::string_view text, bool dotall) {
  return take(text, "<think>") &&
         joined(text, "</think>", "<answer>", dotall,
                [&](std::string_view rest) { return ends_lazy(rest, "</answer>", dotall, false); });
}

// open-r1 code_format: a fenced block of the language inside the answer.
bool open_r1_code(std::string_view text, const std::string& language) {
  return take(text, "<think>\n") && take_lazy(text, "\n</think>\n<answer>\n", true) &&
         take_lazy(text, "```" + language, true) && take_lazy(text, "```", true) &&
         ends_lazy(text, "\n</answer>", true, true);
}

// mini-deepseek-r1: one thought without inner think tags, a line break, one answer, nothing after.
bool mini_r1(std::string_view text) {
  if (!take(text, "<think>")) return false;
  const auto close = text.find("</think>");
  if (close == npos || text.substr(0, close).find("<think>") != npos) return false;
  text.remove_prefix(close + std::string_view("</think>").size());
  return take(text, "\n<answer>") && ends_lazy(text, "</answer>", true, false);
}

// grpo_demo: ^<reasoning>\n.*?\n</reasoning>\n<answer>\n.*?\n</answer>\n$
bool grpo_demo_strict(std::string_view text, bool dotall) {
  return take(text, "<reasoning>\n") && take_lazy(text, "\n</reasoning>\n<answer>\n", dotall) &&
         ends_lazy(text, "\n</answer>\n", dotall, false);
}

// grpo_demo: <reasoning>.*?</reasoning>\s*<answer>.*?</answer> at the start.
bool grpo_demo_soft(std::string_view text, bool dotall) {
  return take(text, "<reasoning>") &&
         joined(text, "</reasoning>", "<answer>", dotall,
                [&](std::string_view rest) { return take_lazy(rest, "</answer>", dotall); });
}

// The text that a rule sees: with what the task wrote of the answer, unless it is switched off.
class Form {
 public:
  void options(qed::Options& o) {
    o("with_prefill", with_prefill_,
      {.help = "the task's start of the answer is part of the text"});
  }

 protected:
  std::string text(const qed::Scored& s) const {
    std::string out(with_prefill_ ? s.sample.prefill : std::string_view());
    return out += s.sample.text;
  }

 private:
  bool with_prefill_ = true;
};

class Format : public Form {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.reward.format",
      .name = "format",
      .version = "1.0.0",
      .summary = "a value for completions of the right form, by the rule of a system",
  };

  void options(qed::Options& o) {
    Form::options(o);
    o("rule", rule_,
      {.choices = {"open_r1", "open_r1_v1", "open_r1_v2", "open_r1_code", "mini_r1",
                   "grpo_demo_strict", "grpo_demo_soft", "grpo_demo_strict_dotall",
                   "grpo_demo_soft_dotall", "logic_rl", "unsloth"},
       .help = "whose rule; see the README"});
    o("language", language_, {.help = "open_r1_code: the word after ``` of the block"});
  }

  qed::Term score(const qed::Scored& s) const {
    if (rule_ == "logic_rl")  // the four tags once each, in order
      return {.value = qed::think_answer(text(s)) ? 1.0 : -1.0};
    if (rule_ == "unsloth") return {.value = unsloth_solution(text(s)) ? 3.0 : 0.0};
    if (rule_.starts_with("grpo_demo")) return {.value = matches(text(s)) ? 0.5 : 0.0};
    // mini-r1 puts back the tag that its prompt ends with.
    if (rule_ == "mini_r1")
      return {.value = mini_r1("<think>" + std::string(s.sample.text)) ? 1.0 : 0.0};
    return {.value = matches(text(s)) ? 1.0 : 0.0};
  }

 private:
  bool matches(std::string_view text) const {
    if (rule_ == "open_r1") return open_r1(text);
    if (rule_ == "open_r1_v1") return open_r1_old(text, false);
    if (rule_ == "open_r1_v2") return open_r1_old(text, true);
    if (rule_ == "open_r1_code") return open_r1_code(text, language_);
    const bool dotall = rule_.ends_with("_dotall");
    return rule_.starts_with("grpo_demo_strict") ? grpo_demo_strict(text, dotall)
                                                 : grpo_demo_soft(text, dotall);
  }

  std::string rule_ = "open_r1";
  std::string language_ = "python";
};

class TagCount : public Form {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.reward.tag_count",
      .name = "tag_count",
      .version = "1.0.0",
      .summary = "a value for each tag that is there once (open-r1, unsloth)",
  };

  void options(qed::Options& o) {
    Form::options(o);
    o("rule", rule_,
      {.choices = {"open_r1", "unsloth"},
       .help = "think and answer, 0.25 each; or the notebook's, 0.5 or -1"});
  }

  qed::Term score(const qed::Scored& s) const {
    const std::string t = text(s);
    double value = 0;
    if (rule_ == "unsloth") {
      for (const auto tag : kUnslothTags) value += qed::count(t, tag) == 1 ? 0.5 : -1;
      return {.value = value};
    }
    for (const auto tag : {"<think>\n", "\n</think>\n", "\n<answer>\n", "\n</answer>"}) {
      if (qed::count(t, tag) == 1) value += 0.25;
    }
    return {.value = value};
  }

 private:
  std::string rule_ = "open_r1";
};

class XmlCount : public Form {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.reward.xml_count",
      .name = "xml_count",
      .version = "1.0.0",
      .summary = "an eighth per reasoning and answer tag, less for text after the end (grpo_demo)",
  };

  qed::Term score(const qed::Scored& s) const {
    const std::string t = text(s);
    double value = 0;
    if (qed::count(t, "<reasoning>\n") == 1) value += 0.125;
    if (qed::count(t, "\n</reasoning>\n") == 1) value += 0.125;
    if (qed::count(t, "\n<answer>\n") == 1) {
      value += 0.125;
      value -= static_cast<double>(qed::length(last_piece(t, "\n</answer>\n"))) * 0.001;
    }
    if (qed::count(t, "\n</answer>") == 1) {
      value += 0.125;
      value -= (static_cast<double>(qed::length(last_piece(t, "\n</answer>"))) - 1) * 0.001;
    }
    return {.value = value};
  }
};

class ReasoningSteps : public Form {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.reward.reasoning_steps",
      .name = "reasoning_steps",
      .version = "1.0.0",
      .summary = "a third for each mark of a step, at most 1 (open-r1)",
  };

  // (Step \d+:|^\d+\.|\n-|\n\*|First,|Second,|Next,|Finally,), `^` at the very start only.
  qed::Term score(const qed::Scored& s) const {
    const std::string t = text(s);
    const std::string_view all = t;
    std::size_t n = 0;
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t length = step_length(all.substr(at), at == 0);
      n += length > 0 ? 1 : 0;
      at += std::max<std::size_t>(length, 1);
    }
    return {.value = std::min(1.0, static_cast<double>(n) / 3)};
  }

 private:
  // Bytes of the mark at the start of `text`; 0: none.
  static std::size_t step_length(std::string_view text, bool is_start) {
    const auto numbered = [&](std::size_t from, char end) -> std::size_t {
      std::string_view rest = text.substr(from);
      std::size_t digits = 0;
      for (std::string_view next = rest; !next.empty(); rest = next, ++digits) {
        if (qed::decimal(qed::next_char(next)) < 0) break;
      }
      return digits > 0 && rest.starts_with(end) ? text.size() - rest.size() + 1 : 0;
    };
    if (text.starts_with("Step ")) return numbered(5, ':');
    if (is_start) {
      if (const std::size_t length = numbered(0, '.'); length > 0) return length;
    }
    for (const std::string_view mark : {"\n-", "\n*", "First,", "Second,", "Next,", "Finally,"}) {
      if (text.starts_with(mark)) return mark.size();
    }
    return 0;
  }
};

class Integer : public Form {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.reward.integer",
      .name = "integer",
      .version = "1.0.0",
      .summary = "a half when the answer has digits only (grpo_demo)",
  };

  // The text after the last <answer>, up to the next </answer>, stripped. Without tags: all of it.
  qed::Term score(const qed::Scored& s) const {
    const std::string t = text(s);
    std::string_view answer = last_piece(t, "<answer>");
    answer = qed::strip(answer.substr(0, answer.find("</answer>")));
    return {.value = qed::is_digits(answer) ? 0.5 : 0.0};
  }
};

}  // namespace

QED_PLUGIN("dev.qed.rewards.format", "Apache-2.0", qed::Reward<Format>, qed::Reward<TagCount>,
           qed::Reward<XmlCount>, qed::Reward<ReasoningSteps>, qed::Reward<Integer>);
