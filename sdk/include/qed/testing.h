#pragma once

// For unit tests of a plugin's components, in the process of the test and with any test framework:
// a host that lives in memory, and one class per kind that calls a component through the C ABI, as
// qed does. Not for plugins themselves. `qed plugin check` tests what the ABI asks of every plugin;
// these are for what your component alone should do.
//
//   qed::testing::TaskTest<Parity> task({{"digits", "4"}});    // options as JSON
//   const qed::Item item = task.load("train", 7);
//   EXPECT_EQ(task.verify(item, "odd").reward, 1);
//   EXPECT_THROW(task.load("train", 1000), qed::Error);        // a refusal, with its message
//
// Spans have their exact size, so AddressSanitizer sees what is read or written past their ends.

#include "qed/algorithm.h"
#include "qed/reward.h"
#include "qed/sampler.h"
#include "qed/task.h"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {
namespace testing {

using OptionTexts = std::map<std::string, std::string>;            // name -> JSON
using Metrics = std::map<std::string, std::pair<double, double>>;  // name -> sum, count

// A host with a log and data files in memory. Must outlive the objects that it made.
class FakeHost {
 public:
  FakeHost()
      : host_{sizeof(qed_host), QED_EPOCH, QED_LEVEL, 1, str("fake"), str("0"), this, &log, &get},
        files_{{sizeof(qed_host_dataset), 0, &open, &count, &row, &place, &close}, this} {
    add("qed.host.dataset/1", &files_.service);
  }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  const qed_host* abi() const { return &host_; }
  const std::vector<std::string>& lines() const { return lines_; }  // of the log
  // A data file: one JSON object per row. Columns are not selected.
  void add_file(std::string path, std::vector<std::string> rows) {
    rows_[std::move(path)] = std::move(rows);
  }
  // A service of your own; it must outlive this host.
  void add(std::string id, const void* service) { services_[std::move(id)] = service; }

 private:
  struct Files {
    qed_host_dataset service;  // first: `self` of its functions points here
    FakeHost* host;
  };
  using File = const std::pair<const std::string, std::vector<std::string>>;

  static void log(const qed_host* self, std::int32_t, qed_str message) {
    static_cast<FakeHost*>(self->host)->lines_.emplace_back(view(message));
  }
  static const void* get(const qed_host* self, qed_str id) {
    const auto& services = static_cast<FakeHost*>(self->host)->services_;
    const auto found = services.find(std::string(view(id)));
    return found == services.end() ? nullptr : found->second;
  }
  static std::int32_t open(const qed_host_dataset* self, qed_call* call, qed_str path, qed_strs,
                           void** data) {
    const auto& rows = reinterpret_cast<const Files*>(self)->host->rows_;
    const auto found = rows.find(std::string(view(path)));
    if (found == rows.end()) return fail(call->err, QED_DATA, "there is no such file");
    *data = const_cast<void*>(static_cast<const void*>(&*found));
    return QED_OK;
  }
  static std::int32_t count(const qed_host_dataset*, qed_call*, const void* data,
                            std::uint64_t* n) {
    *n = static_cast<File*>(data)->second.size();
    return QED_OK;
  }
  static std::int32_t row(const qed_host_dataset*, qed_call* call, const void* data,
                          std::uint64_t i, qed_writer* out) {
    return guard(call->err, [&] { write(out, static_cast<File*>(data)->second.at(i)); });
  }
  static std::int32_t place(const qed_host_dataset*, qed_call* call, const void* data,
                            std::uint64_t i, qed_writer* out) {
    return guard(call->err, [&] {
      write(out, static_cast<File*>(data)->first + ":" + std::to_string(i + 1));
    });
  }
  static void close(const qed_host_dataset*, void*) {}

  qed_host host_;
  Files files_;
  std::vector<std::string> lines_;
  std::map<std::string, std::vector<std::string>> rows_;
  std::map<std::string, const void*> services_;
};

// One call: an error buffer, a seed, and a cancel word. Not copied: it points into itself.
class Call {
 public:
  explicit Call(std::uint64_t seed = 1, std::uint64_t message_cap = 4096)
      : text_(message_cap, '\0'),
        err_{sizeof(qed_err), QED_OK, text_.data(), text_.size(), 0},
        call_{sizeof(qed_call), 0, seed, 0, &cancel_, &err_} {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  qed_call* abi() { return &call_; }
  void cancel() { cancel_ = 1; }
  std::string message() const { return text_.substr(0, err_.msg_len); }
  // Throws Error with the plugin's message unless the status is OK.
  void check(std::int32_t status) const {
    if (status != QED_OK) throw Error(message(), status);
  }

 private:
  std::string text_;
  std::uint32_t cancel_ = 0;
  qed_err err_;
  qed_call call_;
};

// Named sums from a component.
class MetricSink {
 public:
  MetricSink() : abi_{sizeof(qed_metrics), 0, this, &add} {}
  MetricSink(const MetricSink&) = delete;
  MetricSink& operator=(const MetricSink&) = delete;
  qed_metrics* abi() { return &abi_; }
  const Metrics& values() const { return values_; }

 private:
  static void add(qed_metrics* self, qed_str name, double sum, double count) {
    auto& [total, n] = static_cast<MetricSink*>(self->host)->values_[std::string(view(name))];
    total += sum, n += count;
  }
  qed_metrics abi_;
  Metrics values_;
};

// An object of a component: qed::Task<T>, qed::Reward<T> ... Options that are not given have their
// defaults. Throws Error when create refuses them.
template <class Component>
class ObjectTest {
 public:
  explicit ObjectTest(const OptionTexts& given = {}, const FakeHost* host = nullptr) {
    if (host == nullptr) host = (own_host_ = std::make_unique<FakeHost>()).get();
    std::string options;
    for (std::uint64_t i = 0; i < descriptor().num_options; ++i) {
      const qed_option& o = *descriptor().options[i];
      const auto found = given.find(std::string(view(o.name)));
      const std::string_view value =
          found == given.end() ? view(o.default_json) : std::string_view(found->second);
      ((options += options.empty() ? "" : ",") += json::write(view(o.name)) + ":") += value;
    }
    Call call;
    call.check(object().create(host->abi(), call.abi(), str("{" + options + "}"), &self_));
  }
  ~ObjectTest() { object().destroy(self_); }
  ObjectTest(const ObjectTest&) = delete;
  ObjectTest& operator=(const ObjectTest&) = delete;

  static const qed_component& descriptor() { return *Component::component(); }
  void* self() const { return self_; }

 protected:
  template <class Table>
  static const Table& table() {
    return *static_cast<const Table*>(descriptor().vtable);
  }
  static const qed_object& object() { return table<qed_object>(); }

 private:
  std::unique_ptr<FakeHost> own_host_;
  void* self_ = nullptr;
};

// A completion to score. Its tokens are one per byte where none are given.
struct Completion {
  Item item = {};
  std::string text = {};
  Finish finish = Finish::kStop;
  std::string prompt = {}, prefill = {};
  std::vector<std::int32_t> tokens = {};
  std::uint64_t group = 0, index = 0, max_new_tokens = 1024;
};

// The qed_sample of a completion; points into it.
class SampleView {
 public:
  explicit SampleView(const Completion& c) : tokens_(c.tokens) {
    if (tokens_.empty()) tokens_.assign(c.text.begin(), c.text.end());
    item_ = {sizeof(qed_item),
             0,
             str(c.item.key),
             {reinterpret_cast<const std::uint8_t*>(c.item.blob.data()), c.item.blob.size()}};
    sample_ = {sizeof(qed_sample),
               static_cast<std::uint32_t>(c.finish),
               &item_,
               str(c.prompt),
               c.prefill.empty() ? qed_str{} : str(c.prefill),
               str(c.text),
               {tokens_.data(), tokens_.size()},
               c.group,
               c.index,
               c.max_new_tokens,
               {}};
  }
  SampleView(const SampleView&) = delete;
  SampleView& operator=(const SampleView&) = delete;
  const qed_sample* abi() const { return &sample_; }

 private:
  std::vector<std::int32_t> tokens_;
  qed_item item_;
  qed_sample sample_;
};

template <class T>
class TaskTest : public ObjectTest<Task<T>> {
 public:
  using ObjectTest<Task<T>>::ObjectTest;

  std::uint64_t count(std::string_view split) const {
    Call call;
    std::uint64_t n = 0;
    call.check(task().count(this->self(), call.abi(), str(split), &n));
    return n;
  }
  Item load(std::string_view split, std::uint64_t index) const {
    Call call;
    Item item;
    StringWriter key(item.key), blob(item.blob);
    qed_item_out out = {sizeof(qed_item_out), 0, key.abi(), blob.abi()};
    call.check(task().load(this->self(), call.abi(), str(split), index, &out));
    return item;
  }
  // `stop` holds the JSON array as its one element, where there is one.
  Prompt render(const Item& item) const {
    Call call;
    Prompt prompt;
    std::string stop_json;
    StringWriter messages(prompt.messages), text(prompt.text), prefill(prompt.prefill),
        stop(stop_json);
    qed_prompt_out out = {
        sizeof(qed_prompt_out), 0, messages.abi(), text.abi(), prefill.abi(), stop.abi(), 0};
    const Completion completion = {.item = item};
    const SampleView view(completion);
    call.check(task().render(this->self(), call.abi(), view.abi()->item, &out));
    if (!stop_json.empty()) prompt.stop.push_back(stop_json);
    prompt.max_new_tokens = out.max_new_tokens;
    prompt.keep_special = out.keep_special != 0;
    return prompt;
  }
  // `terms` in the order of kTerms; NaN where a failure left them. `note` also says why it failed.
  std::vector<Score> verify(const std::vector<Completion>& completions) const {
    Call call;
    std::deque<SampleView> views;
    std::deque<StringWriter> notes;
    std::vector<Score> out(completions.size());
    std::deque<qed_score> scores;
    std::vector<const qed_sample*> in;
    std::vector<qed_score*> results;
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i].terms.fill(std::numeric_limits<float>::quiet_NaN());
      in.push_back(views.emplace_back(completions[i]).abi());
      results.push_back(&scores.emplace_back(qed_score{sizeof(qed_score),
                                                       QED_INTERNAL,
                                                       out[i].reward,
                                                       QED_VERDICT_NONE,
                                                       0,
                                                       {out[i].terms.data(), task().terms.n},
                                                       notes.emplace_back(out[i].note).abi()}));
    }
    call.check(task().verify(this->self(), call.abi(), in.data(), results.data(), in.size()));
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i].status = scores[i].status;
      out[i].reward = scores[i].reward;
      out[i].verdict = static_cast<Verdict>(scores[i].verdict);
    }
    return out;
  }
  Score verify(const Item& item, std::string text, Finish finish = Finish::kStop) const {
    return verify({{.item = item, .text = std::move(text), .finish = finish}}).front();
  }
  std::string demonstrate(const Item& item, std::string_view style = {},
                          std::uint64_t seed = 1) const {
    Call call(seed);
    std::string text;
    StringWriter out(text);
    const Completion completion = {.item = item};
    const SampleView view(completion);
    call.check(
        task().demonstrate(this->self(), call.abi(), view.abi()->item, str(style), out.abi()));
    return text;
  }

 private:
  static const qed_task& task() { return TaskTest::template table<qed_task>(); }
};

}  // namespace testing
}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
