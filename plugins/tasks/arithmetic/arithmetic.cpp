// Arithmetic: `784+737=?`, to be answered as <think>...</think><answer>1521</answer>. See
// README.md.

#include "question.h"

#include "qed/json.h"
#include "qed/tags.h"
#include "qed/task.h"
#include "qed/unicode.h"

#include <algorithm>
#include <optional>

namespace {

using arithmetic::Question;

// TinyZero's head of a prompt.
constexpr const char* kHead =
    "A conversation between User and Assistant. The user asks a question, and the Assistant solves "
    "it. The assistant first thinks about the reasoning process in the mind and then provides the "
    "user with the answer. The reasoning process and answer are enclosed within <think> </think> "
    "and <answer> </answer> tags, respectively, i.e., <think> reasoning process here </think> "
    "<answer> RESULT_NUMBER </answer>.";
constexpr const char* kQuestion = "User: Give me the answer of the following equation: ";

// What is right: the result of a question, or of a row {"answer": 56088} that has only that
// (`ground_truth` is taken too; the number may be quoted).
std::string expected_answer(std::string_view blob) {
  if (!blob.starts_with('{')) return arithmetic::parse_question(blob).result();
  std::optional<std::string> answer;
  qed::json::Reader in(blob);
  in.object([&](std::string_view key) {
    if (key != "answer" && key != "ground_truth") return void(in.skip());
    answer = qed::canonical_int(in.peek() == '"' ? in.string() : std::string(in.skip()));
    if (!answer) throw qed::Error("field `" + std::string(key) + "` is no integer");
  });
  in.finish();
  if (!answer) throw qed::Error("there is no field `answer`");
  return *answer;
}

class Arithmetic {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.arithmetic",
      .name = "arithmetic",
      .version = "1.0.0",
      .summary = "sums, differences and products of two numbers, with or without the working",
  };
  static constexpr std::string_view kSplits[] = {"train", "test"};
  static constexpr std::string_view kTerms[] = {"correct", "format"};

  void options(qed::Options& o) {
    o("operator", operator_,
      {.choices = {"add", "subtract", "multiply", "mixed"},
       .help = "what is done with the two numbers; mixed: one of the three"});
    o("digits", digits_, {.min = 1, .max = 9, .help = "of each number"});
    o("operands", operands_,
      {.choices = {"uniform", "tinyzero"},
       .help = "uniform: exactly `digits` digits; tinyzero: up to `digits`, often fewer"});
    o("template", template_,
      {.choices = {"plain", "tinyzero_multiply", "tinyzero_arth"}, .help = "whose prompt"});
    o("reward", reward_, {.choices = {"exact", "tinyzero", "tinyzero_len"}, .help = "whose rule"});
    o("score", right_, {.help = "reward of a right answer"});
    o("format_score", wrong_, {.help = "reward of a wrong one in the right format"});
    o("working", working_,
      {.min = 0, .max = 1, .help = "part of the demonstrations that show the working"});
  }

  std::uint64_t count(std::string_view split) const {
    if (split == "train" || split == "test") return qed::kGenerative;
    throw qed::Error("there is no split `" + std::string(split) + "`", QED_INVALID);
  }

  qed::Item load(std::string_view split, std::uint64_t index) const {
    count(split);
    qed::Rng rng(qed::KeyHash().add("arithmetic").add(split).add(index).value());
    for (;;) {
      Question q;
      q.op = draw_operator(rng);
      q.a = draw_operand(rng);
      q.b = draw_operand(rng);
      if (q.is_held_out() == (split == "test")) return {q.key(), q.text()};
    }
  }

  qed::Prompt render(const qed::ItemView& item) const {
    const Question q = arithmetic::parse_question(item.blob);
    qed::Prompt out;
    out.keep_special = reward_ != "exact";
    if (template_ == "plain") {
      out.text = q.text() + "=?";
    } else if (template_ == "tinyzero_multiply") {
      out.text = std::string(kHead) + " " + kQuestion + q.text(" ") + " = Assistant: ";
      out.prefill = "Ok let me think about it.\n<think>";
    } else {
      out.text = std::string(kHead) + "\n" + kQuestion + q.text(" ") + ".\nAssistant: ";
      out.prefill = "Let me solve this step by step.\n<think>";
    }
    return out;
  }

  qed::Score verify(const qed::Sample& sample) const {
    const std::string expected = expected_answer(sample.item.blob);
    return reward_ == "exact" ? exact(sample, expected) : tinyzero(sample, expected);
  }

  std::string demonstrate(const qed::ItemView& item, std::string_view style, qed::Rng& rng) const {
    const Question q = arithmetic::parse_question(item.blob);
    const bool shows_working = style == "working" || (style.empty() && rng.real() < working_);
    if (!shows_working && !style.empty() && style != "direct") {
      throw qed::Error("there is no style `" + std::string(style) + "`", QED_INVALID);
    }
    std::string text(template_ == "plain" ? "<think>" : "");  // else the prefill has it
    if (shows_working) text += arithmetic::working(q);
    return text + "</think><answer>" + q.result() + "</answer>";
  }

 private:
  char draw_operator(qed::Rng& rng) const {
    if (operator_ == "mixed") return "+-*"[rng.integer(0, 2)];
    return operator_ == "add" ? '+' : operator_ == "subtract" ? '-' : '*';
  }

  // TinyZero's multiply.py: one number in four has up to two digits fewer, one up to one fewer.
  std::int64_t draw_operand(qed::Rng& rng) const {
    const auto power = [](std::int64_t n) {
      std::int64_t out = 1;
      while (n-- > 0) out *= 10;
      return out;
    };
    if (operands_ == "uniform") return rng.integer(power(digits_ - 1), power(digits_) - 1);
    const std::int64_t r = rng.integer(0, 3);
    return rng.integer(0, power(r == 0 ? digits_ - 2 : r == 1 ? digits_ - 1 : digits_) - 1);
  }

  // The four tags once each, in order, with nothing before, after, or between thought and answer.
  qed::Score exact(const qed::Sample& sample, const std::string& expected) const {
    if (sample.finish != qed::Finish::kStop) return score(0, false, "no end token");
    std::string buffer;
    const auto parts = qed::think_answer(qed::whole_text({}, sample.prefill, sample.text, buffer));
    const bool is_tight = parts && parts->between.empty() && parts->after.empty() &&
                          (parts->before.empty() || parts->before.size() < sample.prefill.size());
    if (!is_tight) {
      return score(0, false, "the tags are not once each, in order, with nothing outside");
    }
    if (parts->answer != expected) return score(wrong_, false, "wrong, expected " + expected);
    return score(right_, true, "right");
  }

  // The last <answer> on one line after the first `Assistant:`, read by int(). The branch with a
  // reward for length adds a 3000th for each character of prompt and completion.
  qed::Score tinyzero(const qed::Sample& sample, const std::string& expected) const {
    std::string buffer;
    const std::string_view text =
        qed::whole_text(sample.prompt, sample.prefill, sample.text, buffer);
    auto solution = qed::after_first(text, "Assistant:");
    if (!solution && template_ == "plain" && !sample.prompt.empty()) solution = sample.text;
    if (!solution) return score(0, false, "no header");
    const auto match = qed::last_between(*solution, "<answer>", "</answer>", qed::Dot::kLine);
    if (!match) return score(0, false, "no answer");
    const auto answer = qed::canonical_int(qed::strip(*match));
    if (!answer) return score(0, false, "no integer");
    if (*answer != expected) return score(wrong_, false, "wrong value");
    const double extra =
        reward_ == "tinyzero_len" ? static_cast<double>(qed::length(text)) / 3000 : 0;
    return score(right_ + extra, true, "right");
  }

  qed::Score score(double reward, bool is_right, std::string note) const {
    qed::Score out{.reward = reward, .note = std::move(note)};
    out.verdict = is_right ? qed::Verdict::kRight : qed::Verdict::kWrong;
    out.terms[0] = is_right ? 1 : 0;
    out.terms[1] = is_right || out.note.starts_with("wrong") ? 1 : 0;
    return out;
  }

  std::string operator_ = "add", operands_ = "uniform", template_ = "plain", reward_ = "exact";
  std::int64_t digits_ = 3;
  double right_ = 1, wrong_ = 0.1, working_ = 0.5;
};

}  // namespace

QED_PLUGIN("dev.qed.arithmetic", "Apache-2.0", qed::Task<Arithmetic>);
