#pragma once

// The chat template of a model: messages to the text that the model reads, byte for byte as
// transformers renders it (jinja2 with trimmed blocks and loop controls).
//
// A template is code that came with a model. It has no access to files or the network, and stops
// with an Error after ten million steps or 64 MiB of text. Every const method may be called from
// many threads at once. [any]

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct qtx_chat;

namespace qed {

// What time strftime_now tells a template. A run's prompts must not depend on the day: there the
// clock stands at 1 January 2026, 00:00.
enum class TemplateClock { kFixed, kLocal };

struct RenderOptions {
  bool add_generation_prompt = true;  // end where the assistant's answer begins
  std::string_view variables = "{}";  // JSON object: further variables, such as tools
  TemplateClock clock = TemplateClock::kFixed;
};

class ChatTemplate final {
 public:
  // The template of a model folder: chat_template.jinja, else `chat_template` of
  // tokenizer_config.json, which is a text or a list of named ones (then "default"). The special
  // tokens that tokenizer_config.json or special_tokens_map.json name are variables of it
  // (bos_token, eos_token, …). Nothing where the folder has no template. Throws Error naming the
  // file and the line of a template that is not valid.
  static std::optional<ChatTemplate> find(const std::filesystem::path& folder);

  // The same from a file of its own, with the special tokens of `folder`.
  static ChatTemplate read(const std::filesystem::path& file, const std::filesystem::path& folder);

  // From its own text; `name` is what messages call it, `variables` a JSON object.
  ChatTemplate(std::string name, std::string_view source, std::string variables = "{}");

  ChatTemplate(ChatTemplate&&) noexcept = default;
  ChatTemplate& operator=(ChatTemplate&&) noexcept = default;

  // Returns the text of `messages`, a JSON list of objects with `role` and `content`. Throws Error
  // with the template's file, the line and its own message where it raises, which it also does
  // where Python would, such as for content that is null.
  std::string render(std::string_view messages, const RenderOptions& options = {}) const;

  // Where the template is from, for messages.
  const std::string& name() const { return name_; }

 private:
  struct Free {
    void operator()(qtx_chat* handle) const;
  };

  std::string name_;
  std::string variables_;  // JSON object
  std::unique_ptr<qtx_chat, Free> handle_;
};

}  // namespace qed
