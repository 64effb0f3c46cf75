#include "core/check/task_caller.h"

#include "core/host/plugin_call.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>

namespace qed::check {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t kMaxTokens = 1 << 16;
constexpr std::int32_t kEndToken = 256;

const qed_item* put(Frame& frame, const ItemData& item) {
  return frame.input_struct(qed_item{0, 0, frame.text(item.key), frame.bytes(item.blob)});
}

const qed_sample* put(Frame& frame, const SampleData& s) {
  return frame.input_struct(qed_sample{0,
                                       s.finish,
                                       put(frame, s.item),
                                       frame.text(s.prompt),
                                       s.prefill.empty() ? qed_str{} : frame.text(s.prefill),
                                       frame.text(s.text),
                                       {frame.array<std::int32_t>(s.tokens), s.tokens.size()},
                                       s.group,
                                       s.index,
                                       s.max_new_tokens,
                                       {}});
}

std::string exact(double x) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.17g", x);
  return buffer;
}

std::string exact(const std::vector<float>& values) {
  std::string out;
  for (const float x : values) out += (out.empty() ? "" : ",") + exact(x);
  return out;
}

// Dense arrays of pointers, as a batch call takes them.
template <class T>
T* const* pointers(Frame& frame, const std::vector<T*>& list) {
  return frame.array<T*>(std::span<T* const>(list));
}

}  // namespace

std::string line(const ScoreData& s) {
  return cat("status ", s.status, " reward ", exact(s.reward), " verdict ", s.verdict, " terms ",
             exact(s.terms), " note ", shown(s.note));
}

std::string line(const TermData& t) {
  return cat("status ", t.status, " value ", exact(t.value), " applies ", t.applies, " tokens ",
             exact(t.tokens), " note ", shown(t.note));
}

std::vector<std::int32_t> tokens_of(std::string_view text, std::uint32_t finish) {
  std::vector<std::int32_t> tokens;
  for (const char c : text.substr(0, kMaxTokens)) tokens.push_back(static_cast<unsigned char>(c));
  if (finish == QED_FINISH_STOP) tokens.push_back(kEndToken);
  return tokens;
}

std::vector<std::string> TaskCaller::splits() const {
  std::vector<std::string> out;
  for (std::uint64_t i = 0; table_.splits.p != nullptr && i < table_.splits.n; ++i) {
    out.emplace_back(from_abi(table_.splits.p[i]));
  }
  expect(!out.empty() && out.front() == "train", "the first split is not `train`");
  return out;
}

Answer<std::uint64_t> TaskCaller::count(std::string_view split) const {
  object_.rewind();
  Frame frame(form_);
  const qed_str name = frame.text(split);
  auto* n = frame.output<std::uint64_t>(1, 0);
  frame.seal();
  const Reply reply = frame.reply(table_.count(object_.self(), frame.call(), name, n));
  return {reply, *n};
}

Answer<ItemData> TaskCaller::load(std::string_view split, std::uint64_t index) const {
  object_.rewind();
  Frame frame(form_);
  const qed_str name = frame.text(split);
  Sink &key = frame.sink(), &blob = frame.sink();
  auto* out = frame.output_struct(qed_item_out{0, 0, key.abi, blob.abi});
  frame.seal();
  const Reply reply = frame.reply(table_.load(object_.self(), frame.call(), name, index, out));
  return {reply, {key.text, blob.text}, key.has_refused || blob.has_refused};
}

Answer<PromptData> TaskCaller::render(const ItemData& item) const {
  object_.rewind();
  Frame frame(form_);
  const qed_item* in = put(frame, item);
  Sink &messages = frame.sink(), &text = frame.sink(), &prefill = frame.sink(),
       &stop = frame.sink();
  auto* out =
      frame.output_struct(qed_prompt_out{0, 0, messages.abi, text.abi, prefill.abi, stop.abi, 0});
  frame.seal();
  const Reply reply = frame.reply(table_.render(object_.self(), frame.call(), in, out));
  return {
      reply,
      {messages.text, text.text, prefill.text, stop.text, out->max_new_tokens, out->keep_special},
      messages.has_refused || text.has_refused || prefill.has_refused || stop.has_refused};
}

Answer<std::string> TaskCaller::demonstrate(const ItemData& item, std::string_view style,
                                            std::uint64_t seed) const {
  object_.rewind();
  Frame frame(form_, seed);
  const qed_item* in = put(frame, item);
  const qed_str wish = style.empty() ? qed_str{} : frame.text(style);
  Sink& out = frame.sink();
  frame.seal();
  const Reply reply =
      frame.reply(table_.demonstrate(object_.self(), frame.call(), in, wish, out.abi));
  return {reply, out.text, out.has_refused};
}

Answer<std::vector<ScoreData>> TaskCaller::ask(std::span<const SampleData> samples,
                                               bool is_cancelled) const {
  object_.rewind();
  Frame frame(form_, object_.subject().seed);
  std::vector<const qed_sample*> in;
  std::vector<qed_score*> out;
  std::vector<Sink*> notes;
  for (const SampleData& sample : samples) {
    in.push_back(put(frame, sample));
    notes.push_back(&frame.sink());
    out.push_back(
        frame.output_struct(qed_score{0,
                                      QED_INTERNAL,
                                      kNaN,
                                      QED_VERDICT_NONE,
                                      0,
                                      {frame.output<float>(num_terms(), kNaN), num_terms()},
                                      notes.back()->abi}));
  }
  const auto* in_list = pointers(frame, in);
  const auto* out_list = pointers(frame, out);
  if (is_cancelled) frame.cancel(), frame.set_deadline(1);
  frame.seal();
  Answer<std::vector<ScoreData>> answer;
  answer.reply =
      frame.reply(table_.verify(object_.self(), frame.call(), in_list, out_list, samples.size()));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const qed_score& s = *out[i];
    answer.value.push_back(
        {s.status, s.reward, s.verdict, {s.terms.p, s.terms.p + s.terms.n}, notes[i]->text});
    answer.has_refused = answer.has_refused || notes[i]->has_refused;
  }
  return answer;
}

Answer<std::vector<ScoreData>> TaskCaller::verify(std::span<const SampleData> samples,
                                                  bool is_cancelled) const {
  using namespace std::chrono_literals;
  Answer<std::vector<ScoreData>> answer = ask(samples, is_cancelled);
  const auto give_up = std::chrono::steady_clock::now() + 60s;
  while (!is_cancelled && answer.reply.is_ok()) {
    std::vector<SampleData> open;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (answer.value[i].status != QED_PENDING) continue;
      open.push_back(samples[i]);
      places.push_back(i);
    }
    if (open.empty()) break;
    expect(std::chrono::steady_clock::now() < give_up, "a score is still pending after 60 s");
    std::this_thread::sleep_for(5ms);
    const auto again = ask(open, false);
    answer.reply = again.reply;
    for (std::size_t i = 0; i < open.size(); ++i) answer.value[places[i]] = again.value[i];
  }
  return answer;
}

Answer<std::vector<TermData>> RewardCaller::score(std::span<const ScoredData> samples) const {
  static constexpr std::string_view kNames[] = {"correct", "format"};
  const bool has_tokens = object_.subject().has_flag(QED_TOKEN_REWARDS);
  object_.rewind();
  Frame frame(form_, object_.subject().seed);
  const qed_str names[] = {frame.text(kNames[0]), frame.text(kNames[1])};
  const qed_strs term_names = {frame.array<qed_str>(names), 2};
  std::vector<const qed_scored*> in;
  std::vector<qed_term*> out;
  std::vector<Sink*> notes;
  for (const ScoredData& s : samples) {
    const float terms[] = {s.verdict == QED_VERDICT_RIGHT ? 1.0f : 0.0f, 1.0f};
    in.push_back(frame.input_struct(qed_scored{
        0, s.verdict, put(frame, s.sample), s.reward, term_names, {frame.array<float>(terms), 2}}));
    const std::size_t n = has_tokens ? s.sample.tokens.size() : 0;
    const qed_f32s_out tokens = {has_tokens ? frame.output<float>(n, 0.0f) : nullptr, n};
    notes.push_back(&frame.sink());
    out.push_back(
        frame.output_struct(qed_term{0, QED_INTERNAL, kNaN, 1, 0, tokens, notes.back()->abi}));
  }
  const auto* in_list = pointers(frame, in);
  const auto* out_list = pointers(frame, out);
  frame.seal();
  Answer<std::vector<TermData>> answer;
  answer.reply =
      frame.reply(table_.score(object_.self(), frame.call(), in_list, out_list, samples.size()));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const qed_term& t = *out[i];
    answer.value.push_back(
        {t.status, t.value, t.applies, {t.tokens.p, t.tokens.p + t.tokens.n}, notes[i]->text});
    answer.has_refused = answer.has_refused || notes[i]->has_refused;
  }
  return answer;
}

}  // namespace qed::check
