// Programs that must pass tests, run in the host's sandbox.

#include "qed/rows.h"
#include "qed/task.h"

#include "item.h"
#include "pending.h"
#include "program.h"
#include "rules.h"

#include <algorithm>
#include <memory>

namespace {

constexpr std::string_view kOpenR1System =
    "You are a helpful AI Assistant that provides well-reasoned and detailed responses. You first "
    "think about the reasoning process as an internal monologue and then provide the user with the "
    "answer. Respond in the following format: <think>\n...\n</think>\n<answer>\n...\n</answer>";

std::string chat(std::string_view system, std::string_view user) {
  std::string out = "[";
  if (!system.empty()) {
    out += "{\"role\":\"system\",\"content\":" + qed::json::write(system) + "},";
  }
  return out + "{\"role\":\"user\",\"content\":" + qed::json::write(user) + "}]";
}

class Code {
 public:
  static constexpr qed::Info kInfo{
      .id = "dev.qed.code",
      .name = "code",
      .version = "1.0.0",
      .summary = "programs in Python or C++ that must pass tests",
      .flags = QED_CONCURRENT | QED_BATCH_INVARIANT | QED_IDEMPOTENT,
  };
  static constexpr std::string_view kSplits[] = {"train", "test"};
  static constexpr std::string_view kTerms[] = {"correct", "passed", "built"};

  void options(qed::Options& o) {
    o("data", data_, {.help = "rows to train on; \"\": none", .required = true});
    o("eval_data", eval_data_, {.help = "rows of the split `test`"});
    o("bad_rows", bad_rows_, {.choices = {"error", "skip"}, .help = "what a bad row does"});
    o("language", language_,
      {.choices = {"python", "cpp"}, .help = "of items that do not name theirs"});
    o("template", template_, {.choices = {"chat", "open_r1", "plain"}, .help = "whose prompt"});
    o("reward", reward_,
      {.choices = {"strict", "code", "binary_code", "cf_code", "ioi_code"}, .help = "whose rule"});
    o("cf_mode", cf_mode_,
      {.choices = {"weighted_sum", "partial", "pass_fail"},
       .help = "cf_code: what tests are worth"});
    o("max_tests", max_tests_,
      {.min = 0, .help = "of an item that are run, from the first on; 0: all"});
    o("time", settings_.time_s,
      {.min = 0.01,
       .max = 3600,
       .unit = "s",
       .help = "processor time of a test, unless the item says"});
    o("memory", settings_.memory_mb,
      {.min = 16, .max = 1 << 20, .unit = "MB", .help = "memory of a test, unless the item says"});
  }

  void open(const qed::Host& host) {
    pending_ = std::make_unique<code::Pending>(qed::Sandbox(host));
    for (const auto& [path, rows] : {std::pair(&data_, &train_), std::pair(&eval_data_, &test_)}) {
      if (!path->empty()) rows->open(host, *path, code::from_row, bad_rows_ == "skip");
    }
  }

  std::uint64_t count(std::string_view split) const { return rows(split).count(); }

  qed::Item load(std::string_view split, std::uint64_t index) const {
    return rows(split).item(index);
  }

  qed::Prompt render(const qed::ItemView& item) const {
    const code::Contents c = code::read_item(item.blob);
    if (template_ == "plain") return {.text = c.prompt};
    if (template_ == "open_r1") return {.messages = chat(kOpenR1System, c.prompt)};
    return {.messages = chat("", c.prompt + "\n\n" + wish(c))};
  }

  std::string demonstrate(const qed::ItemView& item, std::string_view, qed::Rng&) const {
    const code::Contents c = code::read_item(item.blob);
    if (c.solution.empty()) throw qed::Error("the item has no `solution`", QED_UNSUPPORTED);
    const std::string block =
        "```" + language(c) + "\n" + c.solution + (c.solution.ends_with('\n') ? "```" : "\n```");
    if (template_ != "open_r1") return block;
    return "<think>\nI write the program.\n</think>\n<answer>\n" + block + "\n</answer>";
  }

  qed::Score verify(const qed::Sample& sample) const {
    code::Contents item = code::read_item(sample.item.blob);
    const auto num_tests = static_cast<std::size_t>(max_tests_);
    if (num_tests > 0 && item.tests.size() > num_tests) item.tests.resize(num_tests);
    if (reward_ == "strict" && sample.finish != qed::Finish::kStop) {
      return nothing(0, "no end token");
    }
    const auto block = reward_ == "strict" ? code::last_block(sample.text, language(item))
                                           : code::open_r1_block(sample.text, language(item));
    if (!block || block->empty()) return no_code(item);
    const auto make = [&] {
      return code::make_program(item, language(item), source(item, *block), settings_,
                                is_all_or_nothing());
    };
    const auto check = [&](const qed::Runs& runs) -> std::optional<qed::Program> {
      if (item.checker.empty()) return std::nullopt;
      auto program = code::make_checks(item, runs, settings_);
      return program.inputs.empty() ? std::nullopt : std::optional(std::move(program));
    };
    const auto ended = pending_->ask(key(sample), make, check);
    if (!ended) return {.status = QED_PENDING};
    return score(item, ended->program, ended->checks);
  }

 private:
  const qed::Rows& rows(std::string_view split) const {
    if (split == "train") return train_;
    if (split == "test") return test_;
    throw qed::Error("there is no split `" + std::string(split) + "`", QED_INVALID);
  }

  std::string language(const code::Contents& item) const {
    return item.language.empty() ? language_ : item.language;
  }

  std::string wish(const code::Contents& item) const {
    const std::string block = "in one block that begins with ```" + language(item) + ".";
    if (!item.function.empty()) {
      return "Write a Python function `" + item.function + "`, " + block;
    }
    return "Write a " + std::string(language(item) == "cpp" ? "C++17" : "Python 3") +
           " program that reads from standard input and writes to standard output, " + block;
  }

  bool is_all_or_nothing() const {
    return reward_ == "strict" || reward_ == "ioi_code" ||
           (reward_ == "cf_code" && cf_mode_ == "pass_fail");
  }

  std::string source(const code::Contents& item, std::string_view block) const {
    if (reward_ != "ioi_code" || language(item) != "cpp") return std::string(block);
    const auto header = std::ranges::find_if(
        item.files, [](const code::Test& file) { return file.input.ends_with(".h"); });
    return code::with_includes(block, header == item.files.end() ? "" : header->input);
  }

  static std::string key(const qed::Sample& sample) {
    return std::to_string(sample.group) + "/" + std::to_string(sample.index) + "/" +
           std::string(sample.item.key) + "/" + std::string(sample.text);
  }

  static qed::Score nothing(double reward, std::string note) {
    return {.reward = reward, .verdict = qed::Verdict::kWrong, .note = std::move(note)};
  }

  // For open-r1's `code`, no code is a program that does nothing.
  qed::Score no_code(const code::Contents& item) const {
    if (reward_ == "cf_code") return nothing(-1, "no code");
    if (reward_ != "code" && reward_ != "binary_code") return nothing(0, "no code");
    const auto n = std::ranges::count_if(item.tests, [&](const code::Test& t) {
      return item.checker.empty() && code::open_r1_equal("", t.output);
    });
    const double passed = static_cast<double>(n) / static_cast<double>(item.tests.size());
    return graded(passed, n == static_cast<std::ptrdiff_t>(item.tests.size()), true, "no code");
  }

  bool is_equal(const code::Contents& item, const std::string& output, std::size_t i) const {
    const std::string& expected = item.tests[i].output;
    if (!item.function.empty()) return code::same_json(output, expected);
    const bool is_open_r1 = reward_ == "code" || reward_ == "binary_code";
    return is_open_r1 ? code::open_r1_equal(output, expected) : code::same_lines(output, expected);
  }

  qed::Score score(const code::Contents& item, const qed::Runs& runs,
                   const qed::Runs& checks) const {
    if (language(item) == "cpp" && runs.build.outcome != qed::Outcome::kOk) {
      const std::string note = "it does not compile: " + runs.build.errors.substr(0, 1000);
      return nothing(reward_ == "cf_code" ? -0.1 : 0, note);
    }
    std::size_t num_passed = 0;
    std::size_t num_checks = 1;  // behind that of the expected output
    if (!checks.runs.empty() && !code::says_right(checks.runs[0])) {
      throw qed::Error("the item's checker does not take the expected output: " +
                       (checks.runs[0].output + checks.runs[0].errors).substr(0, 300));
    }
    bool is_late = false;
    std::string note;
    for (std::size_t i = 0; i < runs.runs.size(); ++i) {
      const qed::Run& run = runs.runs[i];
      const bool is_ok = run.outcome == qed::Outcome::kOk;
      is_late = is_late || run.outcome == qed::Outcome::kTime;
      const bool has_passed =
          is_ok && (item.checker.empty() ? is_equal(item, run.output, i)
                                         : code::says_right(checks.runs.at(num_checks++)));
      if (has_passed) ++num_passed;
      if (!has_passed && note.empty()) note = "test " + std::to_string(i + 1) + ": " + why(run);
    }
    const bool is_all = num_passed == runs.runs.size();
    double passed = static_cast<double>(num_passed) / static_cast<double>(runs.runs.size());
    if (is_late && (reward_ == "code" || reward_ == "binary_code")) passed = 0;
    return graded(passed, is_all, true, is_all ? "right" : note);
  }

  static std::string why(const qed::Run& run) {
    const std::size_t n = run.errors.size();
    switch (run.outcome) {
      case qed::Outcome::kOk:
        return "wrong answer";
      case qed::Outcome::kError:
        return "runtime error: " + run.errors.substr(n - std::min<std::size_t>(n, 500));
      case qed::Outcome::kTime:
        return "time limit";
      case qed::Outcome::kMemory:
        return "memory limit";
      case qed::Outcome::kOutput:
        return "output limit";
      default:
        return "not run";
    }
  }

  // `passed`: the fraction of the tests.
  qed::Score graded(double passed, bool is_all, bool is_built, std::string note) const {
    qed::Score out{.reward = is_all ? 1.0 : 0.0, .note = std::move(note)};
    if (reward_ == "code") out.reward = passed;
    if (reward_ == "binary_code") out.reward = passed > 0.99 ? 1 : 0;
    if (reward_ == "cf_code" && cf_mode_ == "partial") out.reward = passed;
    if (reward_ == "cf_code" && cf_mode_ == "weighted_sum") out.reward += 0.1 * passed;
    out.verdict = is_all ? qed::Verdict::kRight : qed::Verdict::kWrong;
    out.terms[0] = is_all ? 1 : 0;
    out.terms[1] = static_cast<float>(passed);
    out.terms[2] = is_built ? 1 : 0;
    return out;
  }

  std::string data_, eval_data_, bad_rows_ = "error", language_ = "python";
  std::string template_ = "chat", reward_ = "strict", cf_mode_ = "weighted_sum";
  std::int64_t max_tests_ = 0;
  code::Settings settings_;
  qed::Rows train_, test_;
  std::unique_ptr<code::Pending> pending_;
};

}  // namespace

QED_PLUGIN("dev.qed.code", "Apache-2.0", qed::Task<Code>);
