#pragma once

// A short session with one object that touches every function of its kind on ordinary inputs,
// written down as a transcript. Two transcripts are equal exactly when all results are: most tests
// compare a session under some strain with one without.

#include "core/check/algorithm_caller.h"
#include "core/check/sampler_caller.h"
#include "core/check/subject.h"
#include "core/check/task_caller.h"

#include <string>
#include <vector>

namespace qed::check {

// The inputs of a session; only those of the subject's kind are there.
struct Corpus {
  std::string split;  // that the items are of
  std::vector<ItemData> items;
  std::vector<SampleData> samples;
  std::vector<ScoredData> scored;
  std::vector<BatchData> batches;
  std::vector<qed_request> requests;
  std::vector<MaskRowData> rows;
};

inline constexpr std::uint64_t kMaskVocab = 300;

// Made with an object of its own. Failure where a task has no item or cannot load one.
Corpus make_corpus(const Subject& subject);

std::string exercise(const Object& object, const Corpus& corpus, const Form& form = {});

// The first split that has items, and how many of its first ones to look at.
struct FirstItems {
  std::string split;
  std::uint64_t count = 0;  // of the split, or QED_GENERATIVE
};
FirstItems first_items(const TaskCaller& task);

// Completions of one item: a demonstration where there is one, then ordinary wrong ones.
std::vector<SampleData> completions(const TaskCaller& task, const ItemData& item,
                                    std::uint64_t group);

// A completion of an item that the task has rendered.
SampleData make_sample(const ItemData& item, const PromptData& prompt, std::string text,
                       std::uint32_t finish = QED_FINISH_STOP);

// Completions for reward terms: groups of four, of texts with tags, lists, repetitions, nothing.
std::vector<ScoredData> scored_corpus();

}  // namespace qed::check
