#include "core/run/row_fields.h"

#include "core/util/error.h"

namespace qed {

namespace {

std::string shown(const nlohmann::json& value) { return value.dump().substr(0, 60); }

}  // namespace

RowFields::RowFields(const std::string& json, std::string place, std::string example)
    : row_(nlohmann::json::parse(json)), place_(std::move(place)), example_(std::move(example)) {}

const nlohmann::json* RowFields::find(const std::string& name) const {
  const auto found = row_.find(name);
  return found == row_.end() || found->is_null() ? nullptr : &*found;
}

std::string RowFields::text(const std::string& name) const {
  const nlohmann::json& value = row_.at(name);
  if (!value.is_string()) fail(cat("`", name, "` must be a string, not ", shown(value)));
  return value.get<std::string>();
}

std::vector<std::int32_t> RowFields::ids(const std::string& name, std::int64_t vocab) const {
  const nlohmann::json& list = row_.at(name);
  if (!list.is_array()) fail(cat("`", name, "` must be a list of ids, not ", shown(list)));
  std::vector<std::int32_t> out;
  for (const nlohmann::json& id : list) {
    if (!id.is_number_unsigned())
      fail(cat("`", name, "` has ", shown(id), ", which is no token id"));
    if (id.get<std::uint64_t>() >= static_cast<std::uint64_t>(vocab)) {
      fail(cat("`", name, "` has the id ", shown(id), ", but the model's vocabulary is ", vocab));
    }
    out.push_back(id.get<std::int32_t>());
  }
  return out;
}

void RowFields::fail(const std::string& why, const std::string& hint) const {
  throw Error(cat("bad row in ", place_, ": ", why), hint.empty() ? example_ : hint, kExitUsage);
}

}  // namespace qed
