#include "core/report/sample_analysis.h"

#include <algorithm>
#include <limits>

#include "core/report/length_split.h"
#include "core/reward/eval_statistics.h"
#include "core/util/error.h"

namespace qed {
namespace {

void add_each(std::vector<std::int64_t>& to, const std::vector<std::int64_t>& other) {
  to.resize(std::max(to.size(), other.size()));
  for (std::size_t i = 0; i < other.size(); ++i) to[i] += other[i];
}

template <std::size_t N>
void add_each(std::array<std::int64_t, N>& to, const std::array<std::int64_t, N>& other) {
  for (std::size_t i = 0; i < N; ++i) to[i] += other[i];
}

void add_list(ListTally& to, const ListTally& other) {
  to.num_with += other.num_with;
  to.num_scored_with += other.num_scored_with;
  to.num_right_with += other.num_right_with;
  to.num_words += other.num_words;
  to.num_groups_with += other.num_groups_with;
  to.num_right_groups_with += other.num_right_groups_with;
}

double ratio(std::int64_t a, std::int64_t b) {
  return b == 0 ? std::numeric_limits<double>::quiet_NaN()
                : static_cast<double>(a) / static_cast<double>(b);
}

std::size_t place(Kind kind) { return static_cast<std::size_t>(kind); }

Kind kind_of(const LoggedSample& sample) {
  return sample.is_right       ? Kind::kCorrect
         : sample.is_formatted ? Kind::kFormatted
                               : Kind::kIncorrect;
}

using Numbers = std::vector<std::pair<std::string, double>>;

void add_kinds(const SampleTally& t, Numbers& out) {
  const auto of = [&](Kind kind) { return t.num_of_kind[place(kind)]; };
  const auto tokens = [&](Kind kind) { return t.tokens_of_kind[place(kind)]; };
  constexpr std::pair<const char*, Kind> kKinds[] = {{"correct", Kind::kCorrect},
                                                     {"formatted", Kind::kFormatted},
                                                     {"incorrect", Kind::kIncorrect}};
  for (const auto& [name, kind] : kKinds) {
    out.emplace_back(cat("share/", name), ratio(of(kind), t.num_scored()));
  }
  out.emplace_back("length/mean", ratio(t.num_tokens, t.num_samples));
  for (const auto& [name, kind] : kKinds) {
    out.emplace_back(cat("length/", name), ratio(tokens(kind), of(kind)));
  }
  out.emplace_back("length/wrong", ratio(tokens(Kind::kFormatted) + tokens(Kind::kIncorrect),
                                         of(Kind::kFormatted) + of(Kind::kIncorrect)));
}

void add_letters(const SampleTally& t, Numbers& out) {
  std::int64_t all = 0;
  for (const std::int64_t n : t.letters) all += n;
  out.emplace_back("mixed_frac", ratio(t.num_mixed, t.num_samples));
  out.emplace_back("foreign_letters_frac", ratio(t.num_foreign_letters, all));
  for (std::size_t i = 0; i < kNumScripts; ++i) {
    out.emplace_back(cat("letters/", kScriptNames[i]), ratio(t.letters[i], all));
  }
}

void add_passes(const SampleTally& t, Numbers& out) {
  if (t.groups.empty()) return;
  const std::int64_t k = t.groups.rbegin()->first.first;
  for (std::int64_t j = 1;; j = std::min(2 * j, k)) {
    double sum = 0;
    std::int64_t num = 0;
    for (const auto& [counts, times] : t.groups) {
      if (counts.first < j) continue;
      sum += static_cast<double>(times) * pass_at(j, counts.first, counts.second);
      num += times;
    }
    out.emplace_back(cat("pass@", j), sum / static_cast<double>(num));
    if (j == k) break;
  }
}

void add_list(const SampleTally& t, std::size_t i, std::string_view name, Numbers& out) {
  const ListTally l = i < t.lists.size() ? t.lists[i] : ListTally();
  std::int64_t num_right_groups = 0;
  for (const auto& [counts, times] : t.groups) num_right_groups += counts.second > 0 ? times : 0;
  const std::int64_t num_right = t.num_of_kind[place(Kind::kCorrect)];
  const auto add = [&](const char* what, std::int64_t a, std::int64_t b) {
    out.emplace_back(cat(name, "/", what), ratio(a, b));
  };
  add("frac", l.num_with, t.num_samples);
  add("per_sample", l.num_words, t.num_samples);
  add("right_with", l.num_right_with, l.num_scored_with);
  add("right_without", num_right - l.num_right_with, t.num_scored() - l.num_scored_with);
  add("reflection@k", l.num_groups_with, t.num_groups());
  add("precision", l.num_right_groups_with, l.num_groups_with);
  add("recall", l.num_right_groups_with, num_right_groups);
}

}  // namespace

SampleTally& SampleTally::operator+=(const SampleTally& other) {
  num_samples += other.num_samples;
  num_tokens += other.num_tokens;
  add_each(num_of_kind, other.num_of_kind);
  add_each(tokens_of_kind, other.tokens_of_kind);
  num_cut += other.num_cut;
  num_repeating += other.num_repeating;
  num_boxed += other.num_boxed;
  num_split += other.num_split;
  thinking_characters += other.thinking_characters;
  answer_characters += other.answer_characters;
  add_each(letters, other.letters);
  num_foreign_letters += other.num_foreign_letters;
  num_mixed += other.num_mixed;
  lists.resize(std::max(lists.size(), other.lists.size()));
  for (std::size_t i = 0; i < other.lists.size(); ++i) qed::add_list(lists[i], other.lists[i]);
  add_each(num_of_word, other.num_of_word);
  add_each(num_samples_with, other.num_samples_with);
  for (const auto& [counts, times] : other.groups) groups[counts] += times;
  return *this;
}

std::int64_t SampleTally::num_scored() const {
  std::int64_t out = 0;
  for (const std::int64_t n : num_of_kind) out += n;
  return out;
}

std::int64_t SampleTally::num_groups() const {
  std::int64_t out = 0;
  for (const auto& [counts, times] : groups) out += times;
  return out;
}

Numbers tally_numbers(const SampleTally& t) {
  Numbers out = {{"num_samples", static_cast<double>(t.num_samples)},
                 {"num_groups", static_cast<double>(t.num_groups())},
                 {"num_failed", static_cast<double>(t.num_samples - t.num_scored())}};
  add_kinds(t, out);
  out.emplace_back("length/thinking_chars", ratio(t.thinking_characters, t.num_split));
  out.emplace_back("length/answer_chars", ratio(t.answer_characters, t.num_split));
  out.emplace_back("clip_ratio", ratio(t.num_cut, t.num_samples));
  out.emplace_back("repeat_ratio", ratio(t.num_repeating, t.num_samples));
  out.emplace_back("box_ratio", ratio(t.num_boxed, t.num_samples));
  add_letters(t, out);
  add_passes(t, out);
  std::size_t i = 0;
  for (const KeywordList& list : reflection_lists()) add_list(t, i++, list.name, out);
  add_list(t, i, step_list().name, out);
  return out;
}

SampleTally SampleAnalysis::total() const {
  SampleTally out;
  for (const auto& [step, tally] : steps) out += tally;
  return out;
}

bool SampleAnalyzer::is_of_group(const LoggedSample& s) const {
  return group_ && group_->step == s.global_step && group_->group == s.group &&
         group_->item == s.item;
}

void SampleAnalyzer::add(const LoggedSample& s) {
  SampleTally& t = out_.steps[s.global_step];
  if (!is_of_group(s)) {
    close_group();
    group_ = {.step = s.global_step,
              .group = s.group,
              .item = s.item,
              .has_list = std::vector<bool>(counter_.lists().size(), false)};
  }
  ++t.num_samples;
  t.num_tokens += s.num_tokens;
  if (s.is_scored) {
    ++t.num_of_kind[place(kind_of(s))];
    t.tokens_of_kind[place(kind_of(s))] += s.num_tokens;
    ++group_->num_scored;
    group_->num_right += s.is_right ? 1 : 0;
  }
  t.num_cut += s.is_cut ? 1 : 0;
  t.num_repeating += has_repeat(s.completion) ? 1 : 0;
  t.num_boxed += has_box(s.completion) ? 1 : 0;
  if (const auto end = thinking_bytes(s.completion)) {
    const std::string_view text = s.completion;
    ++t.num_split;
    t.thinking_characters += static_cast<std::int64_t>(num_characters(text.substr(0, *end)));
    t.answer_characters += static_cast<std::int64_t>(num_characters(text.substr(*end)));
  }
  add_letters(s, t);
  add_words(s, t);
}

void SampleAnalyzer::add_letters(const LoggedSample& s, SampleTally& t) {
  constexpr ScriptCounts kNoLetters{};
  if (s.prompt != prompt_ || prompt_.empty()) {
    prompt_ = s.prompt;
    const ScriptCounts letters = count_letters(prompt_);
    for (std::size_t i = 0; i < kNumScripts; ++i) is_at_home_[i] = letters[i] > 0;
    if (letters == kNoLetters) is_at_home_[static_cast<std::size_t>(Script::kLatin)] = true;
  }
  const ScriptCounts letters = count_letters(s.completion);
  std::int64_t num_foreign = 0;
  for (std::size_t i = 0; i < kNumScripts; ++i) num_foreign += is_at_home_[i] ? 0 : letters[i];
  add_each(t.letters, letters);
  t.num_foreign_letters += num_foreign;
  t.num_mixed += num_foreign > 0 ? 1 : 0;
}

void SampleAnalyzer::add_words(const LoggedSample& s, SampleTally& t) {
  counter_.count(s.completion, counts_);
  t.num_of_word.resize(counts_.size());
  t.num_samples_with.resize(counts_.size());
  for (std::size_t w = 0; w < counts_.size(); ++w) {
    t.num_of_word[w] += counts_[w];
    t.num_samples_with[w] += counts_[w] > 0 ? 1 : 0;
  }
  t.lists.resize(counter_.lists().size());
  for (std::size_t i = 0; i < t.lists.size(); ++i) {
    std::int64_t num = 0;
    for (const std::size_t w : counter_.lists()[i]) num += counts_[w];
    if (num == 0) continue;
    ListTally& list = t.lists[i];
    list.num_words += num;
    ++list.num_with;
    if (!s.is_scored) continue;
    ++list.num_scored_with;
    list.num_right_with += s.is_right ? 1 : 0;
    group_->has_list[i] = true;
  }
}

void SampleAnalyzer::close_group() {
  if (!group_ || group_->num_scored == 0) return;
  SampleTally& t = out_.steps[group_->step];
  ++t.groups[{group_->num_scored, group_->num_right}];
  for (std::size_t i = 0; i < t.lists.size(); ++i) {
    if (!group_->has_list[i]) continue;
    ++t.lists[i].num_groups_with;
    t.lists[i].num_right_groups_with += group_->num_right > 0 ? 1 : 0;
  }
}

SampleAnalysis SampleAnalyzer::finish() {
  close_group();
  return std::move(out_);
}

FileAnalysis analyze_file(const std::filesystem::path& file) {
  std::map<std::optional<double>, SampleAnalyzer> analyzers;
  FileAnalysis out;
  out.has_unfinished_line =
      for_each_sample(file, [&](const LoggedSample& s) { analyzers[s.temperature].add(s); });
  for (auto& [temperature, analyzer] : analyzers) out.parts[temperature] = analyzer.finish();
  return out;
}

}  // namespace qed
