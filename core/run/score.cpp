// `qed score`: log-probs of given completions under a model.

#include "core/data/dataset.h"
#include "core/model/model_folder.h"
#include "core/model/transformer.h"
#include "core/ops/select_rows.h"
#include "core/report/live_line.h"
#include "core/run/engine.h"
#include "core/run/engine_call.h"
#include "core/run/interrupt.h"
#include "core/run/score_rows.h"
#include "core/train/packing.h"
#include "core/util/clock.h"
#include "core/util/error.h"

#include <ATen/core/grad_mode.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <span>

namespace qed {

namespace {

// Appends `"name":[...]` with the shortest numbers that read back as the same float32.
void append_list(std::string& out, const char* name, std::span<const float> values) {
  out += cat("\"", name, "\":[");
  for (std::size_t i = 0; i < values.size(); ++i) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, values[i]).ptr;
    if (i > 0) out += ',';
    out.append(text, static_cast<std::size_t>(end - text));
  }
  out += ']';
}

class Scorer {
 public:
  explicit Scorer(const ScoreRequest& request)
      : request_(request),
        folder_(open_model_folder(request.model)),
        reader_(request.model, folder_.config),
        model_(folder_.config, {.dtype = request.dtype, .is_trainable = false}) {
    model_.weights().load(folder_.tensors);
  }

  // Returns an exit code. At the first Ctrl-C the rows read so far still get their results.
  int run() {
    const std::atomic<bool>& is_stopped = catch_interrupts();
    const auto input = Dataset::open(request_.input);
    watch_.lap();  // loading the model is no part of the speed
    std::string json;
    for (std::uint64_t i = 0; !is_stopped; ++i) {
      json.clear();
      try {
        num_input_ = input->count();
        if (i >= num_input_) break;
        input->row(i, json);
        add(reader_.read(json, input->place(i)));
      } catch (const Error&) {
        flush();  // the rows before it have their results
        throw;
      }
    }
    flush();
    if (!request_.is_json) print_total();
    if (!is_stopped) return kExitOk;
    live_.clear();
    std::fprintf(stderr, "stopped after %llu of %llu rows\n",
                 static_cast<unsigned long long>(num_scored_),
                 static_cast<unsigned long long>(num_input_));
    return kExitInterrupted;
  }

 private:
  void add(ScoreRow row) {
    const auto size = static_cast<std::int64_t>(row.prompt.size() + row.completion.size());
    if (num_tokens_ > 0 && num_tokens_ + size > request_.max_tokens) flush();
    num_tokens_ += size;
    rows_.push_back(std::move(row));
  }

  // One forward over the rows so far. Bits of a row do not depend on the others.
  void flush() {
    std::vector<Sequence> sequences;  // of the rows with a completion
    for (const ScoreRow& row : rows_) {
      if (!row.completion.empty()) {
        sequences.push_back({.prompt = row.prompt, .completion = row.completion});
      }
    }
    ops::TokenLogp scores;
    if (!sequences.empty()) {
      const at::NoGradGuard no_grad;
      const Packed packed = pack(sequences);
      const at::Tensor h = model_.forward(packed.id, packed.position, {.offset = packed.offset});
      scores = model_.token_logp(ops::select_rows(h, packed.row), packed.target,
                                 packed.inv_temperature, packed.support);
    }
    std::size_t at = 0;
    for (const ScoreRow& row : rows_) {
      const std::size_t n = row.completion.size();
      const auto part = [&](const at::Tensor& t) {
        return n == 0 ? std::span<const float>() : std::span(t.const_data_ptr<float>() + at, n);
      };
      print(part(scores.logp), part(scores.entropy));
      at += n;
    }
    std::fflush(stdout);
    num_scored_ += rows_.size();
    tokens_read_ += num_tokens_;
    rows_.clear();
    num_tokens_ = 0;
    show_progress();
  }

  void show_progress() {
    if (!shows_progress_ || num_scored_ == 0) return;
    const double s = watch_.seconds(), done = static_cast<double>(num_scored_);
    char text[128];
    std::snprintf(text, sizeof text, "scored %llu of %llu rows, %.0f tokens/s, %.0f s to go",
                  static_cast<unsigned long long>(num_scored_),
                  static_cast<unsigned long long>(num_input_),
                  static_cast<double>(tokens_read_) / s,
                  s / done * static_cast<double>(num_input_ - num_scored_));
    live_.update(text);
  }

  void print(std::span<const float> logp, std::span<const float> entropy) {
    if (request_.is_json) {
      std::string line = "{";
      append_list(line, "logp", logp);
      append_list(line += ',', "entropy", entropy);
      std::printf("%s}\n", line.c_str());
      return;
    }
    double sum = 0, entropies = 0;
    for (std::size_t i = 0; i < logp.size(); ++i) sum += logp[i], entropies += entropy[i];
    if (num_printed_++ == 0) print_line("row", "tokens", "logp", "logp/token", "entropy");
    print_line(std::to_string(num_printed_), logp.size(), sum, entropies);
    total_logp_ += sum;
    total_entropy_ += entropies;
    total_tokens_ += logp.size();
  }

  static void print_line(const std::string& row, const std::string& tokens, const std::string& logp,
                         const std::string& mean, const std::string& entropy) {
    std::printf("%8s %8s %14s %11s %9s\n", row.c_str(), tokens.c_str(), logp.c_str(), mean.c_str(),
                entropy.c_str());
  }
  static void print_line(const std::string& row, std::size_t tokens, double logp, double entropy) {
    const auto fixed = [](double x) {
      char text[64];
      std::snprintf(text, sizeof text, "%.4f", x);
      return std::string(text);
    };
    const double n = static_cast<double>(tokens);
    print_line(row, std::to_string(tokens), fixed(logp), tokens > 0 ? fixed(logp / n) : "-",
               tokens > 0 ? fixed(entropy / n) : "-");
  }
  void print_total() const {
    if (num_printed_ > 0) print_line("all", total_tokens_, total_logp_, total_entropy_);
  }

  const ScoreRequest& request_;
  ModelFolder folder_;
  ScoreRowReader reader_;
  Transformer model_;
  std::vector<ScoreRow> rows_;
  std::int64_t num_tokens_ = 0;                                     // of rows_
  std::uint64_t num_printed_ = 0, num_scored_ = 0, num_input_ = 0;  // rows
  std::int64_t tokens_read_ = 0;
  const bool shows_progress_ = ::isatty(STDOUT_FILENO) == 0;  // else the rows themselves show it
  LiveLine live_;
  Stopwatch watch_;
  std::size_t total_tokens_ = 0;
  double total_logp_ = 0, total_entropy_ = 0;
};

}  // namespace

}  // namespace qed

extern "C" __attribute__((visibility("default"))) int qed_engine_score(
    const qed::ScoreRequest& request) {
  return qed::engine_call([&] {
    qed::use_threads(request.threads);
    return qed::Scorer(request).run();
  });
}
