#pragma once

// What the tests of tasks share: a task with options, scores, cases of the shared data.

#include "core/host/task.h"
#include "tests/host/host_fixture.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace qed {

using Json = nlohmann::json;

// The options of a component as the host hands them over: its defaults, with `overrides`.
inline std::string options_json(const Component& component, const Json& overrides) {
  Json out = Json::object();
  for (std::uint64_t i = 0; i < component.abi->num_options; ++i) {
    const qed_option& o = *component.abi->options[i];
    if (o.default_json.n > 0) {
      out[std::string(o.name.p, o.name.n)] =
          Json::parse(o.default_json.p, o.default_json.p + o.default_json.n);
    }
  }
  out.update(overrides);
  return out.dump();
}

inline Task make_task(PluginHost& host, const std::string& name, const Json& overrides = {}) {
  const Component& component = host.load("task", name);
  return Task(component, options_json(component, overrides.is_null() ? Json::object() : overrides),
              host.abi());
}

inline Score score_text(const Task& task, const Item& item, std::string_view text,
                        std::string_view prompt = {}, std::string_view prefill = {},
                        std::uint32_t finish = QED_FINISH_STOP) {
  const SampleView view = {.item = &item,
                           .prompt = prompt,
                           .prefill = prefill,
                           .text = text,
                           .tokens = {},
                           .finish = finish,
                           .group = 0,
                           .index = 0};
  return task.verify(std::span(&view, 1), 0).front();
}

// The folder of public data that tests may use; it need not be there.
inline std::filesystem::path shared_data() {
  const char* path = std::getenv("QED_SHARED_DATA");
  return path != nullptr ? path : QED_SOURCE_DIR "/../shared/data";
}

template <class J = Json>
std::vector<J> read_jsonl(const std::filesystem::path& path) {
  std::vector<J> rows;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) rows.push_back(J::parse(line));
  }
  return rows;
}

}  // namespace qed
