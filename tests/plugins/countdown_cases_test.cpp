// The published rules of countdown and multiply against the results of the original Python.

#include "tests/plugins/task_fixture.h"

#include <gmock/gmock.h>

#include <map>
#include <memory>

namespace qed {
namespace {

// One case; numbers stay as they are written, since some have more than 64 bits.
struct Case {
  std::string id, function, text, target, numbers, gold, expected;
  Json params = Json::object();
};

// The value of a member, as it is written.
std::string raw_value(const std::string& line, const std::string& key) {
  const std::string head = "\"" + key + "\": ";
  const auto begin = line.find(head);
  if (begin == line.npos) return {};
  const auto at = begin + head.size();
  if (line[at] == '[') return line.substr(at, line.find(']', at) + 1 - at);
  if (line[at] == '"') return line.substr(at, line.find('"', at + 1) + 1 - at);
  return line.substr(at, line.find_first_of(",}", at) - at);
}

Case read_case(const std::string& line) {
  const Json row = Json::parse(line);
  Case out = {
      .id = row["id"],
      .function = row["system"].get<std::string>() + "/" + row["function"].get<std::string>(),
      .text = {},
      .target = raw_value(line, "target"),
      .numbers = raw_value(line, "nums"),
      .gold = raw_value(line, "ground_truth"),
      .expected = raw_value(line, "expected"),
      .params = row["params"]};
  if (out.numbers.empty()) out.numbers = raw_value(line, "numbers");
  for (const char* key : {"solution_str", "completion", "action"}) {
    if (row["input"].contains(key)) out.text = row["input"][key];
  }
  return out;
}

std::vector<Case> read_cases(const std::string& file, const std::string& function) {
  std::vector<Case> out;
  std::ifstream in(shared_data() / "verify" / file);
  for (std::string line; std::getline(in, line);) {
    if (line.find(function.substr(function.find('/') + 1)) == line.npos) continue;
    Case c = read_case(line);
    if (c.function == function) out.push_back(std::move(c));
  }
  return out;
}

struct Mapping {
  const char* file;
  const char* function;
  const char* task;
  Json options;
  double when_hanging;  // of a well-formed wrong expression
  std::size_t num_cases;
};

const Mapping kMappings[] = {
    {"rewards_tinyzero.jsonl",
     "tinyzero/countdown",
     "countdown",
     {{"reward", "tinyzero"}},
     0.1,
     282},
    {"rewards_tinyzero.jsonl",
     "tinyzero_reward_shaping/countdown_level1",
     "countdown",
     {{"reward", "tinyzero"}},
     0.1,
     35},
    {"rewards_tinyzero.jsonl",
     "tinyzero_reward_shaping/countdown_level2",
     "countdown",
     {{"reward", "tinyzero_level2"}},
     0.5,
     79},
    {"rewards_tinyzero.jsonl",
     "tinyzero_reward_shaping/countdown_level3",
     "countdown",
     {{"reward", "tinyzero_level3"}},
     0.5,
     83},
    {"rewards_tinyzero.jsonl",
     "tinyzero_reward_shaping/countdown_level4",
     "countdown",
     {{"reward", "tinyzero_level4"}},
     0.7,
     89},
    {"rewards_mini_r1.jsonl",
     "mini_r1/equation_reward_func",
     "countdown",
     {{"reward", "mini_r1_equation"}},
     0,
     284},
    {"rewards_mini_r1.jsonl",
     "mini_r1/format_reward_func",
     "countdown",
     {{"reward", "mini_r1_format"}},
     0,
     193},
    {"rewards_ragen.jsonl", "ragen/countdown_reward", "countdown", {{"reward", "ragen"}}, 0.1, 191},
    {"rewards_tinyzero.jsonl", "tinyzero/multiply", "arithmetic", {{"reward", "tinyzero"}}, 0, 93},
    {"rewards_tinyzero.jsonl",
     "tinyzero_len_reward/multiply",
     "arithmetic",
     {{"reward", "tinyzero_len"}},
     0,
     29},
};

Item item_of(const Case& c, const std::string& task) {
  if (task == "arithmetic") return {"key", "{\"answer\":" + c.gold + "}"};
  if (c.target.empty()) return {"key", R"({"target":0,"nums":[]})"};
  return {"key", "{\"target\":" + c.target + ",\"nums\":" + c.numbers + "}"};
}

class Cases : public testing::TestWithParam<Mapping> {};

TEST_P(Cases, HaveTheOriginalsReward) {
  const Mapping& m = GetParam();
  if (!std::filesystem::exists(shared_data() / "verify" / m.file)) {
    GTEST_SKIP() << "no " << shared_data() / "verify" / m.file << ": set QED_SHARED_DATA";
  }
  PluginHost host({product_plugins()});
  std::map<std::string, std::unique_ptr<Task>> tasks;  // by parameters
  std::size_t n = 0;
  for (const Case& c : read_cases(m.file, m.function)) {
    ++n;
    Json options = m.options;
    options.update(c.params);
    auto& task = tasks[options.dump()];
    const Component& component = host.load("task", m.task);
    if (!task)
      task = std::make_unique<Task>(component, options_json(component, options), host.abi());
    const Score s = score_text(*task, item_of(c, m.task), c.text);
    EXPECT_EQ(s.status, QED_OK) << c.id << ": " << s.note;
    const double expected = c.expected == "\"hang\"" ? m.when_hanging : std::stod(c.expected);
    EXPECT_NEAR(s.reward, expected, 1e-6) << c.id << " " << s.note << "\n" << c.text;
  }
  EXPECT_EQ(n, m.num_cases);
}

INSTANTIATE_TEST_SUITE_P(Originals, Cases, testing::ValuesIn(kMappings),
                         [](const testing::TestParamInfo<Mapping>& info) {
                           std::string name = info.param.function;
                           for (char& c : name) {
                             if (c == '/') c = '_';
                           }
                           return name;
                         });

TEST(PlusMinusCases, AreSolvedWhereTheOriginalSolvesThem) {
  if (!std::filesystem::exists(shared_data() / "verify")) {
    GTEST_SKIP() << "no " << shared_data() / "verify"
                 << ": set QED_SHARED_DATA";
  }
  PluginHost host({product_plugins()});
  const Task task = make_task(host, "countdown", {{"kind", "plus_minus"}});
  const Task judge = make_task(host, "countdown", {{"reward", "ragen"}});
  const auto cases = read_cases("rewards_ragen.jsonl", "ragen/countdown_plus_minus_solvable");
  EXPECT_EQ(cases.size(), 59u);
  for (const Case& c : cases) {
    const Item item = item_of(c, "countdown");
    if (c.expected == "true") {
      const auto text = task.demonstrate(item, "direct", 1);
      EXPECT_EQ(score_text(judge, item, *text, "", "<think>").reward, 1) << *text;
    } else {
      EXPECT_THAT(failure_of([&] { task.demonstrate(item, "direct", 1); }).message,
                  testing::HasSubstr("no solution"));
    }
  }
}

}  // namespace
}  // namespace qed
