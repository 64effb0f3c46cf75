#include "core/run/score_rows.h"

#include "core/model/model_folder.h"
#include "core/run/row_fields.h"
#include "core/util/error.h"
#include "core/util/words.h"

namespace qed {

namespace {

constexpr char kExample[] =
    R"(a row is written {"prompt": "text", "completion": "text"}, or with prompt_ids and completion_ids)";

}  // namespace

const Tokenizer& ScoreRowReader::tokenizer() {
  if (!tokenizer_) {
    tokenizer_ = Tokenizer::open(model_);
    check_vocabulary(model_, config_, tokenizer_->vocab_size());
  }
  return *tokenizer_;
}

ScoreRow ScoreRowReader::read(const std::string& text, const std::string& place) {
  const RowFields row(text, place, kExample);
  const auto ids = [&](const std::string& name, EncodeMode mode) {
    if (row.find(name + "_ids") != nullptr) return row.ids(name + "_ids", config_.vocab_size);
    if (row.find(name) == nullptr) row.fail(cat("it has no `", name, "` and no `", name, "_ids`"));
    const std::string words = row.text(name);
    const Tokenizer& opened = tokenizer();  // its own failures are not the row's
    try {
      return opened.encode(words, mode);
    } catch (const Error& error) {
      row.fail(cat("`", name, "`: ", error.what()), error.hint());
    }
  };
  ScoreRow out{ids("prompt", EncodeMode::kAddSpecial), ids("completion", EncodeMode::kPlain)};
  if (out.prompt.empty()) {
    row.fail("its prompt has no token", "a completion needs at least one token before it");
  }
  const auto length = static_cast<std::int64_t>(out.prompt.size() + out.completion.size());
  if (length > config_.max_position_embeddings) {
    row.fail(cat("prompt and completion have ", counted(length, "token"),
                 ", more than the model's window of ", config_.max_position_embeddings),
             "leave the row out, or cut it");
  }
  return out;
}

}  // namespace qed
