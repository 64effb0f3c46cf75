// How fast a task makes and scores items, on one core, through its C functions alone.
//
//   task_speed PLUGIN.so OPTIONS [COMPLETIONS.jsonl]
//
// OPTIONS is the component's options as canonical JSON. Generates items, demonstrates them, and
// scores the demonstrations, half of them with a character changed, padded in the thought to 300
// characters, in batches of 64. Prints one JSON object; writes the items and completions that it
// scored to COMPLETIONS.jsonl, for another program to score.

#include "qed/host.h"
#include "qed/json.h"
#include "qed/philox.h"

#include <dlfcn.h>
#include <time.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <limits>

namespace {

constexpr std::size_t kItems = 4096, kLength = 300, kBatch = 64;
constexpr double kSeconds = 1.0;  // of each measurement; the best of kRepeats counts
constexpr int kRepeats = 5;

struct Row {
  std::string key, blob, text;
};

class Plugin {
 public:
  Plugin(const char* path, const std::string& options) {
    void* library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(::dlerror());
    const auto entry = reinterpret_cast<qed_entry_fn>(::dlsym(library, "qed_entry_1"));
    const qed_plugin* plugin = entry(&host_, &err_);
    task_ = static_cast<const qed_task*>(plugin->components[0]->vtable);
    check(task_->object.create(&host_, &call_, qed::str(options), &self_));
  }

  Row load(std::uint64_t index) {
    Row row;
    qed::StringWriter key(row.key), blob(row.blob);
    qed_item_out out = {sizeof out, 0, key.abi(), blob.abi()};
    check(task_->load(self_, &call_, qed::str("train"), index, &out));
    return row;
  }
  std::string demonstrate(const Row& row) {
    const qed_item view = item(row);
    std::string text;
    qed::StringWriter out(text);
    check(task_->demonstrate(self_, &call_, &view, qed::str(""), out.abi()));
    return text;
  }
  // Scores rows[from, from + n); their rewards.
  void verify(const std::vector<Row>& rows, std::size_t from, std::size_t n,
              std::vector<double>& rewards) {
    qed_item items[kBatch];
    qed_sample samples[kBatch];
    const qed_sample* inputs[kBatch];
    qed_score scores[kBatch];
    qed_score* outputs[kBatch];
    float terms[kBatch][16];
    note_.clear();
    for (std::size_t i = 0; i < n; ++i) {
      const Row& row = rows[from + i];
      items[i] = item(row);
      samples[i] = {};
      samples[i].size = sizeof(qed_sample);
      samples[i].finish = QED_FINISH_STOP;
      samples[i].item = &items[i];
      samples[i].prefill = qed::str("<think>");
      samples[i].prompt = qed::str("Assistant: ");
      samples[i].text = qed::str(row.text);
      scores[i] = {
          sizeof(qed_score),          QED_INTERNAL, std::numeric_limits<double>::quiet_NaN(), 0, 0,
          {terms[i], task_->terms.n}, writer_.abi()};
      inputs[i] = &samples[i];
      outputs[i] = &scores[i];
    }
    check(task_->verify(self_, &call_, inputs, outputs, n));
    for (std::size_t i = 0; i < n; ++i) {
      check(scores[i].status);
      rewards.push_back(scores[i].reward);
    }
  }

 private:
  static qed_item item(const Row& row) {
    return {sizeof(qed_item),
            0,
            qed::str(row.key),
            {reinterpret_cast<const std::uint8_t*>(row.blob.data()), row.blob.size()}};
  }
  void check(std::int32_t status) {
    if (status == QED_OK) return;
    throw std::runtime_error(std::string(message_, static_cast<std::size_t>(err_.msg_len)) + note_);
  }
  static void log(const qed_host*, std::int32_t, qed_str) {}
  static const void* get(const qed_host*, qed_str) { return nullptr; }

  char message_[4096];
  qed_err err_ = {sizeof(qed_err), 0, message_, sizeof message_, 0};
  qed_call call_ = {sizeof(qed_call), 0, 0, 0, nullptr, &err_};
  qed_host host_ = make_host();
  const qed_task* task_ = nullptr;
  void* self_ = nullptr;
  std::string note_;
  qed::StringWriter writer_{note_};

  static qed_host make_host() {
    qed_host host{};
    host.size = sizeof host;
    host.log = &log;
    host.get_extension = &get;
    return host;
  }
};

// Of this thread: other programs on the machine do not count.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Calls of f, which does `n` things, per second.
template <class F>
double rate(std::size_t n, F&& f) {
  double best = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const double start = cpu_seconds();
    double elapsed = 0;
    std::size_t num_calls = 0;
    while ((elapsed = cpu_seconds() - start) < kSeconds / kRepeats) {
      f();
      ++num_calls;
    }
    best = std::max(best, static_cast<double>(num_calls * n) / elapsed);
  }
  return best;
}

// 300 characters, by a longer or shorter thought; one in two is damaged behind the thought.
std::string completion(std::string text, std::size_t i, qed::Rng& rng) {
  const std::size_t thought = std::min(text.find("</think>"), text.size());
  const std::size_t rest = text.size() - thought;
  std::string out = text.substr(0, std::min(thought, kLength > rest ? kLength - rest : 0));
  if (out.size() + rest < kLength) out.append(kLength - rest - out.size(), '.');
  out += text.substr(thought);
  if (i % 2 == 1) {
    const auto at = rng.integer(static_cast<std::int64_t>(out.size() - rest),
                                static_cast<std::int64_t>(out.size()) - 1);
    out[static_cast<std::size_t>(at)] = static_cast<char>(rng.integer('a', 'z'));
  }
  return out;
}

int run(const char* path, const std::string& options, const char* completions) {
  Plugin plugin(path, options);
  std::uint64_t next = 0;
  const double items = rate(kItems, [&] {
    for (std::size_t i = 0; i < kItems; ++i) plugin.load(next++);
  });
  qed::Rng rng(1);
  std::vector<Row> rows;
  double bytes = 0;
  for (std::size_t i = 0; i < kItems; ++i) {
    Row row = plugin.load(i);
    row.text = completion(plugin.demonstrate(row), i, rng);
    bytes += static_cast<double>(row.text.size());
    rows.push_back(std::move(row));
  }
  std::vector<double> rewards;
  const double scored = rate(kItems, [&] {
    rewards.clear();
    for (std::size_t i = 0; i < kItems; i += kBatch) plugin.verify(rows, i, kBatch, rewards);
  });
  double sum = 0;
  for (const double reward : rewards) sum += reward;
  std::printf(
      "{\"items_per_s\":%.0f,\"verify_per_s\":%.0f,\"mean_reward\":%.6f,"
      "\"mean_characters\":%.1f}\n",
      items, scored, sum / kItems, bytes / kItems);
  if (completions == nullptr) return 0;
  std::ofstream out(completions);
  for (const Row& row : rows) {
    out << "{\"item\":" << row.blob << ",\"completion\":" << qed::json::write(row.text) << "}\n";
  }
  return out.flush() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: task_speed PLUGIN.so OPTIONS [COMPLETIONS.jsonl]\n";
    return 2;
  }
  try {
    return run(argv[1], argv[2], argc > 3 ? argv[3] : nullptr);
  } catch (const std::exception& e) {
    std::cerr << "task_speed: " << e.what() << '\n';
    return 1;
  }
}
