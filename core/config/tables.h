#pragma once

// The engine's own tables as options, made from the declarations in run_config.cpp.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/option.h"
#include "core/config/run_config.h"

namespace qed {

struct TableSpec {
  std::string name;
  std::string help;
  std::vector<OptionSpec> options;  // defaults are the initial values of the struct's members
};

// In the order of a run file. Plugin tables, and [reward] for each of its terms, declare the
// engine's own keys only: the plugin declares the rest.
const std::vector<TableSpec>& table_specs();
const TableSpec& table_spec(std::string_view name);  // `name` must be one of them

// The keys of [[stage]] itself, for a stage of this kind; "" for the union.
std::vector<OptionSpec> stage_options(const std::string& kind);

// "task", "algorithm" and "sampler".
bool is_plugin_table(std::string_view name);
// The tables that a stage may override: those three, and the engine's own but run and model.
const std::vector<std::string>& stage_tables();

// Sets members from checked values; every key must be there.
void read_run(const nlohmann::json& values, RunTable& table);
void read_model(const nlohmann::json& values, ModelTable& table);
void read_stage_table(const std::string& name, const nlohmann::json& values, Stage& stage);

// Why `key` of `table` does nothing in `stage` ("only sft stages use it"), or "". `table` is "" for
// the keys of [[stage]] itself. `gate` becomes the path of the key that decides ("train.schedule").
// Defined in effect.cpp.
std::string no_effect_reason(const Stage& stage, std::string_view table, std::string_view key,
                             std::string& gate);

}  // namespace qed
