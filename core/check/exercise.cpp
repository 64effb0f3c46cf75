#include "core/check/exercise.h"

#include <algorithm>

namespace qed::check {
namespace {

constexpr std::size_t kItems = 4;

std::string session(const TaskCaller& task, const Corpus& corpus) {
  std::string out;
  for (const std::string& split : task.splits()) {
    out += cat("count ", split, " ", task.count(split).get("count"), "\n");
  }
  for (std::size_t i = 0; i < corpus.items.size(); ++i) {
    const ItemData item = task.load(corpus.split, i).get("load");
    const PromptData prompt = task.render(item).get("render");
    out += cat("key ", item.key, "\nblob ", item.blob, "\nmessages ", prompt.messages, "\ntext ",
               prompt.text, "\nprefill ", prompt.prefill, "\nstop ", prompt.stop, "\nbudget ",
               prompt.max_new_tokens, " ", prompt.keep_special, "\n");
    if (!task.has_demonstrations()) continue;
    const auto answer = task.demonstrate(item, "", i);
    out += cat("demonstration ", answer.reply.status, " ", answer.value, "\n");
  }
  if (task.is_multi_turn()) return out;
  for (const ScoreData& score : task.verify(corpus.samples).get("verify"))
    out += line(score) + "\n";
  return out;
}

std::string session(const RewardCaller& reward, const Corpus& corpus) {
  std::string out;
  for (const TermData& term : reward.score(corpus.scored).get("score")) out += line(term) + "\n";
  return out;
}

std::string session(const AlgorithmCaller& algorithm, const Corpus& corpus) {
  std::string out = cat("needs ", algorithm.needs(), "\n");
  for (const BatchData& batch : corpus.batches) {
    out += lines(algorithm.advantage(batch));
    out += lines(algorithm.loss(batch));
  }
  return out;
}

std::string session(const SamplerCaller& sampler, const Corpus& corpus) {
  std::string out;
  for (const qed_request& request : corpus.requests) {
    out += cat("step ", request.step, " index ", request.index, "\n");
    for (const OpData& op : sampler.plan(request)) out += line(op) + "\n";
  }
  if (!sampler.has_mask()) return out;
  for (const auto& row : sampler.mask(corpus.rows, kMaskVocab)) {
    for (const std::uint8_t byte : row) out += cat(int{byte}, " ");
    out += "\n";
  }
  return out;
}

void add_items(const Subject& subject, Corpus& corpus) {
  const Object object(subject);
  const TaskCaller task(object);
  const FirstItems first = first_items(task);
  corpus.split = first.split;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(kItems, first.count); ++i) {
    corpus.items.push_back(task.load(first.split, i).get(cat("load of item ", i)));
    for (SampleData& sample : completions(task, corpus.items.back(), i)) {
      corpus.samples.push_back(std::move(sample));
    }
  }
}

}  // namespace

FirstItems first_items(const TaskCaller& task) {
  for (const std::string& split : task.splits()) {
    const std::uint64_t n = task.count(split).get(cat("count of split `", split, "`"));
    if (n > 0) return {split, n};
  }
  throw Failure{"no split has an item"};
}

SampleData make_sample(const ItemData& item, const PromptData& prompt, std::string text,
                       std::uint32_t finish) {
  SampleData sample;
  sample.item = item;
  sample.prompt = prompt.shown();
  sample.prefill = prompt.prefill;
  sample.text = std::move(text);
  sample.tokens = tokens_of(sample.text, finish);
  sample.finish = finish;
  return sample;
}

std::vector<SampleData> completions(const TaskCaller& task, const ItemData& item,
                                    std::uint64_t group) {
  const PromptData prompt = task.render(item).get("render");
  std::vector<std::string> texts;
  if (task.has_demonstrations()) {
    const auto answer = task.demonstrate(item, "", group);
    if (answer.reply.is_ok()) texts.push_back(answer.value);
  }
  for (const char* text :
       {"42", "The answer is 7.", "<think>Let me see.</think><answer>1 + 2 = 3</answer>",
        "Step 1: nothing.\nStep 2: \\boxed{12}\n#### 12", "<answer></answer>"}) {
    texts.emplace_back(text);
  }
  texts.push_back(prompt.shown());
  std::vector<SampleData> out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::uint32_t finish = i % 3 == 2 ? QED_FINISH_LENGTH : QED_FINISH_STOP;
    SampleData sample = make_sample(item, prompt, texts[i], finish);
    sample.group = group;
    sample.index = i;
    out.push_back(std::move(sample));
  }
  return out;
}

std::vector<ScoredData> scored_corpus() {
  static constexpr const char* kTexts[] = {
      "<think>Two and two is four.</think>\n<answer>4</answer>",
      "<reasoning>\na\n</reasoning>\n<answer>\n4\n</answer>\n",
      "First, add. Second, check. Step 3: done.\n- one\n- two\nThe answer is 4.",
      "4",
      "no no no no no no no no no no no no no no no no no no no no no no no no",
      "<think>cut off in the mid",
      "\\boxed{4} and \u4f60\u597d, na\u00efve",
      "- 4 is it. - 4 is it. - 4 is it. - 4 is it. - 4 is it.",
  };
  const ItemData item = {"2+2", R"({"question":"2+2","answer":"4","gold":"4"})"};
  std::vector<ScoredData> out;
  for (std::size_t i = 0; i < 16; ++i) {
    const bool is_cut = i % 5 == 2;
    SampleData sample = make_sample(item, {.text = "What is 2+2?"}, kTexts[(i * 7 + i / 8) % 8],
                                    is_cut ? QED_FINISH_LENGTH : QED_FINISH_STOP);
    sample.group = i / 4;
    sample.index = i % 4;
    sample.max_new_tokens = 64;
    const bool is_right = i % 3 == 0;
    out.push_back({std::move(sample), is_right ? 1.0 : 0.0,
                   is_right ? QED_VERDICT_RIGHT : QED_VERDICT_WRONG});
  }
  return out;
}

Corpus make_corpus(const Subject& subject) {
  Corpus corpus;
  if (subject.kind == "task") add_items(subject, corpus);
  if (subject.kind == "reward") corpus.scored = scored_corpus();
  if (subject.kind == "algorithm") {
    corpus.batches = {random_batch(subject.seed),
                      random_batch(subject.seed + 1, {.is_multi_turn = true})};
  }
  if (subject.kind == "sampler") {
    corpus.requests = request_grid();
    for (std::uint64_t i = 0; i < 5; ++i) {
      corpus.rows.push_back({i, "What is 2+2?", tokens_of(std::string(3 * i, 'a'), 0)});
    }
  }
  return corpus;
}

std::string exercise(const Object& object, const Corpus& corpus, const Form& form) {
  const std::string& kind = object.subject().kind;
  if (kind == "task") return session(TaskCaller(object, form), corpus);
  if (kind == "reward") return session(RewardCaller(object, form), corpus);
  if (kind == "algorithm") return session(AlgorithmCaller(object, form), corpus);
  return session(SamplerCaller(object, form), corpus);
}

}  // namespace qed::check
