// Tests of a task's data and prompts.

#include "core/check/exercise.h"
#include "core/check/registry.h"
#include "core/host/plugin_call.h"

#include <algorithm>
#include <map>
#include <set>

namespace qed::check {
namespace {

constexpr std::uint64_t kMaxKey = 4096;

std::string line(const ItemData& item) { return cat("key ", item.key, "\nblob ", item.blob, "\n"); }

void check_count(const Subject& s) {
  const Object first(s), second(s);
  const TaskCaller a(first), b(second);
  for (const std::string& split : a.splits()) {
    const std::uint64_t n = a.count(split).get(cat("count of split `", split, "`"));
    for (const TaskCaller* task : {&a, &b, &a}) {
      const std::uint64_t again = task->count(split).get("count");
      expect(again == n, "split `", split, "` has ", n, " items, then ", again);
    }
  }
  expect(a.count("no such split").reply.status != QED_OK, "count knows a split `no such split`");
}

void check_load(const Subject& s) {
  const Object first(s), second(s);
  const TaskCaller a(first), b(second);
  for (const std::string& split : a.splits()) {
    const std::uint64_t n = std::min<std::uint64_t>(a.count(split).get("count"), 64);
    std::vector<std::string> items;
    for (std::uint64_t i = 0; i < n; ++i) {
      items.push_back(line(a.load(split, i).get(cat("item ", i, " of split `", split, "`"))));
    }
    for (std::uint64_t k = 0; k < 2 * n; ++k) {
      const std::uint64_t i = k * 37 % n;  // in another order, by turns on another object
      const TaskCaller& task = k % 2 == 0 ? a : b;
      expect_same(items[i], line(task.load(split, i).get("load")),
                  cat("item ", i, " of split `", split, "` loaded again"));
    }
    const std::uint64_t count = a.count(split).get("count");
    expect(count == QED_GENERATIVE || a.load(split, count).reply.status != QED_OK, "split `", split,
           "` has ", count, " items, and load gives item ", count);
  }
  expect(a.load("no such split", 0).reply.status != QED_OK, "load knows a split `no such split`");
}

void check_keys(const Subject& s) {
  const Object object(s);
  const TaskCaller task(object);
  for (const std::string& split : task.splits()) {
    const std::uint64_t count = task.count(split).get("count");
    const std::uint64_t n = std::min<std::uint64_t>(count, s.is_thorough ? 10000 : 1000);
    std::map<std::string, std::string> key_of_blob;
    std::set<std::string> keys;
    for (std::uint64_t i = 0; i < n; ++i) {
      const ItemData item = task.load(split, i).get(cat("item ", i));
      const std::string what = cat("the key of item ", i, " of split `", split, "`");
      expect(!item.key.empty(), what, " is empty");
      expect(item.key.size() <= kMaxKey, what, " has ", item.key.size(), " bytes");
      expect(is_utf8(item.key), what, " is not UTF-8");
      const auto [known, is_new] = key_of_blob.try_emplace(item.blob, item.key);
      expect(is_new || known->second == item.key, what, " is `", shown(item.key),
             "`; an equal item has the key `", shown(known->second), "`");
      keys.insert(item.key);
    }
    expect(n < 20 || keys.size() > n / 100, n, " items of split `", split, "` have ", keys.size(),
           " keys: a key names its item");
  }
}

void check_unique(const Subject& s) {
  const Object object(s);
  const TaskCaller task(object);
  for (const std::string& split : task.splits()) {
    const std::uint64_t count = task.count(split).get("count");
    if (count == QED_GENERATIVE) throw Skipped{"its items are generated, and may repeat"};
    const std::uint64_t n = std::min<std::uint64_t>(count, s.is_thorough ? count : 10000);
    std::map<std::string, std::uint64_t> seen;
    for (std::uint64_t i = 0; i < n; ++i) {
      const auto [at, is_new] = seen.try_emplace(task.load(split, i).get("load").key, i);
      expect(is_new, "items ", at->second, " and ", i, " of split `", split, "` have one key");
    }
  }
}

void check_messages(const std::string& text) {
  static constexpr std::string_view kRoles[] = {"system", "user", "assistant", "tool", "developer"};
  const auto list = nlohmann::json::parse(text, nullptr, false);
  expect(list.is_array() && !list.empty(), "messages are not a JSON array with an element: `",
         shown(text), "`");
  for (const auto& message : list) {
    expect(message.is_object() && message.contains("role") && message["role"].is_string() &&
               message.contains("content"),
           "a message is no object with role and content: `", shown(message.dump()), "`");
    const std::string role = message["role"];
    expect(std::ranges::find(kRoles, role) != std::end(kRoles), "a message has the role `",
           shown(role), "`");
  }
}

void check_prompt(const PromptData& prompt) {
  for (const std::string* text : {&prompt.messages, &prompt.text, &prompt.prefill, &prompt.stop}) {
    expect(is_utf8(*text), "it is not UTF-8: `", shown(*text), "`");
  }
  expect(prompt.messages.empty() != prompt.text.empty(),
         "a prompt has either messages or text, not both, not neither");
  if (!prompt.messages.empty()) check_messages(prompt.messages);
  expect(prompt.keep_special <= 1, "keep_special is ", prompt.keep_special);
  if (prompt.stop.empty()) return;
  const auto stop = nlohmann::json::parse(prompt.stop, nullptr, false);
  const auto is_text = [](const nlohmann::json& v) {
    return v.is_string() && !v.get_ref<const std::string&>().empty();
  };
  expect(stop.is_array() && std::ranges::all_of(stop, is_text),
         "stop is not a JSON array of strings that are not empty: `", shown(prompt.stop), "`");
}

void check_render(const Subject& s) {
  const Object object(s);
  const TaskCaller task(object);
  const FirstItems first = first_items(task);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(first.count, 50); ++i) {
    const ItemData item = task.load(first.split, i).get("load");
    const PromptData prompt = task.render(item).get(cat("render of item ", i));
    try {
      check_prompt(prompt);
    } catch (const Failure& failure) {
      throw Failure{cat("prompt of item ", i, ": ", failure.message)};
    }
    expect_same(prompt.shown(), task.render(item).get("render").shown(),
                cat("item ", i, " rendered again"));
  }
}

void check_demonstrate(const Subject& s) {
  const Object object(s), other(s);
  const TaskCaller task(object), again(other);
  if (!task.has_demonstrations()) throw Skipped{"it has no demonstrations"};
  const FirstItems first = first_items(task);
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(first.count, 50); ++i) {
    const ItemData item = task.load(first.split, i).get("load");
    auto answer = task.demonstrate(item, "", i);
    if (answer.reply.status == QED_UNSUPPORTED) throw Skipped{"it has none with these options"};
    const std::string text = std::move(answer).get(cat("demonstration of item ", i));
    expect(!text.empty() && is_utf8(text), "the demonstration of item ", i,
           " is empty or not UTF-8");
    expect_same(text, again.demonstrate(item, "", i).get("demonstrate"),
                cat("the demonstration of item ", i, " with the same seed"));
  }
}

constexpr Test kTests[] = {
    {"task.count", Level::kMust, "task", "a split has one number of items", &check_count},
    {"task.load", Level::kMust, "task", "an item depends on split and index alone", &check_load},
    {"task.keys", Level::kMust, "task", "keys are there, are UTF-8 and tell items apart",
     &check_keys},
    {"task.unique", Level::kShould, "task", "no two items of a split share a key", &check_unique},
    {"task.render", Level::kMust, "task", "a prompt is legal and always the same", &check_render},
    {"task.demonstrate", Level::kMust, "task", "a demonstration depends on item and seed alone",
     &check_demonstrate},
};

}  // namespace

std::span<const Test> task_tests() { return kTests; }

}  // namespace qed::check
