#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "core/cli/task_command.h"
#include "core/text/chat_template.h"
#include "core/text/train_tokenizer.h"
#include "core/util/files.h"
#include "core/util/words.h"
#include "qed/philox.h"

namespace qed {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kPad = "<pad>";
constexpr const char* kEnd = "<eos>";

struct TokenizerOptions : TaskOptions {
  TokenizerRecipe recipe;
  std::int64_t num_items = 1000;
  std::string chat_template;
  std::string folder;
};

// What the model will read and write for an item.
std::string text_of(const Task& task, const Item& item, const ChatTemplate* chat) {
  const Prompt prompt = task.render(item);
  std::string text = prompt.text;
  if (!prompt.messages.empty() && chat != nullptr) text = chat->render(prompt.messages);
  if (!prompt.messages.empty() && chat == nullptr) {
    for (const Json& message : Json::parse(prompt.messages)) {
      text += message.value("content", "") + "\n";
    }
  }
  text += prompt.prefill;
  const std::uint64_t seed = KeyHash().add("tokenizer").add(item.key).value();
  return text + task.demonstrate(item, "", seed).value_or("");
}

std::vector<std::string> texts_of(const TokenizerOptions& options, const OpenTask& open,
                                  const ChatTemplate* chat) {
  const auto count = std::min(static_cast<std::uint64_t>(options.num_items), open.count);
  std::vector<std::string> texts;
  for (std::uint64_t i = 0; i < count; ++i) {
    texts.push_back(text_of(*open.task, open.task->load(options.split, i), chat));
  }
  return texts;
}

// Writes a file, but not over another one of the name: that may be a trained model's.
void write_new(const fs::path& file, const std::string& text) {
  std::error_code ignored;
  if (fs::exists(file, ignored) && read_file(file) != text) {
    throw Error(cat(file.string(), " is there already, and is another one"),
                "give another folder with -o, or delete the file", kExitUsage);
  }
  write_file(file, text);
}

std::string config_text() {
  return Json{{"tokenizer_class", "PreTrainedTokenizerFast"},
              {"eos_token", kEnd},
              {"pad_token", kPad},
              // Else transformers adds an unknown token to the vocabulary.
              {"unk_token", nullptr},
              {"clean_up_tokenization_spaces", false}}
             .dump(2) +
         "\n";
}

void check(const TokenizerOptions& options) {
  const auto refuse = [](const std::string& message, const std::string& hint) {
    throw Error("qed tokenizer train " + message, hint, kExitUsage);
  };
  const std::string& kind = options.recipe.kind;
  if (kind != "chars" && kind != "bpe") {
    refuse(cat("knows no kind `", kind, "`"), "`--kind` is `chars` or `bpe`");
  }
  if (options.task.empty()) refuse("needs a task", "for example `--task arithmetic`");
  if (options.folder.empty()) refuse("needs a folder to write", "for example `-o tokenizer`");
  if (options.recipe.vocab_size < 0 || (kind == "bpe" && options.recipe.vocab_size == 0)) {
    refuse("needs the number of tokens", "for example `--vocab 1024`");
  }
  if (options.num_items < 1) {
    refuse(cat("needs at least 1 item, not ", options.num_items), "for example `--items 1000`");
  }
}

int train(TokenizerOptions options) {
  check(options);
  const OpenTask open = open_task(options, "tokenizer train");
  std::optional<ChatTemplate> chat;
  if (!options.chat_template.empty()) {
    const Json tokens = {{"eos_token", kEnd}, {"pad_token", kPad}};
    chat.emplace(options.chat_template, read_file(options.chat_template), tokens.dump());
  }
  const auto texts = texts_of(options, open, chat ? &*chat : nullptr);
  auto& special = options.recipe.special;
  special.insert(special.begin(), {kPad, kEnd});
  const std::string tokenizer = train_tokenizer(options.recipe, texts);

  const fs::path folder = options.folder;
  fs::create_directories(folder);
  write_new(folder / "tokenizer.json", tokenizer);
  write_new(folder / "tokenizer_config.json", config_text());
  if (chat) write_new(folder / "chat_template.jinja", read_file(options.chat_template));
  const std::size_t size = Json::parse(tokenizer).at("model").at("vocab").size();
  std::printf("%s  %s, from %s of task %s\n", (folder / "tokenizer.json").c_str(),
              counted(size, "token").c_str(), counted(texts.size(), "item").c_str(),
              options.task.c_str());
  return kExitOk;
}

}  // namespace

Run add_tokenizer(CLI::App& app) {
  auto options = std::make_shared<TokenizerOptions>();  // lives as long as the command line
  CLI::App* group = app.add_subcommand("tokenizer", "Make a tokenizer of your own");
  CLI::App* command =
      group->add_subcommand("train", "Make a tokenizer from a task's prompts and demonstrations");
  command
      ->add_option("--kind", options->recipe.kind, "chars: a token per character; bpe: byte-level")
      ->type_name("KIND")
      ->default_str("bpe");
  add_task_options(*command, *options, "--task");
  command
      ->add_option("--vocab", options->recipe.vocab_size,
                   "how many tokens, all included; chars: at most so many")
      ->type_name("N");
  command->add_option("--items", options->num_items, "how many items of the split are read")
      ->type_name("N")
      ->default_str("1000");
  command
      ->add_option("--token", options->recipe.tokens,
                   "a text that is one token, such as a tag; may be given again")
      ->allow_extra_args(false)
      ->type_name("TEXT");
  command
      ->add_option("--special", options->recipe.special,
                   "a special token beside <pad> and <eos>; may be given again")
      ->allow_extra_args(false)
      ->type_name("TEXT");
  command
      ->add_option("--chat-template", options->chat_template,
                   "the Jinja file that turns messages into text; it is copied into the folder")
      ->type_name("FILE");
  command->add_option("-o", options->folder, "the folder that is written")->type_name("FOLDER");
  command->footer(
      "The same command writes the same bytes.\n\n"
      "Examples:\n"
      "  qed tokenizer train --task countdown --vocab 1024 -o my_model\n"
      "  qed tokenizer train --kind chars --task arithmetic --token '<think>' --token '</think>' "
      "\\\n"
      "      --token '<answer>' --token '</answer>' -o my_model\n");
  group->footer("`qed tokenizer COMMAND --help` shows options and examples.\n");
  return [options] { return train(*options); };
}

}  // namespace qed
