#pragma once

// Options of a component: declared once, next to the members that hold them.
//
//   double clip_low = 0.2;
//   void options(qed::Options& o) { o("clip_low", clip_low, {.min = 0, .help = "..."}); }
//
// The member's initial value is the default. The host checks a run file against the declaration
// (type, range, choices), fills in defaults, and only then calls create; so a component reads its
// members and never parses anything.

#include "qed/error.h"
#include "qed/json.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

struct OptionSpec {
  std::optional<double> min = {};              // inclusive
  std::optional<double> max = {};              // inclusive
  std::vector<std::string_view> choices = {};  // literals; strings only; empty: any
  std::string_view unit = {};                  // literal; empty: none
  std::string_view help = {};                  // literal; one line
  bool required = false;                       // the run file must give it
};

// Visits the options of one object: collects their declarations, or sets them from JSON. [main]
class Options {
 public:
  Options() = default;                                          // describes
  explicit Options(const json::Object& from) : from_(&from) {}  // reads
  Options(Options&&) = default;  // not copied: data() points into this object

  // T is bool, std::int64_t, double or std::string. `name` must be a literal.
  template <class T>
  void operator()(std::string_view name, T& member, const OptionSpec& spec) {
    static_assert(std::is_same_v<T, bool> || std::is_same_v<T, std::int64_t> ||
                      std::is_same_v<T, double> || std::is_same_v<T, std::string>,
                  "an option is a bool, std::int64_t, double or std::string");
    if (from_ != nullptr) {
      read(name, member);
    } else {
      describe(name, member, spec);
    }
  }

  // The declarations collected; valid as long as this object.
  const qed_option* const* data() const { return pointers_.data(); }
  std::uint64_t size() const { return pointers_.size(); }

 private:
  template <class T>
  void read(std::string_view name, T& member) {
    const json::Value* value = from_->find(name);
    if (value == nullptr) throw Error("option `" + std::string(name) + "` is missing", QED_INVALID);
    if constexpr (std::is_same_v<T, double>) {
      member = value->number;
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      member = value->integer;
    } else if constexpr (std::is_same_v<T, bool>) {
      member = value->boolean;
    } else {
      member = value->text;
    }
  }

  template <class T>
  void describe(std::string_view name, const T& member, const OptionSpec& spec) {
    qed_option option{};
    option.size = sizeof(qed_option);
    option.name = str(name);
    option.unit = str(spec.unit);
    option.help = str(spec.help);
    if constexpr (std::is_same_v<T, double>) {
      option.type = QED_OPTION_FLOAT;
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      option.type = QED_OPTION_INT;
    } else if constexpr (std::is_same_v<T, bool>) {
      option.type = QED_OPTION_BOOL;
    } else {
      option.type = QED_OPTION_STRING;
    }
    if (spec.required) {
      option.flags |= QED_OPTION_REQUIRED;
    } else {
      option.default_json = str(texts_.emplace_back(json::write(member)));
    }
    if (spec.min) option.flags |= QED_OPTION_HAS_MIN, option.min = *spec.min;
    if (spec.max) option.flags |= QED_OPTION_HAS_MAX, option.max = *spec.max;
    if (!spec.choices.empty()) {
      auto& choices = choices_.emplace_back();
      for (const std::string_view choice : spec.choices) choices.push_back(str(choice));
      option.choices = {choices.data(), choices.size()};
    }
    pointers_.push_back(&options_.emplace_back(option));
  }

  const json::Object* from_ = nullptr;
  std::deque<qed_option> options_;  // deques: addresses stay
  std::deque<std::string> texts_;
  std::deque<std::vector<qed_str>> choices_;
  std::vector<const qed_option*> pointers_;
};

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
