#include "core/report/keywords.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <string>
#include <utility>

namespace qed {
namespace {

using Words = std::string_view;

constexpr Words kOatZeroQwen[] = {"recheck", "rethink", "try again"};
constexpr Words kOatZeroDeepSeek[] = {"reevaluate",  "reevaluation", "recheck",   "rethink",
                                      "check again", "re-evaluate",  "try again", "re-examine"};
constexpr Words kOatZeroLlama[] = {"recheck",     "rethink",   "check again",
                                   "re-evaluate", "try again", "re-examine"};
constexpr Words kUnderstandR1Zero[] = {
    "recheck",      "rethink",     "reassess",    "reevaluate",   "re-evaluate",
    "reevaluation", "re-examine",  "reexamine",   "reconsider",   "reanalyze",
    "double-check", "check again", "think again", "verify again", "go over the steps"};
constexpr Words kSimpleRl[] = {"recheck",       "rethink", "try again", "wait",
                               "alternatively", "retry",   "however"};
constexpr Words kDemystify[] = {"wait", "recheck", "alternatively", "retry", "however"};
constexpr Words kLogicRl[] = {"verify", "re-evaluate", "yet"};
constexpr Words kSideBySide[] = {
    "rethink",      "recheck",     "try again",       "let's correct it and verify the steps again",
    "re-evaluate",  "check again", "let's try again", "let's think again",
    "too high",     "too low",     "close but",       "try another approach",
    "try different"};

constexpr Words kSteps[] = {"step 1", "\n1.", "first", "second", "next", "finally"};

constexpr std::string_view kOatZero = "sail-sg/oat-zero, analysis/eval_self_reflect.py";
constexpr std::string_view kReport =
    "a report that runs Logic-RL, SimpleRL, Open-R1 and TinyZero side by side";

constexpr KeywordList kReflection[] = {
    {"oat_zero_qwen", kOatZero, kOatZeroQwen},
    {"oat_zero_deepseek", kOatZero, kOatZeroDeepSeek},
    {"oat_zero_llama", kOatZero, kOatZeroLlama},
    {"understand_r1_zero", "sail-sg/understand-r1-zero, analysis/keyword_count.py",
     kUnderstandR1Zero},
    {"simplerl", "hkust-nlp/simpleRL-reason, eval/sh/collect_results.py", kSimpleRl},
    {"demystify", "arXiv:2502.03373", kDemystify},
    {"logic_rl", "arXiv:2502.14768", kLogicRl},
    {"side_by_side", kReport, kSideBySide}};

constexpr KeywordList kStepList = {"steps", kReport, kSteps};

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::span<const KeywordList> reflection_lists() { return kReflection; }

const KeywordList& step_list() { return kStepList; }

KeywordCounter::KeywordCounter() {
  std::vector<KeywordList> lists(std::begin(kReflection), std::end(kReflection));
  lists.push_back(kStepList);
  for (const KeywordList& list : lists) {
    std::vector<std::size_t>& places = lists_.emplace_back();
    for (const std::string_view word : list.words) {
      const auto found = std::find(words_.begin(), words_.end(), word);
      places.push_back(static_cast<std::size_t>(found - words_.begin()));
      if (found == words_.end()) words_.push_back(word);
    }
  }
  build();
}

void KeywordCounter::build() {
  std::vector<std::pair<std::string, std::size_t>> spellings;
  for (std::size_t w = 0; w < words_.size(); ++w) {
    const std::string word(words_[w]);
    spellings.emplace_back(word, w);
    if (const std::size_t at = word.find('\''); at != word.npos) {
      spellings.emplace_back(word.substr(0, at) + "\u2019" + word.substr(at + 1), w);
    }
  }
  for (const auto& [spelling, w] : spellings) {
    for (const char c : spelling) {
      std::uint8_t& k = class_[static_cast<unsigned char>(c)];
      if (k == 0) k = static_cast<std::uint8_t>(num_classes_++);
    }
  }
  std::vector<std::vector<std::size_t>> child(1, std::vector<std::size_t>(num_classes_, kNone));
  found_.resize(1);
  for (const auto& [spelling, w] : spellings) {
    std::size_t at = 0;
    for (const char c : spelling) {
      const std::uint8_t k = class_[static_cast<unsigned char>(c)];
      if (child[at][k] == kNone) {
        child[at][k] = child.size();
        child.emplace_back(num_classes_, kNone);
        found_.emplace_back();
      }
      at = child[at][k];
    }
    found_[at].push_back(w);
  }
  complete(child);
  for (char c = 'A'; c <= 'Z'; ++c) {
    class_[static_cast<unsigned char>(c)] = class_[static_cast<unsigned char>(lowered(c))];
  }
}

void KeywordCounter::complete(std::vector<std::vector<std::size_t>>& child) {
  // Breadth first: the state for the longest suffix is complete before it is asked.
  std::vector<std::size_t> suffix(child.size(), 0);
  std::queue<std::size_t> open({0});
  while (!open.empty()) {
    const std::size_t at = open.front();
    open.pop();
    for (std::size_t k = 0; k < num_classes_; ++k) {
      const std::size_t fallback = at == 0 ? 0 : child[suffix[at]][k];
      std::size_t& to = child[at][k];
      if (to == kNone) {
        to = fallback;
        continue;
      }
      suffix[to] = fallback;
      found_[to].insert(found_[to].end(), found_[fallback].begin(), found_[fallback].end());
      open.push(to);
    }
  }
  for (const auto& row : child) {
    for (const std::size_t to : row) {
      next_.push_back(static_cast<State>(to * num_classes_ * 2 + (found_[to].empty() ? 0 : 1)));
    }
  }
}

void KeywordCounter::count(std::string_view text, std::vector<std::uint32_t>& counts) const {
  counts.assign(words_.size(), 0);
  State state = next_[class_[static_cast<unsigned char>('\n')]];  // a text begins with a line
  for (const char c : text) {
    state = next_[state / 2 + class_[static_cast<unsigned char>(c)]];
    if (state % 2 == 0) continue;
    for (const std::size_t w : found_[state / 2 / num_classes_]) ++counts[w];
  }
}

}  // namespace qed
