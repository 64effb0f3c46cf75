#pragma once

// A task in plain C++: data, prompts and a verifier. Write a class with these members and name it
// in QED_PLUGIN as qed::Task<MyTask>:
//
//   static constexpr qed::Info kInfo{...};
//   static constexpr std::string_view kSplits[] = {"train", "test"};    // "train" first
//   static constexpr std::string_view kTerms[] = {"correct", "format"};  // parts of the reward
//   void options(qed::Options&);                                 // optional; see options.h
//   std::uint64_t count(std::string_view split) const;           // or qed::kGenerative
//   qed::Item load(std::string_view split, std::uint64_t i) const;  // pure
//   qed::Prompt render(const qed::ItemView&) const;
//   qed::Score verify(const qed::Sample&) const;
//   std::string demonstrate(const qed::ItemView&, std::string_view style, qed::Rng&) const;
//                                                                // optional
//
// A blob is by custom one JSON object; json::Reader reads it without allocation.
// Members are const, are called from any thread, and may throw qed::Error.

#include "qed/philox.h"
#include "qed/plugin.h"

#include <array>
#include <limits>
#include <span>
#include <string>
#include <vector>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

inline constexpr std::uint64_t kGenerative = QED_GENERATIVE;  // every index is a seed

struct Item {
  std::string key;   // stable and public; equal questions share it
  std::string blob;  // the task's own bytes
};

struct ItemView {  // borrowed until the call returns
  std::string_view key;
  std::string_view blob;
};

struct Prompt {
  std::string messages = {};  // JSON array of {role, content}; or
  std::string text = {};      // raw text, for base models
  std::string prefill = {};   // start of the answer, written by the task
  std::vector<std::string> stop = {};
  std::uint64_t max_new_tokens = 0;  // 0: the run's
  bool keep_special = false;         // special tokens stay in Sample::text
};

enum class Finish : std::uint32_t {
  kStop = QED_FINISH_STOP,
  kLength = QED_FINISH_LENGTH,
  kAbort = QED_FINISH_ABORT
};

// One completion to score. Borrowed until the call returns.
struct Sample {
  ItemView item;
  std::string_view prompt;   // text that the model saw
  std::string_view prefill;  // empty: none
  std::string_view text;     // completion, without the prefill
  std::span<const std::int32_t> tokens;
  Finish finish;
  std::uint64_t group;
  std::uint64_t index;           // in the group
  std::uint64_t max_new_tokens;  // the budget that the completion had; 0: not known
};

enum class Verdict : std::uint32_t {
  kNone = QED_VERDICT_NONE,
  kRight = QED_VERDICT_RIGHT,
  kWrong = QED_VERDICT_WRONG
};

struct Score {
  std::int32_t status = QED_OK;                              // or QED_PENDING: the host asks again
  double reward = std::numeric_limits<double>::quiet_NaN();  // NaN is refused by the host
  Verdict verdict = Verdict::kNone;
  std::array<float, 16> terms = {};  // in the order of kTerms
  std::string note = {};             // why, for people
};

inline ItemView view(const qed_item& item) {
  return {view(item.key), {reinterpret_cast<const char*>(item.blob.p), item.blob.n}};
}

inline Sample view(const qed_sample& s) {
  return {.item = view(read(s.item)),
          .prompt = view(s.prompt),
          .prefill = view(s.prefill),
          .text = view(s.text),
          .tokens = {s.tokens.p, s.tokens.n},
          .finish = static_cast<Finish>(s.finish),
          .group = s.group,
          .index = s.index,
          .max_new_tokens = s.max_new_tokens};
}

template <class T>
struct Task {
  static std::int32_t count(const void* self, qed_call* call, qed_str split, std::uint64_t* n) {
    return guard(call->err, [&] { *n = get(self).count(view(split)); });
  }

  static std::int32_t load(const void* self, qed_call* call, qed_str split, std::uint64_t index,
                           qed_item_out* out) {
    return guard(call->err, [&] {
      const Item item = get(self).load(view(split), index);
      write(out->key, item.key);
      write(out->blob, item.blob);
    });
  }

  static std::int32_t render(const void* self, qed_call* call, const qed_item* item,
                             qed_prompt_out* out) {
    return guard(call->err, [&] {
      const Prompt prompt = get(self).render(view(read(item)));
      write(out->messages, prompt.messages);
      write(out->text, prompt.text);
      write(out->prefill, prompt.prefill);
      std::string stop;
      for (const auto& s : prompt.stop) {
        stop += stop.empty() ? '[' : ',';
        stop += json::write(s);
      }
      if (!stop.empty()) write(out->stop, stop + "]");
      out->max_new_tokens = prompt.max_new_tokens;
      out->keep_special = prompt.keep_special ? 1 : 0;
    });
  }

  static std::int32_t verify(const void* self, qed_call* call, const qed_sample* const* samples,
                             qed_score* const* scores, std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {  // one bad item spoils only itself
      qed_score& out = *scores[i];
      call->err->msg_len = 0;
      const std::int32_t failure =
          guard(call->err, [&] { score(get(self), read(samples[i]), out); });
      if (failure == QED_OK) continue;
      out.status = failure;
      guard(nullptr, [&] { write(out.note, message(*call->err)); });
    }
    return QED_OK;
  }

  static std::int32_t demonstrate(const void* self, qed_call* call, const qed_item* item,
                                  qed_str style, qed_writer* out) {
    return guard(call->err, [&] {
      if constexpr (has_demonstrations()) {
        Rng rng(call->seed);
        write(out, get(self).demonstrate(view(read(item)), view(style), rng));
      }
    });
  }

  static const qed_component* component() {
    static const auto kSplits = strs(T::kSplits);
    static const auto kTerms = strs(T::kTerms);
    static const qed_task kTable = {Object<T>::vtable(sizeof(qed_task)),
                                    {kSplits.data(), kSplits.size()},
                                    {kTerms.data(), kTerms.size()},
                                    &count,
                                    &load,
                                    &render,
                                    &verify,
                                    has_demonstrations() ? &demonstrate : nullptr,
                                    nullptr,
                                    nullptr,
                                    nullptr,
                                    nullptr,
                                    nullptr,
                                    nullptr};
    return Object<T>::component("qed.task/1", &kTable);
  }

 private:
  static_assert(std::size(T::kTerms) <= std::tuple_size_v<decltype(Score::terms)>,
                "a score has at most 16 terms");

  static constexpr bool has_demonstrations() {
    return requires(const T& t, Rng& rng) { t.demonstrate(ItemView{}, std::string_view(), rng); };
  }

  static std::string_view message(const qed_err& err) { return {err.msg, err.msg_len}; }

  static const T& get(const void* self) { return *static_cast<const T*>(self); }

  static std::vector<qed_str> strs(std::span<const std::string_view> names) {
    std::vector<qed_str> out;
    for (const auto name : names) out.push_back(str(name));
    return out;
  }

  static void score(const T& task, const qed_sample& in, qed_score& out) {
    const Score s = task.verify(view(in));
    if (s.status != QED_OK) {
      out.status = s.status;
      return;
    }
    out.reward = s.reward;
    out.verdict = static_cast<std::uint32_t>(s.verdict);
    const auto num_terms = std::min<std::size_t>(std::size(T::kTerms), out.terms.n);
    for (std::size_t i = 0; i < num_terms; ++i) out.terms.p[i] = s.terms[i];
    write(out.note, s.note);
    out.status = QED_OK;
  }
};

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
