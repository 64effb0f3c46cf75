#include "core/run/prompts.h"

#include "core/util/error.h"

namespace qed {

namespace {

// The text of a prompt without its prefill.
std::string prompt_text(const Task& task, const Prompt& prompt, const ChatTemplate* chat) {
  if (prompt.messages.empty()) return prompt.text;
  if (chat == nullptr) {
    throw Error(cat("task `", task.name(), "` writes chat messages, and the model has no template"),
                "give a Jinja file as `chat_template` in [model], or choose a variant of the task "
                "that writes raw text",
                kExitUsage);
  }
  return chat->render(prompt.messages);
}

}  // namespace

RenderedPrompt render(const Task& task, const Tokenizer& tokenizer, const ChatTemplate* chat,
                      Item item, std::int64_t max_new_tokens) {
  const Prompt prompt = task.render(item);
  const bool is_raw = prompt.messages.empty();
  RenderedPrompt out{
      .item = std::move(item),
      .task = 0,
      .text = prompt_text(task, prompt, chat) + prompt.prefill,
      .prefill = prompt.prefill,
      .messages = prompt.messages,
      .tokens = {},
      .max_new_tokens = max_new_tokens,
      .decode = prompt.keep_special ? DecodeMode::kKeepSpecial : DecodeMode::kSkipSpecial,
      .stop = prompt.stop,
      .end_id = tokenizer.eos_id()};
  if (prompt.max_new_tokens > 0)
    out.max_new_tokens = static_cast<std::int64_t>(prompt.max_new_tokens);
  if (!is_raw) out.end_id = tokenizer.end_of_turn().value_or(out.end_id);
  // A chat template writes the start token itself.
  out.tokens = tokenizer.encode(out.text, is_raw ? EncodeMode::kAddSpecial : EncodeMode::kPlain);
  if (out.tokens.empty())
    throw Error(cat("task `", task.name(), "` rendered item `", out.item.key, "` to no token"));
  return out;
}

std::string completion_text(const Tokenizer& tokenizer, std::span<const std::int32_t> tokens,
                            DecodeMode mode) {
  std::vector<std::int32_t> known;
  for (const std::int32_t id : tokens) {
    if (tokenizer.id_to_token(id)) known.push_back(id);
  }
  return tokenizer.decode(known, mode);
}

std::string completion_text(const Tokenizer& tokenizer, const Completion& completion,
                            std::span<const std::string> stop, DecodeMode mode) {
  std::string text = completion_text(tokenizer, completion.tokens, mode);
  if (!completion.match) return text;
  return cut_at_stop(std::move(text), stop[completion.match->string], completion.match->tail, true);
}

Demonstration demonstrate(const Task& task, const Tokenizer& tokenizer, const ChatTemplate* chat,
                          Item item, std::uint64_t seed) {
  const auto text = task.demonstrate(item, "", seed);
  if (!text) {
    throw Error(
        cat("task `", task.name(), "` has no demonstrations, which a stage of kind \"sft\" needs"),
        "choose another task for this stage, or leave the stage out", kExitUsage);
  }
  RenderedPrompt prompt = render(task, tokenizer, chat, std::move(item), 1);
  Demonstration out{std::move(prompt.tokens), tokenizer.encode(*text)};
  out.completion.push_back(prompt.end_id);
  return out;
}

}  // namespace qed
