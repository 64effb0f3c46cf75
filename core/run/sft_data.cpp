#include "core/run/sft_data.h"

#include "core/data/dataset.h"
#include "core/run/row_fields.h"
#include "core/util/error.h"
#include "core/util/words.h"

#include <algorithm>

namespace qed {

namespace {

using Json = nlohmann::json;

constexpr char kExample[] =
    R"(a row is written {"prompt": "text or messages", "completion": "text"}, or with `messages`)";

bool is_answer(const Json& message) {
  return message.is_object() && message.value("role", Json()) == "assistant" &&
         message.value("content", Json()).is_string();
}

class Reader {
 public:
  Reader(const SftDataOptions& options, const Tokenizer& tokenizer, const ChatTemplate* chat,
         std::int64_t vocab_size)
      : options_(options), tokenizer_(tokenizer), chat_(chat), vocab_size_(vocab_size) {}

  // Returns whether it was cut.
  bool read(const RowFields& row, Demonstration& out) const {
    if (row.find("prompt_ids") != nullptr && row.find("completion_ids") != nullptr) {
      out = {row.ids("prompt_ids", vocab_size_), row.ids("completion_ids", vocab_size_)};
    } else if (row.find("prompt") != nullptr && row.find("completion") != nullptr) {
      read_pair(row, out);
    } else if (row.find("messages") != nullptr) {
      read_messages(row, out);
    } else {
      row.fail("it has neither `prompt` and `completion` nor `messages`");
    }
    if (out.prompt.empty()) row.fail("its prompt has no token");
    const bool is_cut = cut(row, out);
    if (out.completion.empty()) row.fail("its completion has no token to learn");
    return is_cut;
  }

 private:
  void read_pair(const RowFields& row, Demonstration& out) const {
    const Json& prompt = *row.find("prompt");
    const Json& completion = *row.find("completion");
    std::string answer;
    if (completion.is_array()) {
      if (completion.size() != 1 || !is_answer(completion[0])) {
        row.fail("`completion` is not a list of one message of the assistant");
      }
      answer = completion[0]["content"];
    } else {
      answer = row.text("completion");
    }
    if (prompt.is_array()) {
      add_chat(row, prompt, answer, out);
    } else {
      out.prompt = encode(row, "prompt", row.text("prompt"), EncodeMode::kAddSpecial);
      add_answer(row, answer, tokenizer_.eos_id(), out);
    }
  }

  void read_messages(const RowFields& row, Demonstration& out) const {
    Json messages = *row.find("messages");
    if (!messages.is_array() || messages.size() < 2 || !is_answer(messages.back())) {
      row.fail("`messages` is not a list whose last message is the assistant's");
    }
    const std::string answer = messages.back()["content"];
    messages.erase(messages.size() - 1);
    add_chat(row, messages, answer, out);
  }

  void add_chat(const RowFields& row, const Json& messages, const std::string& answer,
                Demonstration& out) const {
    if (chat_ == nullptr) {
      row.fail("it has messages, and the model has no chat template",
               "give a Jinja file as `chat_template` in [model], or rows with text");
    }
    std::string text;
    try {
      text = chat_->render(messages.dump());
    } catch (const Error& error) {
      row.fail(error.what(), error.hint());
    }
    out.prompt = encode(row, "prompt", text, EncodeMode::kPlain);
    add_answer(row, answer, tokenizer_.end_of_turn().value_or(tokenizer_.eos_id()), out);
  }

  void add_answer(const RowFields& row, const std::string& answer, std::int32_t end_id,
                  Demonstration& out) const {
    out.completion = encode(row, "completion", answer, EncodeMode::kPlain);
    const Json* finish = row.find("finish");
    if (finish == nullptr || *finish != "length") out.completion.push_back(end_id);
  }

  std::vector<std::int32_t> encode(const RowFields& row, const char* what, const std::string& text,
                                   EncodeMode mode) const {
    try {
      return tokenizer_.encode(text, mode);
    } catch (const Error& error) {
      row.fail(cat("`", what, "`: ", error.what()), error.hint());
    }
  }

  bool cut(const RowFields& row, Demonstration& out) const {
    const std::size_t length = out.prompt.size() + out.completion.size();
    const auto limit = static_cast<std::size_t>(
        options_.max_tokens > 0 ? std::min(options_.max_tokens, options_.window) : options_.window);
    if (length <= limit) return false;
    if (options_.max_tokens == 0) {
      row.fail(cat("prompt and completion have ", counted(length, "token"),
                   ", more than the model's window of ", limit),
               "leave the row out, or set `max_tokens` of the stage, which cuts such rows");
    }
    if (out.prompt.size() >= limit) {
      row.fail(cat("its prompt has ", counted(out.prompt.size(), "token"),
                   ", and `max_tokens` = ", limit, " leaves nothing of the completion"),
               "leave the row out, or raise `max_tokens`");
    }
    out.completion.resize(limit - out.prompt.size());
    return true;
  }

  const SftDataOptions& options_;
  const Tokenizer& tokenizer_;
  const ChatTemplate* chat_;
  std::int64_t vocab_size_;
};

}  // namespace

SftData read_sft_data(const SftDataOptions& options, const Tokenizer& tokenizer,
                      const ChatTemplate* chat, std::int64_t vocab_size,
                      const std::unordered_set<std::string>& held_out) {
  const auto rows = Dataset::open(options.file);
  const Reader reader(options, tokenizer, chat, vocab_size);
  SftData out;
  std::string json;
  const auto wanted = static_cast<std::size_t>(options.num_rows);
  for (std::uint64_t i = 0; i < rows->count(); ++i) {
    if (options.num_rows > 0 && out.demonstrations.size() == wanted) break;
    json.clear();
    rows->row(i, json);
    const RowFields row(json, rows->place(i), kExample);
    const Json* item = row.find("item");
    if (item != nullptr && item->is_string() && held_out.contains(item->get<std::string>())) {
      ++out.num_held_out;
      continue;
    }
    out.num_cut += reader.read(row, out.demonstrations.emplace_back()) ? 1 : 0;
  }
  if (out.demonstrations.empty() || out.demonstrations.size() < wanted) {
    throw Error(cat(options.file, " has ", counted(out.demonstrations.size(), "row"),
                    " to learn from, not ", std::max<std::size_t>(wanted, 1)),
                out.num_held_out > 0
                    ? cat(counted(out.num_held_out, "row"), " are held out for evaluation")
                    : "lower `demonstrations` of the stage, or give more rows",
                kExitUsage);
  }
  return out;
}

}  // namespace qed
