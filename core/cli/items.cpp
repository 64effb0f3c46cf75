#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "core/cli/task_command.h"
#include "core/data/items.h"
#include "qed/philox.h"

namespace qed {
namespace {

using Json = nlohmann::ordered_json;

struct ItemsOptions : TaskOptions {
  std::int64_t num_items = 3;
  std::optional<std::uint64_t> seed;
  bool is_json = false;
};

// The first items, or, with a seed, items from anywhere.
std::vector<std::uint64_t> choose(const ItemsOptions& options, std::uint64_t count) {
  const auto wanted = static_cast<std::uint64_t>(options.num_items);
  const std::uint64_t n = std::min(wanted, count);
  std::vector<std::uint64_t> order;
  if (options.seed && count != QED_GENERATIVE) {
    order = shuffled(count, KeyHash().add("items").add(*options.seed).value());
    order.resize(n);
    return order;
  }
  for (std::uint64_t i = 0; i < n; ++i) {
    // Every index of a generative split is a seed itself.
    order.push_back(options.seed ? KeyHash().add("items").add(*options.seed).add(i).value() >> 32
                                 : i);
  }
  return order;
}

bool is_text(const std::string& bytes) {
  return is_utf8(bytes) && std::none_of(bytes.begin(), bytes.end(), [](unsigned char c) {
           return c < 0x20 && c != '\n' && c != '\t' && c != '\r';
         });
}

struct Shown {
  std::uint64_t index;
  Item item;
  Prompt prompt;
  std::optional<std::string> demonstration;
};

Shown read_item(const Task& task, const ItemsOptions& options, std::uint64_t index) {
  Shown shown{
      .index = index, .item = task.load(options.split, index), .prompt = {}, .demonstration = {}};
  shown.prompt = task.render(shown.item);
  const std::uint64_t seed = KeyHash().add("demonstration").add(options.seed.value_or(0)).value();
  shown.demonstration = task.demonstrate(shown.item, "", KeyHash().add(seed).add(index).value());
  return shown;
}

// `item` is what `qed verify` takes, so that a row with a completion can be made of this one.
void print_json(const Shown& shown, const std::string& split) {
  const Prompt& prompt = shown.prompt;
  Json row = {{"item", shown.index}, {"split", split}, {"key", shown.item.key}};
  row["blob"] = is_text(shown.item.blob) ? Json(shown.item.blob) : Json();
  if (prompt.messages.empty()) row["prompt"] = prompt.text;
  if (!prompt.messages.empty()) row["messages"] = Json::parse(prompt.messages);
  row["prefill"] = prompt.prefill;
  row["stop"] = prompt.stop;
  row["max_new_tokens"] = prompt.max_new_tokens;
  row["keep_special"] = prompt.keep_special;
  if (shown.demonstration) row["demonstration"] = *shown.demonstration;
  std::printf("%s\n", row.dump().c_str());
}

// A heading and, indented, the text below it. Control characters do not reach the terminal.
void print_block(const std::string& heading, const std::string& text) {
  std::string out = cat("  ", heading, "\n    ");
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    char escaped[8];
    std::snprintf(escaped, sizeof(escaped), "\\x%02x", byte);
    const bool is_control = (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
    out += is_control ? std::string(escaped) : std::string(1, c);
    if (c == '\n') out += "    ";
  }
  while (out.ends_with(' ')) out.pop_back();
  if (!out.ends_with('\n')) out += '\n';
  std::fputs(out.c_str(), stdout);
}

void print_prompt(const Prompt& prompt) {
  if (prompt.messages.empty()) {
    print_block("prompt", prompt.text);
    if (!prompt.prefill.empty()) print_block("prefill", prompt.prefill);
  } else {
    for (const Json& message : Json::parse(prompt.messages)) {
      const Json role = message.is_object() ? message.value("role", Json("?")) : Json("?");
      const Json content = message.is_object() ? message.value("content", Json()) : message;
      print_block(role.is_string() ? role.get<std::string>() : role.dump(),
                  content.is_string() ? content.get<std::string>() : content.dump());
    }
    if (!prompt.prefill.empty()) print_block("assistant, prefill", prompt.prefill);
  }
  if (!prompt.stop.empty()) print_block("stop strings", Json(prompt.stop).dump());
  if (prompt.max_new_tokens > 0) print_block("max_new_tokens", cat(prompt.max_new_tokens));
}

void print_text(const Shown& shown, const std::string& split) {
  std::printf("item %s of %s, key %s\n", cat(shown.index).c_str(), split.c_str(),
              shown.item.key.c_str());
  const std::string& blob = shown.item.blob;
  print_block("blob", is_text(blob) ? blob : cat(blob.size(), " bytes that are no text"));
  print_prompt(shown.prompt);
  if (shown.demonstration) print_block("demonstration", *shown.demonstration);
}

int show_items(const ItemsOptions& options) {
  if (options.num_items < 1) {
    throw Error(cat("`-n` of qed items must be at least 1, not ", options.num_items), "",
                kExitUsage);
  }
  const OpenTask open = open_task(options, "items");
  if (open.count == 0) std::fprintf(stderr, "split `%s` has no items\n", options.split.c_str());
  bool is_first = true;
  for (const std::uint64_t index : choose(options, open.count)) {
    const Shown shown = read_item(*open.task, options, index);
    if (options.is_json) {
      print_json(shown, options.split);
    } else {
      if (!is_first) std::printf("\n");
      print_text(shown, options.split);
    }
    is_first = false;
  }
  return kExitOk;
}

}  // namespace

Run add_items(CLI::App& app) {
  auto options = std::make_shared<ItemsOptions>();  // lives as long as the command line
  CLI::App* command =
      app.add_subcommand("items", "Show items of a task: prompts and demonstrations");
  add_task_options(*command, *options);
  command->add_option("-n", options->num_items, "how many")->type_name("N")->default_str("3");
  command
      ->add_option("--seed", options->seed,
                   "items from anywhere instead of the first ones, and other demonstrations")
      ->type_name("SEED");
  command->add_flag("--json", options->is_json, "one JSON object per line");
  command->footer(
      "Examples:\n"
      "  qed items arithmetic\n"
      "  qed items arithmetic --set digits=2 --split test -n 1 --seed 7\n"
      "  qed items arithmetic --json | jq -c '{item, completion: .demonstration}' | qed verify "
      "arithmetic\n");
  return [options] { return show_items(*options); };
}

}  // namespace qed
