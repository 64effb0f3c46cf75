// `qed chat`: a conversation with a model on the terminal.

#include "core/model/model_folder.h"
#include "core/model/transformer.h"
#include "core/rollout/generate.h"
#include "core/run/engine.h"
#include "core/run/engine_call.h"
#include "core/text/chat_template.h"
#include "core/text/decode_stream.h"
#include "core/util/error.h"
#include "core/util/terminal.h"

#include "qed/philox.h"

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <utility>

namespace qed {

namespace {

std::atomic<bool> is_cancelled{false};

// While it lives Ctrl-C ends the answer, not the program.
class AnswerIsCancellable {
 public:
  AnswerIsCancellable() : before_(std::signal(SIGINT, [](int) { is_cancelled = true; })) {
    is_cancelled = false;
  }
  ~AnswerIsCancellable() { std::signal(SIGINT, before_); }
  AnswerIsCancellable(const AnswerIsCancellable&) = delete;
  AnswerIsCancellable& operator=(const AnswerIsCancellable&) = delete;

 private:
  void (*before_)(int);
};

ChatTemplate open_template(const ChatRequest& request) {
  if (!request.chat_template.empty()) {
    return ChatTemplate::read(request.chat_template, request.model);
  }
  auto found = ChatTemplate::find(request.model);
  if (found) return std::move(*found);
  throw Error(cat(request.model.string(), " has no chat template"),
              "give one with --chat-template FILE; `qed generate` completes plain text",
              kExitUsage);
}

// What a terminal gets of a model's text: its control characters must not move the cursor.
std::string printable(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_control = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
    out += is_control ? '?' : c;
  }
  return out;
}

class Chat {
 public:
  explicit Chat(const ChatRequest& request)
      : request_(request),
        template_(open_template(request)),
        tokenizer_(Tokenizer::open(request.model)),
        folder_(open_model_folder(request.model)),
        model_(folder_.config, {.dtype = request.dtype, .is_trainable = false}),
        plan_(DrawPlan::at_temperature(request.temperature)) {
    check_vocabulary(request.model, folder_.config, tokenizer_.vocab_size());
    model_.weights().load(folder_.tensors);
    tokenizer_.add_end_of_turn(template_);
    if (!request.system.empty()) add("system", request.system);
  }

  // Reads a message per line until the input ends.
  void run() {
    const bool is_interactive = is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO);
    if (is_interactive) {
      std::fputs("Ctrl-C ends an answer, Ctrl-D the conversation.\n", stderr);
    }
    std::string line;
    while (true) {
      if (is_interactive) std::fputs("\n> ", stdout);
      std::fflush(stdout);
      if (!std::getline(std::cin, line)) break;
      if (line.empty()) continue;
      add("user", line);
      add("assistant", answer());
    }
    if (is_interactive) std::fputs("\n", stdout);
  }

 private:
  void add(const char* role, const std::string& content) {
    messages_.push_back({{"role", role}, {"content", content}});
  }

  // Prints the model's answer as it comes, and returns it.
  std::string answer() {
    const std::string text = template_.render(messages_.dump(), {.clock = TemplateClock::kLocal});
    GenerateRequest question{.prompt = tokenizer_.encode(text), .samples = {}, .max_new_tokens = 0};
    const auto size = static_cast<std::int64_t>(question.prompt.size());
    const std::int64_t window = folder_.config.max_position_embeddings;
    question.max_new_tokens = std::min(request_.max_new_tokens, window - size);
    if (question.max_new_tokens < 1) {
      throw Error(cat("the conversation has grown to ", size, " tokens, and the model's window is ",
                      window),
                  "begin a new one");
    }
    const std::uint64_t key =
        KeyHash().add(request_.seed).add("chat").add(messages_.size()).value();
    question.samples.push_back({.plan = &plan_, .key = key});

    std::string written;
    DecodeStream stream(tokenizer_, DecodeMode::kSkipSpecial);
    const auto write = [&](const std::string& piece) {
      written += piece;
      std::fputs(printable(piece).c_str(), stdout);
      std::fflush(stdout);
    };
    const AnswerIsCancellable cancellable;
    generate(model_, std::span(&question, 1),
             {.stop_ids = tokenizer_.stop_ids(),
              .names = {.max_new_tokens = "--max-new-tokens", .dtype = "--dtype"},
              .keep_support = false,
              .on_token = [&](std::size_t, std::size_t,
                              const Completion& c) { write(stream.push(c.tokens.back())); },
              .cancel = &is_cancelled});
    write(stream.finish());
    std::fputs("\n", stdout);
    return written;
  }

  const ChatRequest& request_;
  ChatTemplate template_;
  Tokenizer tokenizer_;
  ModelFolder folder_;
  Transformer model_;
  DrawPlan plan_;
  nlohmann::ordered_json messages_ = nlohmann::ordered_json::array();
};

}  // namespace

}  // namespace qed

extern "C" __attribute__((visibility("default"))) int qed_engine_chat(
    const qed::ChatRequest& request) {
  return qed::engine_call([&] {
    qed::use_threads(request.threads);
    qed::Chat(request).run();
    return qed::kExitOk;
  });
}
