#include "core/run/prompts.h"

#include "core/util/error.h"

namespace qed {

RenderedPrompt render(const Task& task, const Tokenizer& tokenizer, Item item,
                      std::int64_t max_new_tokens) {
  const Prompt prompt = task.render(item);
  if (!prompt.messages.empty()) {
    throw Error(
        cat("task `", task.name(), "` writes chat messages, and chat templates are not supported"),
        "choose a variant of the task that writes raw text");
  }
  RenderedPrompt out{
      std::move(item), prompt.text + prompt.prefill,
      prompt.prefill,  {},
      max_new_tokens,  prompt.keep_special ? DecodeMode::kKeepSpecial : DecodeMode::kSkipSpecial};
  out.stop = prompt.stop;
  if (prompt.max_new_tokens > 0)
    out.max_new_tokens = static_cast<std::int64_t>(prompt.max_new_tokens);
  out.tokens = tokenizer.encode(out.text);
  if (out.tokens.empty())
    throw Error(cat("task `", task.name(), "` rendered item `", out.item.key, "` to no token"));
  return out;
}

std::string completion_text(const Tokenizer& tokenizer, std::span<const std::int32_t> tokens,
                            DecodeMode mode) {
  std::vector<std::int32_t> known;
  for (const std::int32_t id : tokens) {
    if (id < tokenizer.vocab_size()) known.push_back(id);
  }
  return tokenizer.decode(known, mode);
}

std::string completion_text(const Tokenizer& tokenizer, const Completion& completion,
                            std::span<const std::string> stop, DecodeMode mode) {
  std::string text = completion_text(tokenizer, completion.tokens, mode);
  if (!completion.match) return text;
  return cut_at_stop(std::move(text), stop[completion.match->string], completion.match->tail, true);
}

Demonstration demonstrate(const Task& task, const Tokenizer& tokenizer, Item item,
                          std::uint64_t seed) {
  const auto text = task.demonstrate(item, "", seed);
  if (!text) {
    throw Error(
        cat("task `", task.name(), "` has no demonstrations, which a stage of kind \"sft\" needs"),
        "choose another task for this stage, or leave the stage out", kExitUsage);
  }
  RenderedPrompt prompt = render(task, tokenizer, std::move(item), 1);
  Demonstration out{std::move(prompt.tokens), tokenizer.encode(*text)};
  out.completion.push_back(tokenizer.eos_id());
  return out;
}

}  // namespace qed
