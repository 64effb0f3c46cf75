#pragma once

// Calls into a task and a reward under test, from plain data to plain data.

#include "core/check/subject.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qed::check {

struct ItemData {
  std::string key, blob;
};

struct PromptData {
  std::string messages = {}, text = {}, prefill = {}, stop = {};
  std::uint64_t max_new_tokens = 0;
  std::uint32_t keep_special = 0;

  // What the model would see: the raw text, or the messages as they are.
  const std::string& shown() const { return text.empty() ? messages : text; }
};

// A completion to score.
struct SampleData {
  ItemData item;
  std::string prompt, prefill, text;
  std::vector<std::int32_t> tokens;
  std::uint32_t finish = QED_FINISH_STOP;
  std::uint64_t group = 0, index = 0;
  std::uint64_t max_new_tokens = 1024;
};

struct ScoreData {
  std::int32_t status = QED_INTERNAL;
  double reward = 0;
  std::uint32_t verdict = QED_VERDICT_NONE;
  std::vector<float> terms;
  std::string note;

  bool is_ok() const { return status == QED_OK; }
};

// What a task said of a completion, for a reward term.
struct ScoredData {
  SampleData sample;
  double reward = 0;
  std::uint32_t verdict = QED_VERDICT_NONE;
};

struct TermData {
  std::int32_t status = QED_INTERNAL;
  double value = 0;
  std::uint32_t applies = 1;
  std::vector<float> tokens;
  std::string note;

  bool is_ok() const { return status == QED_OK; }
};

// One line, exact to the last bit, without a newline.
std::string line(const ScoreData& score);
std::string line(const TermData& term);

// The tokens of a text: a byte is a token, an end token follows a completion that stopped.
std::vector<std::int32_t> tokens_of(std::string_view text, std::uint32_t finish);

// What a call answered and what it gave.
template <class T>
struct Answer {
  Reply reply;
  T value{};
  bool has_refused = false;  // a writer did

  T get(std::string_view what) && {
    expect(reply.is_ok(), what, ": ", shown(reply));
    return std::move(value);
  }
};

class TaskCaller {
 public:
  explicit TaskCaller(const Object& object, const Form& form = {})
      : object_(object), form_(form), table_(object.subject().table<qed_task>()) {}

  std::vector<std::string> splits() const;
  std::size_t num_terms() const { return table_.terms.p == nullptr ? 0 : table_.terms.n; }
  bool has_demonstrations() const { return QED_HAS(qed_task, &table_, demonstrate); }
  bool is_multi_turn() const { return QED_HAS(qed_task, &table_, episode_open); }

  Answer<std::uint64_t> count(std::string_view split) const;
  Answer<ItemData> load(std::string_view split, std::uint64_t index) const;
  Answer<PromptData> render(const ItemData& item) const;
  Answer<std::string> demonstrate(const ItemData& item, std::string_view style,
                                  std::uint64_t seed) const;
  // Asks again while scores are pending, up to a minute. `is_cancelled`: the cancel word is set and
  // the deadline has passed before the call begins.
  Answer<std::vector<ScoreData>> verify(std::span<const SampleData> samples,
                                        bool is_cancelled = false) const;

 private:
  Answer<std::vector<ScoreData>> ask(std::span<const SampleData> samples, bool is_cancelled) const;

  const Object& object_;
  Form form_;
  const qed_task& table_;
};

class RewardCaller {
 public:
  explicit RewardCaller(const Object& object, const Form& form = {})
      : object_(object), form_(form), table_(object.subject().table<qed_reward>()) {}

  Answer<std::vector<TermData>> score(std::span<const ScoredData> samples) const;

 private:
  const Object& object_;
  Form form_;
  const qed_reward& table_;
};

}  // namespace qed::check
