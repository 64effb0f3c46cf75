#include "core/run/score_rows.h"

#include "core/model/model_folder.h"
#include "core/util/error.h"
#include "core/util/words.h"

#include <nlohmann/json.hpp>

namespace qed {

namespace {

using nlohmann::json;

constexpr char kExample[] =
    R"(a row is written {"prompt": "text", "completion": "text"}, or with prompt_ids and completion_ids)";

[[noreturn]] void fail(const std::string& place, const std::string& why,
                       const std::string& hint = kExample) {
  throw Error(cat("bad row in ", place, ": ", why), hint, kExitUsage);
}

// A field that is there and not null.
const json* field(const json& row, const std::string& name) {
  const auto found = row.find(name);
  return found == row.end() || found->is_null() ? nullptr : &*found;
}

std::vector<std::int32_t> read_ids(const json& list, const std::string& name, std::int64_t vocab,
                                   const std::string& place) {
  const auto shown = [](const json& value) { return value.dump().substr(0, 60); };
  if (!list.is_array()) fail(place, cat("`", name, "` must be a list of ids, not ", shown(list)));
  std::vector<std::int32_t> out;
  for (const json& id : list) {
    if (!id.is_number_unsigned()) {
      fail(place, cat("`", name, "` has ", shown(id), ", which is no token id"));
    }
    if (id.get<std::uint64_t>() >= static_cast<std::uint64_t>(vocab)) {
      fail(place,
           cat("`", name, "` has the id ", shown(id), ", but the model's vocabulary is ", vocab));
    }
    out.push_back(id.get<std::int32_t>());
  }
  return out;
}

}  // namespace

const Tokenizer& ScoreRowReader::tokenizer() {
  if (!tokenizer_) {
    tokenizer_ = Tokenizer::open(model_);
    check_vocabulary(model_, config_, tokenizer_->vocab_size());
  }
  return *tokenizer_;
}

ScoreRow ScoreRowReader::read(const std::string& text, const std::string& place) {
  const json row = json::parse(text);
  const auto ids = [&](const std::string& name, EncodeMode mode) {
    const json* words = field(row, name);
    const json* list = field(row, name + "_ids");
    if (words != nullptr && list != nullptr) {
      fail(place, cat("it has both `", name, "` and `", name, "_ids`"), "keep one of the two");
    }
    if (list != nullptr) return read_ids(*list, name + "_ids", config_.vocab_size, place);
    if (words == nullptr) fail(place, cat("it has no `", name, "` and no `", name, "_ids`"));
    if (!words->is_string()) {
      fail(place, cat("`", name, "` must be a string, not ", words->dump().substr(0, 60)));
    }
    const Tokenizer& opened = tokenizer();  // its own failures are not the row's
    try {
      return opened.encode(words->get<std::string>(), mode);
    } catch (const Error& error) {
      fail(place, cat("`", name, "`: ", error.what()), error.hint());
    }
  };
  ScoreRow out{ids("prompt", EncodeMode::kAddSpecial), ids("completion", EncodeMode::kPlain)};
  if (out.prompt.empty()) {
    fail(place, "its prompt has no token", "a completion needs at least one token before it");
  }
  const auto length = static_cast<std::int64_t>(out.prompt.size() + out.completion.size());
  if (length > config_.max_position_embeddings) {
    fail(place,
         cat("prompt and completion have ", counted(length, "token"),
             ", more than the model's window of ", config_.max_position_embeddings),
         "leave the row out, or cut it");
  }
  return out;
}

}  // namespace qed
