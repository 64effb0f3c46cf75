#include "core/text/chat_template.h"

#include <ctime>
#include <utility>

#include "core/text/model_file.h"
#include "core/text/text_bridge.h"
#include "core/util/error.h"
#include "core/util/files.h"

namespace qed {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kSpecialTokens[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                          "pad_token", "cls_token", "mask_token"};

void take_text(void* to, const char* text, std::size_t size) noexcept {
  static_cast<std::string*>(to)->assign(text, size);
}

std::string special_tokens(const fs::path& folder) {
  const ModelFile own(folder / "tokenizer_config.json");
  const ModelFile legacy(folder / "special_tokens_map.json");
  Json tokens = Json::object();
  for (const char* name : kSpecialTokens) {
    const auto token = own.json.contains(name) ? own.token(name) : legacy.token(name);
    if (token) tokens[name] = *token;
  }
  return tokens.dump();
}

// The one of several named templates that is meant when none is named.
std::string default_template(const ModelFile& file, const Json& templates) {
  for (const Json& entry : templates) {
    if (!entry.is_object() || entry.value("name", Json()) != "default") continue;
    const Json source = entry.value("template", Json());
    if (source.is_string()) return source.get<std::string>();
  }
  throw file.error("`chat_template` has no template that is named \"default\"");
}

std::tm time_of(TemplateClock clock) {
  std::tm time{};
  if (clock == TemplateClock::kLocal) {
    const std::time_t now = std::time(nullptr);
    ::localtime_r(&now, &time);
  } else {
    static constexpr std::time_t kFixed = 1767225600;  // 2026-01-01 00:00:00 UTC
    ::gmtime_r(&kFixed, &time);
  }
  return time;
}

}  // namespace

void ChatTemplate::Free::operator()(qtx_chat* handle) const { qtx_chat_free(handle); }

ChatTemplate::ChatTemplate(std::string name, std::string_view source, std::string variables)
    : name_(std::move(name)),
      variables_(std::move(variables)),
      handle_(qtx_chat_open(source.data(), source.size())) {
  if (!handle_) {
    throw Error(cat(name_, ": not a valid chat template: ", qtx_last_error()),
                "mend the template, or give another one as `chat_template` in [model]", kExitUsage);
  }
}

std::optional<ChatTemplate> ChatTemplate::find(const fs::path& folder) {
  std::error_code ignored;
  const fs::path jinja = folder / "chat_template.jinja";
  if (fs::exists(jinja, ignored)) return read(jinja, folder);
  const ModelFile config(folder / "tokenizer_config.json");
  if (!config.has("chat_template")) return std::nullopt;
  const Json& value = config.json.at("chat_template");
  if (!value.is_string() && !value.is_array()) {
    throw config.error("`chat_template` must be a text or a list of named texts");
  }
  const std::string source =
      value.is_string() ? value.get<std::string>() : default_template(config, value);
  return ChatTemplate(cat(config.path.string(), " (chat_template)"), source,
                      special_tokens(folder));
}

ChatTemplate ChatTemplate::read(const fs::path& file, const fs::path& folder) {
  return ChatTemplate(file.string(), read_file(file), special_tokens(folder));
}

std::string ChatTemplate::render(std::string_view messages, const RenderOptions& options) const {
  std::string variables = variables_;
  if (options.variables != "{}") {
    using Ordered = nlohmann::ordered_json;  // a template may print a variable's keys
    Ordered all = Ordered::parse(variables_);
    const Ordered more = Ordered::parse(options.variables, nullptr, false);
    if (!more.is_object()) throw Error("the variables of a chat template must be a JSON object");
    all.update(more);
    variables = all.dump();
  }
  const std::tm now = time_of(options.clock);
  std::string text;
  if (qtx_chat_render(handle_.get(), messages.data(), messages.size(), variables.data(),
                      variables.size(), options.add_generation_prompt, &now, take_text, &text)) {
    throw Error(cat(name_, ": ", qtx_last_error()),
                "give messages that the template takes, or another template", kExitUsage);
  }
  return text;
}

}  // namespace qed
