#include "core/check/open.h"

#include "core/check/process_state.h"
#include "core/data/dataset_service.h"
#include "core/host/component_check.h"
#include "core/host/option_check.h"
#include "core/host/plugin_call.h"
#include "core/host/plugin_file.h"
#include "core/host/services.h"
#include "core/sandbox/sandbox_service.h"
#include "core/util/words.h"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <optional>

namespace qed::check {
namespace {

std::string changes;  // of load_changes

void drop_log(const qed_host*, std::int32_t, qed_str) {}

// The services of qed, without its log. Never destroyed: the plugin stays loaded.
const qed_host* silent_host() {
  static const auto* const host = [] {
    auto* services = new HostServices;
    services->add(kDatasetService, dataset_service());
    if (sandbox_service() != nullptr) services->add(kSandboxService, sandbox_service());
    auto* copy = new qed_host(*services->abi());
    copy->log = &drop_log;
    return copy;
  }();
  return host;
}

// The JSON of a value on the command line, or nothing where it is of another type.
std::optional<nlohmann::json> read_value(const OptionSpec& option, const std::string& text) {
  if (option.type == OptionType::kString) {
    const bool is_known =
        option.choices.empty() || std::ranges::find(option.choices, text) != option.choices.end();
    return is_known ? std::optional<nlohmann::json>(text) : std::nullopt;
  }
  const auto value = nlohmann::json::parse(text, nullptr, false);
  const bool has_type = option.type == OptionType::kBool  ? value.is_boolean()
                        : option.type == OptionType::kInt ? value.is_number_integer()
                                                          : value.is_number();
  if (!has_type) return std::nullopt;
  if (option.type == OptionType::kBool) return value;
  const double x = value.get<double>();
  const bool is_inside = (!option.min || x >= *option.min) && (!option.max || x <= *option.max);
  return is_inside ? std::optional<nlohmann::json>(value) : std::nullopt;
}

std::pair<std::string, std::string> split_set(const std::string& set) {
  const std::size_t at = set.find('=');
  if (at == set.npos) {
    throw Error(cat("--set ", set, " has no `=`"), "write --set option=value", kExitUsage);
  }
  return {set.substr(0, at), set.substr(at + 1)};
}

// The subject's options as canonical JSON.
std::string options_json(const Subject& s, const std::vector<std::string>& sets) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const OptionSpec& option : s.specs) {
    nlohmann::json value = option.default_value;
    for (const std::string& set : sets) {
      const auto [name, text] = split_set(set);
      if (name != option.name) continue;
      const auto given = read_value(option, text);
      if (!given) {
        throw Error(cat("--set ", set, " does not fit option `", name, "` of ", s.kind, " `",
                        from_abi(s.component->name), "`"),
                    cat("`qed plugins ", from_abi(s.component->name), "` shows what fits"),
                    kExitUsage);
      }
      value = *given;
    }
    if (value.is_null()) {
      throw Error(
          cat(s.kind, " `", from_abi(s.component->name), "` requires option `", option.name, "`"),
          cat("give it: --set ", option.name, "=VALUE"), kExitUsage);
    }
    out[option.name] = value;
  }
  return out.dump();
}

void refuse_unknown(const std::vector<Subject>& subjects, const std::vector<std::string>& sets) {
  std::vector<std::string> names;
  for (const Subject& s : subjects) {
    for (const OptionSpec& option : s.specs) names.push_back(option.name);
  }
  for (const std::string& set : sets) {
    const std::string name = split_set(set).first;
    if (std::ranges::find(names, name) != names.end()) continue;
    throw Error(cat("--set ", set, ": the plugin has no option `", name, "`"),
                closest_hint("option", nearest(name, names)), kExitUsage);
  }
}

const qed_plugin* load_watched(const std::string& file) {
  const ProcessState before = ProcessState::now();
  std::string printed;
  const qed_plugin* plugin = nullptr;
  {
    const StdoutWatch watch;
    plugin = load_plugin_file(file, silent_host());
    printed = watch.text();
  }
  const ProcessState after = ProcessState::now();
  for (const std::string& change : {changed(before, after), leaked(before, after)}) {
    if (changes.empty()) changes = change;
  }
  if (!printed.empty()) changes = cat("stdout: it writes `", shown(printed), "`");
  return plugin;
}

std::vector<Subject> read_subjects(const OpenOptions& options) {
  silent_host();
  const qed_plugin* plugin = load_watched(options.file);
  std::vector<Subject> out;
  for (std::uint64_t i = 0; i < plugin->num_components; ++i) {
    Subject s;
    s.plugin = plugin;
    s.component = plugin->components[i];
    s.host = silent_host();
    s.file = options.file;
    s.kind = kind_of_id(from_abi(s.component->kind));
    s.seed = options.seed;
    s.is_thorough = options.is_thorough;
    if (s.kind.empty()) continue;  // of a later qed
    const std::string problem = read_options(*s.component, s.specs);
    QED_CHECK(problem.empty(), problem);
    out.push_back(std::move(s));
  }
  refuse_unknown(out, options.sets);
  for (Subject& s : out) s.options = options_json(s, options.sets);
  return out;
}

}  // namespace

const std::vector<Subject>& open_plugin(const OpenOptions& options) {
  static const std::vector<Subject> subjects = read_subjects(options);
  return subjects;
}

void expect_given_taken(const Subject& s, const std::vector<std::string>& sets) {
  std::string given;
  for (const std::string& set : sets) {
    const std::string name = split_set(set).first;
    if (std::ranges::find(s.specs, name, &OptionSpec::name) == s.specs.end()) continue;
    given += cat(given.empty() ? "" : " or ", "--set ", set);
  }
  if (given.empty()) return;
  void* self = nullptr;
  const Reply reply = create(s, s.options, &self);
  if (reply.is_ok()) s.object().destroy(self);
  if (!reply.is_refusal()) return;  // whatever else is wrong is for the tests
  const std::string name(from_abi(s.component->name));
  throw Error(cat(s.kind, " `", name, "` refuses these options: ", reply.message),
              cat("change ", given, "; `qed plugins ", name, "` shows what fits"), kExitUsage);
}

const std::string& load_changes() { return changes; }

qed_entry_fn entry_of(const std::string& file) {
  void* handle = ::dlopen(file.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  QED_CHECK(handle != nullptr, file);
  return reinterpret_cast<qed_entry_fn>(::dlsym(handle, "qed_entry_1"));
}

}  // namespace qed::check
