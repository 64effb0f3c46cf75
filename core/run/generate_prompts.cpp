#include "core/run/generate_prompts.h"

#include "core/data/dataset.h"
#include "core/data/items.h"
#include "core/run/prompts.h"
#include "core/run/row_fields.h"
#include "core/text/chat_template.h"
#include "core/util/error.h"
#include "core/util/words.h"

#include <algorithm>

namespace qed {

namespace {

constexpr std::int64_t kDefaultNewTokens = 256;
constexpr char kExample[] =
    R"(a row is written {"prompt": "text"}, or with `messages` (a list) or `prompt_ids`)";

class PromptReader {
 public:
  PromptReader(const GenerateCommand& command, const ModelConfig& config,
               const Tokenizer* tokenizer)
      : command_(command), config_(config), tokenizer_(tokenizer) {}

  std::vector<PromptToComplete> read() {
    if (command_.prompt) {
      add_text("--prompt", *command_.prompt, EncodeMode::kAddSpecial);
    } else if (!command_.input.empty()) {
      read_rows();
    } else {
      read_items();
    }
    return std::move(prompts_);
  }

 private:
  const Tokenizer& tokenizer() const {
    if (tokenizer_ != nullptr) return *tokenizer_;
    throw Error(cat(command_.model.string(), " has no tokenizer.json, and the prompts are text"),
                "put one there, or give rows with `prompt_ids`", kExitUsage);
  }

  void add_text(const std::string& place, const std::string& text, EncodeMode mode) {
    PromptToComplete& p = prompts_.emplace_back();
    p.place = place;
    p.text = text;
    p.tokens = tokenizer().encode(text, mode);
    fit(p, 0);
  }

  // Checks the length; `asked` is the prompt's own budget, 0 where it has none.
  void fit(PromptToComplete& p, std::int64_t asked) const {
    if (p.tokens.empty()) {
      throw Error(cat("the prompt in ", p.place, " has no token"),
                  "a completion needs at least one token before it", kExitUsage);
    }
    const auto length = static_cast<std::int64_t>(p.tokens.size());
    const std::int64_t window = config_.max_position_embeddings;
    if (length >= window) {
      throw Error(cat("the prompt in ", p.place, " has ", counted(p.tokens.size(), "token"),
                      ", and the model's window of ", window, " leaves no room for a completion"),
                  "cut the prompt", kExitUsage);
    }
    const std::int64_t wanted = command_.max_new_tokens.value_or(asked);
    p.max_new_tokens = wanted > 0 ? wanted : std::min(kDefaultNewTokens, window - length);
    if (length + p.max_new_tokens <= window) return;
    throw Error(cat("the prompt in ", p.place, " has ", counted(p.tokens.size(), "token"), ", and ",
                    p.max_new_tokens, " new ones exceed the model's window of ", window),
                cat("lower --max-new-tokens to ", window - length, ", or cut the prompt"),
                kExitUsage);
  }

  void read_rows() {
    const auto rows = Dataset::open(command_.input);
    std::string json;
    for (std::uint64_t i = 0; i < rows->count(); ++i) {
      json.clear();
      rows->row(i, json);
      read_row(RowFields(json, rows->place(i), kExample));
    }
  }

  void read_row(const RowFields& row) {
    const auto *text = row.find("prompt"), *messages = row.find("messages"),
               *ids = row.find("prompt_ids");
    if ((text != nullptr) + (messages != nullptr) + (ids != nullptr) != 1) {
      row.fail("it needs one of `prompt`, `messages` and `prompt_ids`");
    }
    if (text != nullptr) {
      add_text(row.place(), row.text("prompt"), EncodeMode::kAddSpecial);
    } else if (messages != nullptr) {
      add_text(row.place(), chat(messages->dump()), EncodeMode::kPlain);
    } else {
      PromptToComplete& p = prompts_.emplace_back();
      p.place = row.place();
      p.tokens = row.ids("prompt_ids", config_.vocab_size);
      if (tokenizer_ != nullptr) {
        p.text = completion_text(*tokenizer_, p.tokens, DecodeMode::kKeepSpecial);
      }
      fit(p, 0);
    }
  }

  std::string chat(const std::string& messages) {
    tokenizer();
    if (!template_) template_ = ChatTemplate::find(command_.model);
    if (!template_) {
      throw Error(cat(command_.model.string(), " has no chat template, and a row has `messages`"),
                  "give rows with `prompt`, the text that the model reads", kExitUsage);
    }
    return template_->render(messages);
  }

  void read_items() {
    const Task task(command_.plugins.load("task", command_.task.name), command_.task.options.dump(),
                    command_.plugins.abi());
    template_ = ChatTemplate::find(command_.model);
    const ChatTemplate* chat = template_ ? &*template_ : nullptr;
    for (Item& item : evaluation_items(task, command_.split, command_.num_items)) {
      RenderedPrompt r = render(task, tokenizer(), chat, std::move(item), 0);
      prompts_.push_back({cat("item ", r.item.key), r.text, r.tokens, r.stop, r.decode, 0});
      fit(prompts_.back(), r.max_new_tokens);
    }
  }

  const GenerateCommand& command_;
  const ModelConfig& config_;
  const Tokenizer* tokenizer_;
  std::optional<ChatTemplate> template_;
  std::vector<PromptToComplete> prompts_;
};

}  // namespace

std::vector<PromptToComplete> read_prompts(const GenerateCommand& command,
                                           const ModelConfig& config, const Tokenizer* tokenizer) {
  return PromptReader(command, config, tokenizer).read();
}

}  // namespace qed
