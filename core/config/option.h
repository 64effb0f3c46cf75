#pragma once

// One option of a table of a run file: the engine's own tables and the plugins' are declared in the
// same form, so one validator, one printer and one set of messages serve both.

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace qed {

enum class OptionType { kBool, kInt, kFloat, kString, kFloatList };

struct OptionSpec {
  std::string name = {};
  OptionType type = OptionType::kString;
  nlohmann::json default_value = {};  // null: required
  std::optional<double> min = {};     // inclusive unless open; numbers, and elements of lists
  std::optional<double> max = {};
  bool is_min_open = false;               // the range begins above min
  bool is_max_open = false;               // the range ends below max
  std::size_t length = 0;                 // of a list; 0: any but none
  std::vector<std::string> choices = {};  // strings; empty: any
  std::string unit = {};                  // empty: none
  std::string help = {};                  // one line
  bool is_optional = false;               // a null default is no value, and not required
};

// What the config needs to know of a plugin's component.
struct ComponentSpec {
  std::string kind;  // "task", "reward", "algorithm", "sampler"
  std::string name;
  std::string version;
  std::string summary;
  std::vector<OptionSpec> options;
};

// Finds components for the config, which lies below the plugin host.
class ComponentFinder {
 public:
  virtual ~ComponentFinder() = default;
  // Throws Error with exit code 3 when there is none of this name or it cannot be loaded.
  virtual const ComponentSpec& find(const std::string& kind, const std::string& name) = 0;
};

}  // namespace qed
