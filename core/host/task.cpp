#include "core/host/task.h"

#include "core/host/plugin_call.h"
#include "core/util/error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <thread>

namespace qed {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMaxKey = 4096;
constexpr std::uint64_t kMaxText = 64 << 20;  // a prompt, a blob, a demonstration
constexpr std::uint64_t kMaxNote = 4096;      // more is cut
constexpr auto kMaxPending = 600s;

// Throws when a call failed or wrote too much; `what` begins the message.
void check_call(const Component& component, const std::string& what, const PluginCall& call,
                std::int32_t status, std::initializer_list<const TextSink*> sinks) {
  for (const TextSink* sink : sinks) {
    if (!sink->is_full()) continue;
    fail_plugin(component, cat(what, "it wrote more than ", sink->limit(), " bytes"));
  }
  if (status != QED_OK) fail_plugin(component, what + call.message(status));
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

qed_item item_to_abi(const Item& item) {
  return {sizeof(qed_item),
          0,
          to_abi(item.key),
          {reinterpret_cast<const std::uint8_t*>(item.blob.data()), item.blob.size()}};
}

}  // namespace

// One sample on its way through qed_task.verify. Not moved: the structs point at each other.
struct Task::VerifySlot {
  VerifySlot(const SampleView& view, std::size_t num_terms)
      : item(item_to_abi(*view.item)),
        note(kMaxNote, true),
        terms(num_terms),
        sample{sizeof(qed_sample),
               view.finish,
               &item,
               to_abi(view.prompt),
               to_abi(view.prefill),
               to_abi(view.text),
               {view.tokens.data(), view.tokens.size()},
               view.group,
               view.index} {
    reset();
  }

  // As abi.h says: what the plugin leaves out is a failure.
  void reset() {
    constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
    std::ranges::fill(terms, kNaN);
    note.text().clear();
    score = {
        sizeof(qed_score), QED_INTERNAL, kNaN, QED_VERDICT_NONE, 0, {terms.data(), terms.size()},
        note.abi()};
  }

  void fail(std::int32_t status, const std::string& why) {
    reset();
    score.status = status;
    note.text() = why;
  }

  // After a call: a score that says OK must hold a finite reward, all terms and a known verdict.
  void check(const PluginCall& call) {
    if (score.status == QED_PENDING) return;
    const bool has_terms = std::ranges::all_of(terms, [](float x) { return std::isfinite(x); });
    if (score.status != QED_OK) {
      fail(score.status,
           note.text().empty() ? call.message(score.status) : std::string(note.text()));
    } else if (!std::isfinite(score.reward)) {
      fail(QED_INTERNAL, cat("the task gave the reward ", score.reward));
    } else if (!has_terms || score.verdict > QED_VERDICT_WRONG) {
      fail(QED_INTERNAL, "the task left out a term of the reward, or gave an unknown verdict");
    }
  }

  Score take() {
    return {score.status, score.reward, score.verdict, std::move(terms), to_utf8(note.text())};
  }

  qed_item item;
  TextSink note;
  std::vector<float> terms;
  qed_sample sample;
  qed_score score{};
};

Task::Task(const Component& component, const std::string& options, const qed_host* host)
    : component_(component), table_(static_cast<const qed_task*>(component.abi->vtable)) {
  splits_ = read_names(component, table_->splits, "split");
  terms_ = read_names(component, table_->terms, "term");
  if (splits_.empty() || splits_.front() != "train") {
    fail_plugin_bug(component, "its first split is not `train`");
  }
  self_ = create_object(component, table_->object, options, host);
}

Task::~Task() { table_->object.destroy(self_); }

const std::string& Task::name() const { return component_.spec.name; }

std::unique_lock<std::mutex> Task::serialise() const {
  const bool is_concurrent = (component_.abi->flags & QED_CONCURRENT) != 0;
  return is_concurrent ? std::unique_lock<std::mutex>() : std::unique_lock(mutex_);
}

std::uint64_t Task::count(std::string_view split) const {
  PluginCall call;
  std::uint64_t n = 0;
  const auto lock = serialise();
  const std::int32_t status = table_->count(self_, call.abi(), to_abi(split), &n);
  if (status != QED_OK) fail_plugin(component_, call.message(status));
  return n;
}

Item Task::load(std::string_view split, std::uint64_t index) const {
  PluginCall call;
  TextSink key(kMaxKey), blob(kMaxText);
  qed_item_out out = {sizeof(qed_item_out), 0, key.abi(), blob.abi()};
  const auto lock = serialise();
  const std::int32_t status = table_->load(self_, call.abi(), to_abi(split), index, &out);
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
  const auto lock = serialise();
  const std::int32_t status = table_->render(self_, call.abi(), &in, &out);
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

void Task::ask(std::span<VerifySlot* const> slots, std::uint64_t seed) const {
  std::vector<const qed_sample*> samples;
  std::vector<qed_score*> scores;
  for (VerifySlot* slot : slots) {
    slot->reset();
    samples.push_back(&slot->sample);
    scores.push_back(&slot->score);
  }
  PluginCall call(seed);
  std::int32_t status = QED_OK;
  {
    const auto lock = serialise();
    status = table_->verify(self_, call.abi(), samples.data(), scores.data(), slots.size());
  }
  for (VerifySlot* slot : slots) {
    if (status != QED_OK) slot->score.status = status, slot->note.text().clear();
    slot->check(call);
  }
}

std::vector<Score> Task::verify(std::span<const SampleView> samples, std::uint64_t seed) const {
  std::vector<std::unique_ptr<VerifySlot>> slots;
  for (const SampleView& view : samples) {
    slots.push_back(std::make_unique<VerifySlot>(view, terms_.size()));
  }
  std::vector<VerifySlot*> open;
  for (const auto& slot : slots) open.push_back(slot.get());
  const auto give_up = std::chrono::steady_clock::now() + kMaxPending;
  for (auto wait = 1ms; !open.empty(); wait = std::min(2 * wait, 64ms)) {
    ask(open, seed);
    std::erase_if(open, [](const VerifySlot* slot) { return slot->score.status != QED_PENDING; });
    if (open.empty()) break;
    if (std::chrono::steady_clock::now() > give_up) {
      for (VerifySlot* slot : open) slot->fail(QED_DEADLINE, "the task gave no score in 600 s");
      break;
    }
    std::this_thread::sleep_for(wait);
  }
  std::vector<Score> scores;
  for (const auto& slot : slots) scores.push_back(slot->take());
  return scores;
}

std::optional<std::string> Task::demonstrate(const Item& item, std::string_view style,
                                             std::uint64_t seed) const {
  if (!QED_HAS(qed_task, table_, demonstrate)) return std::nullopt;
  PluginCall call(seed);
  const qed_item in = item_to_abi(item);
  TextSink out(kMaxText);
  const auto lock = serialise();
  const qed_str wish = style.empty() ? qed_str{} : to_abi(style);
  const std::int32_t status = table_->demonstrate(self_, call.abi(), &in, wish, out.abi());
  if (status == QED_UNSUPPORTED) return std::nullopt;
  const std::string what = cat("item `", item.key, "`: ");
  check_call(component_, what, call, status, {&out});
  return take_text(component_, out, what + "its demonstration");
}

}  // namespace qed
