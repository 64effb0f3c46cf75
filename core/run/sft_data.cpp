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

  // Adds what the row has to learn from. Returns whether it was cut.
  bool read(const RowFields& row, std::vector<Demonstration>& out) const {
    if (row.find("prompt_ids") != nullptr && row.find("completion_ids") != nullptr) {
      return add(row, {row.ids("prompt_ids", vocab_size_), row.ids("completion_ids", vocab_size_)},
                 out);
    }
    if (row.find("prompt") != nullptr && row.find("completion") != nullptr) {
      return add(row, read_pair(row), out);
    }
    if (row.find("messages") != nullptr) return read_messages(row, out);
    row.fail("it has neither `prompt` and `completion` nor `messages`");
  }

 private:
  // Returns whether it was cut.
  bool add(const RowFields& row, Demonstration d, std::vector<Demonstration>& out) const {
    if (d.prompt.empty()) row.fail("its prompt has no token");
    const bool is_cut = cut(row, d);
    if (d.completion.empty()) row.fail("its completion has no token to learn");
    out.push_back(std::move(d));
    return is_cut;
  }

  Demonstration read_pair(const RowFields& row) const {
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
    if (prompt.is_array()) return read_chat(row, prompt, answer);
    return {encode(row, "prompt", row.text("prompt"), EncodeMode::kAddSpecial),
            read_answer(row, answer, tokenizer_.eos_id(), true)};
  }

  // Every answer after the messages before it, as the model will have to write it. Where a turn
  // leaves no room for more, the others are cut off.
  bool read_messages(const RowFields& row, std::vector<Demonstration>& out) const {
    const Json& messages = *row.find("messages");
    if (!messages.is_array() || messages.size() < 2 || !is_answer(messages.back())) {
      row.fail("`messages` is not a list whose last message is the assistant's");
    }
    const std::size_t first = out.size();
    Json before = Json::array({messages[0]});
    for (std::size_t i = 1; i < messages.size(); ++i) {
      if (is_answer(messages[i]) && is_learned(row, messages[i])) {
        Demonstration d = read_chat(row, before, messages[i]["content"], i + 1 == messages.size());
        const bool is_late = out.size() > first && options_.max_tokens > 0;
        if (is_late && d.prompt.size() >= limit()) return true;
        if (add(row, std::move(d), out)) return true;
      }
      before.push_back(messages[i]);
    }
    if (out.size() == first) row.fail("no message of the assistant has a `weight` other than 0");
    return false;
  }

  static bool is_learned(const RowFields& row, const Json& message) {
    const Json weight = message.value("weight", Json(1));
    if (weight != 0 && weight != 1) {
      row.fail(cat("the `weight` of a message must be 0 or 1, not ", weight.dump()));
    }
    return weight == 1;
  }

  // `is_last`: the answer is the end of the row, which `finish` is about.
  Demonstration read_chat(const RowFields& row, const Json& messages, const std::string& answer,
                          bool is_last = true) const {
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
    return {
        encode(row, "prompt", text, EncodeMode::kPlain),
        read_answer(row, answer, tokenizer_.end_of_turn().value_or(tokenizer_.eos_id()), is_last)};
  }

  std::vector<std::int32_t> read_answer(const RowFields& row, const std::string& answer,
                                        std::int32_t end_id, bool is_last) const {
    std::vector<std::int32_t> out = encode(row, "completion", answer, EncodeMode::kPlain);
    const Json* finish = is_last ? row.find("finish") : nullptr;
    if (finish == nullptr || *finish != "length") out.push_back(end_id);
    return out;
  }

  std::vector<std::int32_t> encode(const RowFields& row, const char* what, const std::string& text,
                                   EncodeMode mode) const {
    try {
      return tokenizer_.encode(text, mode);
    } catch (const Error& error) {
      row.fail(cat("`", what, "`: ", error.what()), error.hint());
    }
  }

  std::size_t limit() const {
    return static_cast<std::size_t>(
        options_.max_tokens > 0 ? std::min(options_.max_tokens, options_.window) : options_.window);
  }

  bool cut(const RowFields& row, Demonstration& out) const {
    const std::size_t length = out.prompt.size() + out.completion.size();
    if (length <= limit()) return false;
    if (options_.max_tokens == 0) {
      row.fail(cat("prompt and completion have ", counted(length, "token"),
                   ", more than the model's window of ", limit()),
               "leave the row out, or set `max_tokens` of the stage, which cuts such rows");
    }
    if (out.prompt.size() >= limit()) {
      row.fail(cat("its prompt has ", counted(out.prompt.size(), "token"),
                   ", and `max_tokens` = ", limit(), " leaves nothing of the completion"),
               "leave the row out, or raise `max_tokens`");
    }
    out.completion.resize(limit() - out.prompt.size());
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
  const auto wanted = static_cast<std::size_t>(options.num_demonstrations);
  for (std::uint64_t i = 0; i < rows->count(); ++i) {
    if (wanted > 0 && out.demonstrations.size() >= wanted) break;
    json.clear();
    rows->row(i, json);
    const RowFields row(json, rows->place(i), kExample);
    const Json* item = row.find("item");
    if (item != nullptr && item->is_string() && held_out.contains(item->get<std::string>())) {
      ++out.num_held_out;
      continue;
    }
    ++out.num_rows;
    out.num_cut += reader.read(row, out.demonstrations) ? 1 : 0;
  }
  if (wanted > 0 && out.demonstrations.size() > wanted) out.demonstrations.resize(wanted);
  if (out.demonstrations.empty() || out.demonstrations.size() < wanted) {
    throw Error(cat(options.file, " has ", counted(out.demonstrations.size(), "demonstration"),
                    " to learn from, not ", std::max<std::size_t>(wanted, 1)),
                out.num_held_out > 0
                    ? cat(counted(out.num_held_out, "row"), " are held out for evaluation")
                    : "lower `demonstrations` of the stage, or give more rows",
                kExitUsage);
  }
  return out;
}

}  // namespace qed
