#pragma once

// What `qed generate` prints: completions, in the order of the prompts, as soon as those before
// them are there; and how far it is.

#include "core/report/live_line.h"
#include "core/rollout/generate.h"
#include "core/run/generate_prompts.h"
#include "core/text/decode_stream.h"
#include "core/util/clock.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace qed {

struct OutputOptions {
  bool is_json = false;
  bool keeps_stop = false;    // leave a stop string in the text
  bool is_streaming = false;  // one completion, printed token by token
};

class GenerateOutput {
 public:
  // All must outlive it; `tokenizer` may be null.
  GenerateOutput(std::span<const PromptToComplete> prompts,
                 std::span<const GenerateRequest> requests, const Tokenizer* tokenizer,
                 const OutputOptions& options);

  // A token came; see GenerateOptions::on_token.
  void on_token(std::size_t request, std::size_t sample, const Completion& c);

  // After the last token. Prints finished completions that still wait for earlier ones, and one
  // line of figures to stderr. Returns whether all have finished.
  bool finish();

 private:
  struct Done {
    std::string text;  // printed form
    bool is_there = false;
  };

  std::string text_of(std::size_t request, const Completion& c) const;
  std::string cut(std::size_t request, std::string text, StopMatch match) const;
  std::string json_line(std::size_t request, std::size_t sample, const Completion& c) const;
  std::string block(std::size_t request, std::size_t sample, const Completion& c) const;
  void stream(const Completion& c);
  void print_ready();
  std::string progress() const;

  std::span<const PromptToComplete> prompts_;
  std::span<const GenerateRequest> requests_;
  const Tokenizer* tokenizer_;
  OutputOptions options_;
  LiveLine live_;
  Stopwatch watch_;
  double next_update_s_ = 0;
  std::vector<Done> done_;          // by sample, numbered through
  std::vector<std::size_t> first_;  // of each request
  std::size_t next_ = 0;            // of done_, to be printed
  std::size_t num_done_ = 0, num_tokens_ = 0;
  std::unique_ptr<DecodeStream> decoder_;  // streaming
  std::string held_;                       // decoded, but perhaps the start of a stop string
};

}  // namespace qed
