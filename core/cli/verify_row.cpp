#include "core/cli/verify_row.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/util/error.h"
#include "core/util/words.h"

namespace qed {
namespace {

using Json = nlohmann::ordered_json;  // an object as `item` keeps the order of its keys

constexpr char kExample[] =
    R"(a row is written {"item": 0, "completion": "the model's text"}; --skip-bad leaves bad rows out)";

constexpr std::size_t kLongestReason = 200;

// Reads one row; every problem is an Error that names the line.
class RowReader {
 public:
  RowReader(std::uint64_t number, const ItemSource& items) : number_(number), items_(items) {}

  VerifyRow read(const std::string& line) {
    row_ = parse(line);
    if (!row_.is_object()) fail(cat("a row must be an object, not ", type_of(row_)));
    check_names();
    VerifyRow row;
    row.completion = text("completion").value();
    row.prompt = text("prompt");
    row.prefill = text("prefill");
    row.finish = finish();
    row.tokens = tokens();
    if (const Json* group = field("group")) row.group = whole_number(*group, "`group`");
    read_item(row_.at("item"), row);
    return row;
  }

 private:
  [[noreturn]] void fail(const std::string& why, const std::string& hint = kExample) const {
    throw Error(cat("bad row in line ", number_, ": ", why), hint, kExitUsage);
  }

  static std::string type_of(const Json& value) {
    if (value.is_number_float()) return "a fraction";
    if (value.is_number()) return "the number " + value.dump();
    if (value.is_null()) return "null";
    return std::string(value.is_array() ? "an " : "a ") + value.type_name();
  }

  Json parse(const std::string& line) const {
    try {
      return Json::parse(line);
    } catch (const Json::parse_error& error) {
      // "[json.exception.parse_error.101] parse error at line 1, column 5: REASON"
      std::string reason = error.what();
      const std::size_t colon = reason.find(": ");
      if (colon != reason.npos) reason = reason.substr(colon + 2);
      if (reason.size() > kLongestReason) reason = reason.substr(0, kLongestReason) + "...";
      reason = to_utf8(reason);  // it quotes the row
      fail(cat("not JSON at column ", error.byte, ": ", reason));
    }
  }

  // A field that is there and not null.
  const Json* field(const std::string& name) const {
    const auto found = row_.find(name);
    return found == row_.end() || found->is_null() ? nullptr : &*found;
  }

  // Fields of other names are the user's own; but one that looks like a missing one is a slip.
  void check_names() const {
    static const std::vector<std::string> kNames = {"item",   "completion", "finish", "prefill",
                                                    "prompt", "tokens",     "group"};
    std::vector<std::string> others;
    for (const auto& [name, value] : row_.items()) {
      if (std::find(kNames.begin(), kNames.end(), name) != kNames.end()) continue;
      others.push_back(name);
      for (const std::string& known : kNames) {
        if (known.size() < 5 || field(known) != nullptr || edit_distance(name, known) > 1) continue;
        fail(cat("unknown field `", name, "`"), closest_hint("field", {known}));
      }
    }
    for (const char* name : {"item", "completion"}) {
      if (field(name) != nullptr) continue;
      std::string hint = kExample;
      if (!nearest(name, others).empty()) {
        hint = cat("`", nearest(name, others).front(), "` is another field; ", hint);
      }
      fail(cat("it has no `", name, "`"), hint);
    }
  }

  std::optional<std::string> text(const std::string& name) const {
    const Json* value = field(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) fail(cat("`", name, "` must be a string, not ", type_of(*value)));
    return value->get<std::string>();
  }

  // `what` begins the message: "`group`".
  std::uint64_t whole_number(const Json& value, const std::string& what) const {
    if (value.is_number_unsigned()) return value.get<std::uint64_t>();
    fail(cat(what, " must be a whole number from 0, not ", type_of(value)));
  }

  std::uint32_t finish() const {
    static const std::vector<std::string> kNames = {"stop", "length", "abort"};
    static constexpr std::uint32_t kValues[] = {QED_FINISH_STOP, QED_FINISH_LENGTH,
                                                QED_FINISH_ABORT};
    const std::string name = text("finish").value_or("stop");
    const auto found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end()) {
      fail(cat("`finish` must be \"stop\", \"length\" or \"abort\", not ", Json(name).dump()));
    }
    return kValues[found - kNames.begin()];
  }

  std::vector<std::int32_t> tokens() const {
    std::vector<std::int32_t> ids;
    const Json* value = field("tokens");
    if (value == nullptr) return ids;
    if (!value->is_array()) fail(cat("`tokens` must be a list of ids, not ", type_of(*value)));
    for (const Json& id : *value) {
      const std::uint64_t number = whole_number(id, "each of `tokens`");
      if (number > std::numeric_limits<std::int32_t>::max()) {
        fail(cat("`tokens` has the id ", number, ", which is too large"));
      }
      ids.push_back(static_cast<std::int32_t>(number));
    }
    return ids;
  }

  // A number is an index into the split; anything else is the item itself.
  void read_item(const Json& value, VerifyRow& row) const {
    row.item.key = "row";
    if (value.is_string()) {
      row.item.blob = value.get<std::string>();
    } else if (value.is_structured()) {
      row.item.blob = value.dump();
    } else if (value.is_number()) {
      load(whole_number(value, "`item`"), row);
    } else {
      fail(cat("`item` must be a number, a string, an object or a list, not ", type_of(value)));
    }
  }

  void load(std::uint64_t index, VerifyRow& row) const {
    if (index >= items_.count && items_.count != QED_GENERATIVE) {
      fail(cat("there is no item ", index, " in split `", items_.split, "`"),
           cat("it has ", counted(items_.count, "item"), ", counted from 0"));
    }
    try {
      row.item = items_.task.load(items_.split, index);
    } catch (const Error& error) {
      row.error = error.what();
    }
  }

  std::uint64_t number_;
  const ItemSource& items_;
  Json row_;
};

}  // namespace

VerifyRow read_verify_row(const std::string& line, std::uint64_t number, const ItemSource& items) {
  return RowReader(number, items).read(line);
}

}  // namespace qed
