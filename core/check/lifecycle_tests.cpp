// Tests of loading, of making and destroying objects, and of what that leaves behind.

#include "core/check/exercise.h"
#include "core/check/open.h"
#include "core/check/process_state.h"
#include "core/check/registry.h"
#include "core/check/sanitizer.h"
#include "core/host/plugin_call.h"

#include <chrono>
#include <memory>

namespace qed::check {
namespace {

using nlohmann::ordered_json;

void check_load(const Subject& s) {
  expect(load_changes().empty(), "loading it changes ", load_changes());
  (void)s;
}

std::string contents(const qed_plugin& plugin) {
  std::string out =
      cat(from_abi(plugin.id), " ", from_abi(plugin.version), " ", plugin.num_components, "\n");
  for (std::uint64_t i = 0; i < plugin.num_components; ++i) {
    const qed_component& c = *plugin.components[i];
    out += cat(from_abi(c.kind), " ", from_abi(c.id), " ", from_abi(c.name), " ", c.flags, " ",
               c.num_options, " ", c.vtable, "\n");
  }
  return out;
}

void check_entry(const Subject& s) {
  const std::string before = contents(*s.plugin);
  for (const StructSize size : {StructSize::kCurrent, StructSize::kLonger}) {
    Frame frame({.size = size, .is_poisoned = true});
    const qed_plugin* again = entry_of(s.file)(frame.input_struct(*s.host), frame.call()->err);
    expect(again == s.plugin, "the entry called again returns another descriptor");
  }
  expect_same(before, contents(*s.plugin), "the entry called again changes the descriptor");
}

void refuse_json(const Subject& s) {
  for (const std::string_view bad : {"", "{", "nonsense", "[1]", "{\"a\":", "\xff\xfe", "}{"}) {
    void* self = nullptr;
    const Reply reply = create(s, bad, &self);
    if (reply.is_ok()) {
      s.object().destroy(self);
      throw Failure{cat("create takes `", shown(bad), "`, which is no JSON object")};
    }
    expect(!reply.message.empty(), "create refuses `", shown(bad), "` without a message");
  }
}

// Values that the host would never hand over: anything but a crash is right.
void survive_options(const Subject& s) {
  std::vector<ordered_json> odd = {ordered_json::parse(s.options)};
  odd.back()["an_option_of_a_later_version"] = 1;
  for (const OptionSpec& option : s.specs) {
    for (const ordered_json& value :
         {ordered_json(), ordered_json("text"), ordered_json(1e300), ordered_json(-1),
          ordered_json(true), ordered_json::array()}) {
      odd.push_back(ordered_json::parse(s.options));
      odd.back()[option.name] = value;
    }
  }
  for (const ordered_json& options : odd) {
    void* self = nullptr;
    const Reply reply = create(s, options.dump(), &self);
    expect(reply.problem.empty(), reply.problem);
    if (reply.is_ok()) s.object().destroy(self);
  }
}

void check_bad_options(const Subject& s) {
  refuse_json(s);
  survive_options(s);
}

void check_missing_option(const Subject& s) {
  if (s.specs.empty()) throw Skipped{"it has no options"};
  for (const OptionSpec& option : s.specs) {
    ordered_json options = ordered_json::parse(s.options);
    options.erase(option.name);
    void* self = nullptr;
    const Reply reply = create(s, options.dump(), &self);
    if (reply.is_ok()) s.object().destroy(self);
    expect(reply.status == QED_INVALID && reply.message.find(option.name) != reply.message.npos,
           "without option `", option.name, "` create must answer QED_INVALID and name it, not ",
           shown(reply));
  }
}

// The ends of an option's range, its choices, and its default.
std::vector<ordered_json> values_of(const OptionSpec& option) {
  std::vector<ordered_json> out;
  if (!option.default_value.is_null()) out.emplace_back(option.default_value);
  if (option.type == OptionType::kBool) out = {false, true};
  for (const std::string& choice : option.choices) out.emplace_back(choice);
  for (const auto& end : {option.min, option.max}) {
    if (!end) continue;
    if (option.type == OptionType::kInt) {
      out.emplace_back(static_cast<std::int64_t>(*end));
    } else {
      out.emplace_back(*end);
    }
  }
  return out;
}

// A value may contradict the other options: then the plugin refuses it with a reason.
void check_options(const Subject& s) {
  if (s.specs.empty()) throw Skipped{"it has no options"};
  for (const OptionSpec& option : s.specs) {
    for (const ordered_json& value : values_of(option)) {
      ordered_json options = ordered_json::parse(s.options);
      options[option.name] = value;
      void* self = nullptr;
      const Reply reply = create(s, options.dump(), &self);
      if (reply.is_ok()) s.object().destroy(self);
      expect(reply.is_ok() || reply.is_refusal(), "with ", option.name, " = ", value.dump(),
             ", which it declares as legal, create answers ", shown(reply));
    }
  }
}

void check_churn(const Subject& s) {
  using Clock = std::chrono::steady_clock;
  using namespace std::chrono_literals;
  const int rounds = s.is_thorough ? 10000 : 1000;
  const auto cycle = [&] { const Object object(s); };
  for (int i = 0; i < 20; ++i) cycle();  // what is made once and kept is not a leak
  const ProcessState before = ProcessState::now();
  const std::uint64_t bytes = resident_bytes();
  const auto end = Clock::now() + (s.is_thorough ? 30s : 3s);
  int done = 0;
  while (done < rounds && (done < 20 || Clock::now() < end)) cycle(), ++done;
  const std::string leak = leaked(before, ProcessState::now());
  expect(leak.empty(), "after ", done, " objects were made and destroyed, ", leak);
  const std::uint64_t growth = std::max(resident_bytes(), bytes) - bytes;
  const bool is_measured = !has_sanitizer();  // a sanitizer keeps freed memory
  expect(!is_measured || growth < (4u << 20), "after ", done,
         " objects were made and destroyed, the process has grown by ", growth >> 10, " KiB");
}

void check_many(const Subject& s) {
  const Corpus corpus = make_corpus(s);
  std::vector<std::unique_ptr<Object>> objects;
  for (int i = 0; i < 32; ++i) objects.push_back(std::make_unique<Object>(s));
  const std::string first = exercise(*objects.front(), corpus);
  for (int i = 0; i < 31; i += 2) objects[i].reset();  // in another order than they were made
  expect_same(first, exercise(*objects.back(), corpus), "the 32nd object differs from the first");
}

void check_process(const Subject& s) {
  const ProcessState before = ProcessState::now();
  std::string printed;
  {
    const StdoutWatch watch;
    const Corpus corpus = make_corpus(s);
    const Object object(s);
    exercise(object, corpus);
    printed = watch.text();
  }
  const std::string change = changed(before, ProcessState::now());
  expect(change.empty(), "a session with one object changes ", change);
  expect(printed.empty(), "it writes to stdout: `", shown(printed), "`");
}

// What is saved after a session, and restored in another object, makes the two one.
void check_state(const Subject& s) {
  Object object(s), other(s);
  if (!object.has_state()) throw Skipped{"it has no qed.state/1"};
  const Corpus corpus = make_corpus(s);
  object.remember();
  other.remember();
  exercise(object, corpus);
  const std::string state = object.save();
  other.restore(state);
  expect(other.save() == state, "an object that restored a state saves another one");
  expect_same(exercise(object, corpus), exercise(other, corpus),
              "a session goes on differently in an object that restored the state");
}

constexpr Test kTests[] = {
    {"lifecycle.load", Level::kMust, "", "loading leaves the process as it is", &check_load},
    {"lifecycle.entry", Level::kMust, "", "the entry may be called again", &check_entry},
    {"lifecycle.bad_options", Level::kMust, "", "create refuses what is no JSON object",
     &check_bad_options},
    {"lifecycle.missing_option", Level::kShould, "", "create names an option that is missing",
     &check_missing_option},
    {"lifecycle.options", Level::kMust, "", "every default, end of range and choice is taken",
     &check_options},
    {"lifecycle.churn", Level::kMust, "", "many objects leave no thread, file or memory behind",
     &check_churn},
    {"lifecycle.many", Level::kMust, "", "32 objects live side by side", &check_many},
    {"lifecycle.process", Level::kMust, "",
     "a session leaves the process as it is and prints nothing", &check_process},
    {"lifecycle.state", Level::kMust, "", "a state that was saved can be restored", &check_state},
};

}  // namespace

std::span<const Test> lifecycle_tests() { return kTests; }

}  // namespace qed::check
