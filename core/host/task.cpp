#include "core/host/task.h"

#include "core/host/call_plugin.h"
#include "core/host/sample_batch.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <set>

namespace qed {
namespace {

constexpr std::uint64_t kMaxKey = 4096;
constexpr std::uint64_t kMaxText = 64 << 20;  // a prompt, a blob, a demonstration

// Throws when a call failed or wrote too much; `what` begins the message.
void check_call(const Component& component, const std::string& what, const PluginCall& call,
                std::int32_t status, std::initializer_list<const TextSink*> sinks) {
  for (const TextSink* sink : sinks) {
    if (!sink->is_full()) continue;
    fail_plugin(component, cat(what, "it wrote more than ", sink->limit(), " bytes"));
  }
  if (status != QED_OK) fail_call(component, what, call, status);
}

std::string take_text(const Component& component, TextSink& sink, const std::string& what) {
  if (!is_utf8(sink.text())) fail_plugin(component, what + " is not UTF-8");
  return std::move(sink.text());
}

std::vector<std::string> read_names(const Component& component, qed_strs names, const char* what) {
  std::vector<std::string> out;
  std::set<std::string_view> seen;
  for (std::uint64_t i = 0; names.p != nullptr && i < names.n; ++i) {
    const std::string_view name = from_abi(names.p[i]);
    if (name.empty() || !is_utf8(name)) {
      fail_plugin_bug(component, cat("the name of a ", what, " is empty or not UTF-8"));
    }
    if (!seen.insert(name).second) {
      fail_plugin_bug(component, cat("its ", what, " `", name, "` is there twice"));
    }
    out.emplace_back(name);
  }
  return out;
}

std::vector<std::string> read_stop(const Component& component, const std::string& text) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  const auto list = nlohmann::json::parse(text, nullptr, false);
  bool is_good = list.is_array();
  for (std::size_t i = 0; is_good && i < list.size(); ++i) {
    is_good = list[i].is_string() && !list[i].get_ref<const std::string&>().empty();
    if (is_good) out.push_back(list[i]);
  }
  if (!is_good)
    fail_plugin(component, "its stop strings are not a JSON array of non-empty strings");
  return out;
}

}  // namespace

// The samples of one Task::verify, and what the plugin writes for them. Not moved.
struct Task::Batch {
  Batch(std::span<const SampleView> views, std::size_t num)
      : samples(views),
        num_terms(num),
        terms(views.size() * num),
        notes(views.size()),
        scores(views.size()) {}

  std::span<float> terms_of(std::size_t i) { return {terms.data() + i * num_terms, num_terms}; }

  // As abi.h says: what the plugin leaves out is a failure.
  void reset(std::size_t i) {
    constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
    std::ranges::fill(terms_of(i), kNaN);
    notes[i].text().clear();
    scores[i] = {.size = sizeof(qed_score),
                 .status = QED_INTERNAL,
                 .reward = kNaN,
                 .verdict = QED_VERDICT_NONE,
                 .reserved = 0,
                 .terms = {terms_of(i).data(), num_terms},
                 .note = notes[i].abi()};
  }

  void fail(std::size_t i, std::int32_t status, const std::string& why) {
    reset(i);
    scores[i].status = status;
    notes[i].text() = why;
  }

  // After a call: a score that says OK must hold a finite reward, all terms and a known verdict.
  void check(std::size_t i, const PluginCall& call) {
    const qed_score& score = scores[i];
    if (score.status == QED_PENDING) return;
    if (score.status != QED_OK) {
      const std::string note = notes[i].text();
      return fail(i, score.status, note.empty() ? call.message(score.status) : note);
    }
    if (!std::isfinite(score.reward)) {
      return fail(i, QED_INTERNAL, cat("the task gave the reward ", score.reward));
    }
    const bool has_terms =
        std::ranges::all_of(terms_of(i), [](float x) { return std::isfinite(x); });
    if (has_terms && score.verdict <= QED_VERDICT_WRONG) return;
    fail(i, QED_INTERNAL, "the task left out a term of the reward, or gave an unknown verdict");
  }

  void take(std::size_t i, Score& out) {
    out.status = scores[i].status;
    out.reward = scores[i].reward;
    out.verdict = scores[i].verdict;
    out.terms.assign(terms_of(i).begin(), terms_of(i).end());
    out.note = std::move(notes[i].text());
    if (!is_utf8(out.note)) out.note = to_utf8(out.note);
  }

  SampleBatch samples;
  std::size_t num_terms;
  std::vector<float> terms;  // [samples, num_terms]
  std::vector<NoteSink> notes;
  std::vector<qed_score> scores;
};

Task::Task(const Component& component, const std::string& options, const qed_host* host,
           double timeout_s)
    : component_(component),
      table_(static_cast<const qed_task*>(component.abi->vtable)),
      lock_(component),
      watch_(component, "verify", timeout_s) {
  splits_ = read_names(component, table_->splits, "split");
  terms_ = read_names(component, table_->terms, "term");
  if (splits_.empty() || splits_.front() != "train") {
    fail_plugin_bug(component, "its first split is not `train`");
  }
  self_ = create_object(component, table_->object, options, host);
}

Task::~Task() { table_->object.destroy(self_); }

const std::string& Task::name() const { return component_.spec.name; }

std::uint64_t Task::count(std::string_view split) const {
  PluginCall call;
  std::uint64_t n = 0;
  const auto lock = lock_.hold();
  const std::int32_t status = call_plugin(
      component_, "count", [&] { return table_->count(self_, call.abi(), to_abi(split), &n); });
  if (status != QED_OK) fail_call(component_, "", call, status);
  return n;
}

Item Task::load(std::string_view split, std::uint64_t index) const {
  PluginCall call;
  TextSink key(kMaxKey), blob(kMaxText);
  qed_item_out out = {sizeof(qed_item_out), 0, key.abi(), blob.abi()};
  const auto lock = lock_.hold();
  const std::int32_t status = call_plugin(component_, "load", [&] {
    return table_->load(self_, call.abi(), to_abi(split), index, &out);
  });
  const std::string what = cat("item ", index, " of split `", split, "`: ");
  check_call(component_, what, call, status, {&key, &blob});
  if (key.text().empty()) fail_plugin(component_, what + "its key is empty");
  return {take_text(component_, key, what + "its key"), std::move(blob.text())};
}

Prompt Task::render(const Item& item) const {
  PluginCall call;
  const qed_item in = item_to_abi(item);
  TextSink messages(kMaxText), text(kMaxText), prefill(kMaxText), stop(kMaxText);
  qed_prompt_out out = {
      sizeof(qed_prompt_out), 0, messages.abi(), text.abi(), prefill.abi(), stop.abi(), 0};
  const auto lock = lock_.hold();
  const std::int32_t status = call_plugin(
      component_, "render", [&] { return table_->render(self_, call.abi(), &in, &out); });
  const std::string what = cat("item `", item.key, "`: ");
  check_call(component_, what, call, status, {&messages, &text, &prefill, &stop});
  Prompt prompt;
  prompt.messages = take_text(component_, messages, what + "its messages");
  prompt.text = take_text(component_, text, what + "its text");
  prompt.prefill = take_text(component_, prefill, what + "its prefill");
  prompt.stop = read_stop(component_, stop.text());
  prompt.max_new_tokens = out.max_new_tokens;
  prompt.keep_special = out.keep_special != 0;
  if (prompt.messages.empty() == prompt.text.empty()) {
    fail_plugin(component_, what + "a prompt has either messages or text, not both, not neither");
  }
  if (!prompt.messages.empty() &&
      !nlohmann::json::parse(prompt.messages, nullptr, false).is_array()) {
    fail_plugin(component_, what + "its messages are not a JSON array");
  }
  return prompt;
}

void Task::ask(Batch& batch, std::span<const std::size_t> indices, std::uint64_t seed) const {
  std::vector<const qed_sample*> samples;
  std::vector<qed_score*> scores;
  samples.reserve(indices.size());
  scores.reserve(indices.size());
  for (const std::size_t i : indices) {
    batch.reset(i);
    samples.push_back(batch.samples.sample(i));
    scores.push_back(&batch.scores[i]);
  }
  PluginCall call(seed);
  std::int32_t status = QED_OK;
  {
    const auto lock = lock_.hold();
    const CallWatch::Scope scope(watch_, call);
    status = call_plugin(component_, "verify", [&] {
      return table_->verify(self_, call.abi(), samples.data(), scores.data(), indices.size());
    });
  }
  for (const std::size_t i : indices) {
    if (status != QED_OK) batch.scores[i].status = status, batch.notes[i].text().clear();
    batch.check(i, call);
  }
}

std::vector<Score> Task::verify(std::span<const SampleView> samples, std::uint64_t seed) const {
  Batch batch(samples, terms_.size());
  ask_until_scored(
      samples.size(), by_group(), timeout_s(),
      [&](std::span<const std::size_t> indices) { ask(batch, indices, seed); },
      [&](std::size_t i) { return batch.scores[i].status == QED_PENDING; },
      [&](std::size_t i) {
        batch.fail(i, QED_DEADLINE, cat("the task gave no score in ", timeout_s(), " s"));
      });
  std::vector<Score> scores(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) batch.take(i, scores[i]);
  return scores;
}

std::optional<std::string> Task::demonstrate(const Item& item, std::string_view style,
                                             std::uint64_t seed) const {
  if (!QED_HAS(qed_task, table_, demonstrate)) return std::nullopt;
  PluginCall call(seed);
  const qed_item in = item_to_abi(item);
  TextSink out(kMaxText);
  const auto lock = lock_.hold();
  const qed_str wish = style.empty() ? qed_str{} : to_abi(style);
  const std::int32_t status = call_plugin(component_, "demonstrate", [&] {
    return table_->demonstrate(self_, call.abi(), &in, wish, out.abi());
  });
  if (status == QED_UNSUPPORTED) return std::nullopt;
  const std::string what = cat("item `", item.key, "`: ");
  check_call(component_, what, call, status, {&out});
  return take_text(component_, out, what + "its demonstration");
}

}  // namespace qed
