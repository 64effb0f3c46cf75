// Tests of a task's verifier: whatever text a model writes, it gets a score, and the same one.

#include "core/check/exercise.h"
#include "core/check/odd_texts.h"
#include "core/check/registry.h"
#include "core/host/plugin_call.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace qed::check {
namespace {

// What is wrong with a score of an ordinary item, or nothing.
std::string score_problem(const ScoreData& s) {
  if (!s.is_ok()) return cat("status ", s.status, ", `", shown(s.note), "`");
  if (!std::isfinite(s.reward)) return cat("status OK and the reward ", s.reward);
  for (const float term : s.terms) {
    if (!std::isfinite(term)) return cat("status OK and a term that is ", term);
  }
  if (s.verdict > QED_VERDICT_WRONG) return cat("the verdict ", s.verdict);
  return is_utf8(s.note) ? "" : "a note that is not UTF-8";
}

// A task with an object and the ordinary completions of its first items.
struct Setup {
  explicit Setup(const Subject& s) : object(s), task(object) {
    if (task.is_multi_turn()) throw Skipped{"a multi-turn task is not asked to verify"};
    corpus = make_corpus(s);
  }
  Object object;
  TaskCaller task;
  Corpus corpus;
};

std::vector<ScoreData> verify(const TaskCaller& task, std::span<const SampleData> samples) {
  return task.verify(samples).get("verify");
}

std::string lines(const std::vector<ScoreData>& scores) {
  std::string out;
  for (std::size_t i = 0; i < scores.size(); ++i)
    out += cat("sample ", i, ": ", line(scores[i]), "\n");
  return out;
}

void check_verify(const Subject& s) {
  const Setup setup(s);
  const auto scores = verify(setup.task, setup.corpus.samples);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const std::string problem = score_problem(scores[i]);
    expect(problem.empty(), "the completion `", shown(setup.corpus.samples[i].text), "` gets ",
           problem);
  }
}

void check_pure(const Subject& s) {
  const Setup setup(s);
  const std::string expected = lines(verify(setup.task, setup.corpus.samples));
  expect_same(expected, lines(verify(setup.task, setup.corpus.samples)), "verified again");
  const Object other(s);
  expect_same(expected, lines(verify(TaskCaller(other), setup.corpus.samples)),
              "verified by another object");
}

void check_text(const TaskCaller& task, const SampleData& sample, std::string_view name) {
  const ScoreData score = verify(task, {&sample, 1}).front();
  expect(!score.is_ok() || score_problem(score).empty(), "a completion of ", name, " gets ",
         score_problem(score));
  expect(score.is_ok() || score.status == QED_DATA || score.status == QED_RESOURCE ||
             score.status == QED_DEADLINE,
         "a completion of ", name, " gets ", score_problem(score));
}

void check_odd_text(const Subject& s) {
  const Setup setup(s);
  const SampleData& ordinary = setup.corpus.samples.front();
  for (const OddText& odd : odd_texts()) {
    SampleData sample = ordinary;
    sample.text = odd.text;
    sample.tokens = tokens_of(odd.text, sample.finish);
    check_text(setup.task, sample, odd.name);
  }
}

void check_finish(const Subject& s) {
  const Setup setup(s);
  for (const std::uint32_t finish :
       {QED_FINISH_STOP, QED_FINISH_LENGTH, QED_FINISH_ABORT, 0u, 99u}) {
    std::vector<SampleData> samples = setup.corpus.samples;
    for (SampleData& sample : samples) {
      sample.finish = finish;
      sample.tokens = tokens_of(sample.text, finish);
    }
    for (const ScoreData& score : verify(setup.task, samples)) {
      const std::string problem = score_problem(score);
      expect(problem.empty(), "a completion with finish ", finish, " gets ", problem);
    }
  }
}

// A blob that the task never wrote, between ordinary ones.
void check_poison(const Subject& s) {
  const Setup setup(s);
  const auto expected = verify(setup.task, setup.corpus.samples);
  for (const std::string_view blob :
       {std::string_view("\x01 no item \xff"), std::string_view(""), std::string_view("{"),
        std::string_view("[[[[[[[["), std::string_view("{}"), std::string_view("\0\0\0", 3)}) {
    std::vector<SampleData> samples = setup.corpus.samples;
    const std::size_t at = samples.size() / 2;
    samples.insert(samples.begin() + static_cast<std::ptrdiff_t>(at), samples[at]);
    samples[at].item.blob = blob;
    auto scores = verify(setup.task, samples);
    const ScoreData poisoned = scores[at];
    expect(!poisoned.is_ok() || score_problem(poisoned).empty(), "a garbage item gets ",
           score_problem(poisoned));
    scores.erase(scores.begin() + static_cast<std::ptrdiff_t>(at));
    expect_same(lines(expected), lines(scores), "beside a garbage item");
  }
}

// The ordinary completions over and over, up to `n`.
std::vector<SampleData> many(const Corpus& corpus, std::size_t n) {
  std::vector<SampleData> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(corpus.samples[i % corpus.samples.size()]);
  return out;
}

void require_invariance(const Subject& s) {
  if (!s.has_flag(QED_BATCH_INVARIANT)) throw Skipped{"it is not QED_BATCH_INVARIANT"};
  if (s.has_flag(QED_WHOLE_GROUPS)) throw Skipped{"it scores whole groups"};
}

void check_batch(const Subject& s) {
  require_invariance(s);
  const Setup setup(s);
  const auto samples = many(setup.corpus, 256);
  const std::string expected = lines(verify(setup.task, samples));
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}}) {
    std::vector<ScoreData> scores;
    for (std::size_t i = 0; i < samples.size(); i += size) {
      const auto part = std::span(samples).subspan(i, std::min(size, samples.size() - i));
      for (ScoreData& score : verify(setup.task, part)) scores.push_back(std::move(score));
    }
    expect_same(expected, lines(scores), cat("in batches of ", size, " instead of 256"));
  }
}

void check_order(const Subject& s) {
  require_invariance(s);
  const Setup setup(s);
  auto samples = many(setup.corpus, 32);
  const std::string expected = lines(verify(setup.task, samples));
  std::ranges::reverse(samples);
  auto scores = verify(setup.task, samples);
  std::ranges::reverse(scores);
  expect_same(expected, lines(scores), "in reverse order");
}

// The demonstrations of the first items, scored.
std::vector<ScoreData> demonstrated(const TaskCaller& task, std::vector<SampleData>& samples) {
  if (!task.has_demonstrations()) throw Skipped{"it has no demonstrations"};
  const FirstItems first = first_items(task);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(first.count, 50); ++i) {
    const ItemData item = task.load(first.split, i).get("load");
    auto text = task.demonstrate(item, "", i);
    if (text.reply.status == QED_UNSUPPORTED) throw Skipped{"it has none with these options"};
    samples.push_back(
        make_sample(item, task.render(item).get("render"), std::move(text).get("demonstrate")));
  }
  return verify(task, samples);
}

void check_right(const Subject& s) {
  const Setup setup(s);
  std::vector<SampleData> samples;
  const auto scores = demonstrated(setup.task, samples);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    expect(scores[i].verdict == QED_VERDICT_RIGHT, "the demonstration of item ", i, ", `",
           shown(samples[i].text), "`, is not RIGHT: ", shown(scores[i].note));
  }
}

// Answers that a lazy model would find.
void check_gaming(const Subject& s) {
  const Setup setup(s);
  std::vector<SampleData> samples;
  const auto mean = [&](const std::vector<ScoreData>& scores) {
    double sum = 0;
    for (const ScoreData& score : scores) sum += score.is_ok() ? score.reward : 0;
    return sum / static_cast<double>(scores.size());
  };
  const double right = mean(demonstrated(setup.task, samples));
  const auto lazy = [&](std::string_view name, auto&& text_of) {
    std::vector<SampleData> tries = samples;
    for (SampleData& sample : tries) {
      sample.text = text_of(sample);
      sample.tokens = tokens_of(sample.text, sample.finish);
    }
    const double reward = mean(verify(setup.task, tries));
    expect(reward < right - 1e-9, name, " earns ", reward, " on average, a demonstration ", right);
  };
  lazy("nothing", [](const SampleData&) { return std::string(); });
  lazy("a constant answer", [](const SampleData&) { return std::string("The answer is 7."); });
  if (samples.size() > 1) {
    const std::string first = samples.front().text;
    lazy("one demonstration for all items", [&](const SampleData&) { return first; });
  }
  lazy("the prompt again", [](const SampleData& sample) { return sample.prompt; });
}

constexpr Test kTests[] = {
    {"task.verify", Level::kMust, "task", "ordinary completions get finite rewards and terms",
     &check_verify},
    {"task.pure", Level::kMust, "task", "a score does not depend on what was scored before",
     &check_pure},
    {"task.odd_text", Level::kMust, "task", "no text crashes or stalls the verifier",
     &check_odd_text},
    {"task.finish", Level::kMust, "task", "every finish reason gets a score", &check_finish},
    {"task.poison", Level::kMust, "task", "a garbage item spoils only itself", &check_poison},
    {"task.batch", Level::kMust, "task", "the size of a batch does not matter", &check_batch},
    {"task.order", Level::kMust, "task", "the order of a batch does not matter", &check_order},
    {"task.right", Level::kShould, "task", "demonstrations are RIGHT", &check_right},
    {"task.gaming", Level::kShould, "task", "lazy answers earn less than demonstrations",
     &check_gaming},
};

}  // namespace

std::span<const Test> task_text_tests() { return kTests; }

}  // namespace qed::check
