#include "core/data/dataset.h"
#include "core/data/dataset_service.h"
#include "qed/philox.h"
#include "tests/plugins/task_fixture.h"

#include <gmock/gmock.h>

#include <map>
#include <set>
#include <thread>

namespace qed {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

// A statement of a row, (op, parts...), evaluated in the plainest way: the oracle of the solver.
bool holds(const Json& s, unsigned world) {
  const std::string op = s[0];
  if (op == "telling-truth") return ((world >> s[1].get<int>()) & 1) == 1;
  if (op == "lying") return ((world >> s[1].get<int>()) & 1) == 0;
  const bool first = holds(s[1], world);
  if (op == "not") return !first;
  if (op == "->") return !first || holds(s[2], world);
  if (op == "<=>") return first == holds(s[2], world);
  for (std::size_t i = 1; i < s.size(); ++i) {
    if (holds(s[i], world) != (op == "and")) return op == "or";
  }
  return op == "and";
}

Json statements(const Json& item) {
  std::string text = item["statements"];
  for (char& c : text) c = c == '(' ? '[' : c == ')' ? ']' : c == '\'' ? '"' : c;
  return Json::parse(text);
}

std::vector<unsigned> solutions(const Json& says) {
  std::vector<unsigned> out;
  for (unsigned world = 0; world < (1u << says.size()); ++world) {
    bool is_one = true;
    for (std::size_t i = 0; i < says.size(); ++i) {
      is_one = is_one && holds(says[i], world) == (((world >> i) & 1) == 1);
    }
    if (is_one) out.push_back(world);
  }
  return out;
}

// Members in the order of the text: roles are people in order.
nlohmann::ordered_json parse(const Item& item) { return nlohmann::ordered_json::parse(item.blob); }

class Knights : public testing::Test {
 protected:
  Knights() { host_.add_service(kDatasetService, dataset_service()); }

  Task make(const Json& options = {}) { return make_task(host_, "knights", options); }
  std::string refusal(const Json& options) {
    return failure_of([&] { make(options); }).message;
  }

  PluginHost host_{{product_plugins()}};
  const Item item_{"k", R"({"roles":{"Zoey":"knight","Oliver":"knave"},"quiz":"Who?"})"};
  const std::string good_ =
      "<think>so</think>\n<answer>(1) Zoey is a knight\n(2) Oliver is a knave</answer>";
};

TEST_F(Knights, PuzzlesHaveExactlyOneSolutionAndItIsTheItems) {
  for (const std::string perturb : {"none", "statement", "leaf"}) {
    for (int people = 2; people <= 8; ++people) {
      const Task task = make({{"people", people}, {"perturb", perturb}, {"width", 3}});
      for (std::uint64_t i = 0; i < 100; ++i) {
        const auto item = parse(task.load(i % 2 == 0 ? "train" : "test", i));
        const Json says = statements(item);
        ASSERT_EQ(says.size(), static_cast<std::size_t>(people));
        const auto worlds = solutions(says);
        ASSERT_EQ(worlds.size(), 1u) << item;
        unsigned world = worlds[0];
        for (const auto& [name, role] : item["roles"].items()) {
          EXPECT_EQ(role, (world & 1) == 1 ? "knight" : "knave") << item;
          world >>= 1;
        }
      }
    }
  }
}

TEST_F(Knights, StatementsFollowTheGrammar) {
  const Task task = make({{"people", 4}});
  std::map<std::string, int> ops;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    const Json says = statements(parse(task.load("train", i)));
    for (std::size_t speaker = 0; speaker < says.size(); ++speaker) {
      const Json& s = says[speaker];
      const std::string op = s[0];
      ++ops[op == "lying" ? "telling-truth" : op];
      if (op == "lying" || op == "telling-truth") continue;
      std::set<Json> parts(s.begin() + 1, s.end());
      EXPECT_EQ(parts.size(), op == "not" ? 1u : 2u);
      for (const Json& part : parts) EXPECT_FALSE(part[0] == "lying" && part[1] == speaker);
    }
  }
  EXPECT_EQ(ops.size(), 6u);
  for (const auto& [op, n] : ops) EXPECT_GT(n, 1000) << op;  // of 12,000: a sixth, were all unique
}

TEST_F(Knights, NoKeyOfTheTestSplitIsInTheTrainingSplit) {
  for (int people : {2, 3, 5}) {
    const Task task = make({{"people", people}});
    std::set<std::string> test;
    for (std::uint64_t i = 0; i < 2000; ++i) test.insert(task.load("test", i).key);
    for (std::uint64_t i = 0; i < 2000; ++i) EXPECT_EQ(test.count(task.load("train", i).key), 0u);
    EXPECT_GT(test.size(), people == 2 ? 5u : 500u);
  }
}

TEST_F(Knights, AKeyDoesNotDependOnNamesOrOrder) {
  const auto key = [&](const std::string& says, const std::string& solution) {
    const auto path = std::filesystem::path(testing::TempDir()) / "knights_key.jsonl";
    std::ofstream(path) << Json{{"quiz", "Who?"},
                                {"solution_text_format", solution},
                                {"statements", says}}
                        << '\n';
    return make({{"data", path.string()}}).load("train", 0).key;
  };
  const std::string abc = "(1) A is a knight\n(2) B is a knave\n(3) C is a knight";
  const std::string a =
      key("(('and', ('lying', 1), ('telling-truth', 2)), ('lying', 0), "
          "('->', ('telling-truth', 2), ('telling-truth', 0)))",
          abc);
  EXPECT_EQ(a, key("(('and', ('telling-truth', 2), ('lying', 1)), ('not', ('telling-truth', 0)), "
                   "('->', ('telling-truth', 2), ('telling-truth', 0)))",
                   "(1) X is a knight\n(2) Y is a knave\n(3) Z is a knight"));
  EXPECT_EQ(a, key("(('->', ('telling-truth', 0), ('telling-truth', 1)), "
                   "('and', ('lying', 2), ('telling-truth', 0)), ('lying', 1))",
                   "(1) C is a knight\n(2) A is a knight\n(3) B is a knave"));
  EXPECT_NE(a, key("(('and', ('lying', 1), ('telling-truth', 2)), ('lying', 0), "
                   "('<=>', ('telling-truth', 2), ('telling-truth', 0)))",
                   abc));
}

TEST_F(Knights, PeopleAreOneNumberOrARange) {
  EXPECT_EQ(parse(make({{"people", 7}}).load("train", 3))["roles"].size(), 7u);
  std::map<std::size_t, int> sizes;
  const Task task = make({{"people", 2}, {"max_people", 5}});
  for (std::uint64_t i = 0; i < 2000; ++i) ++sizes[parse(task.load("train", i))["roles"].size()];
  EXPECT_EQ(sizes.size(), 4u);
  for (const auto& [n, count] : sizes) EXPECT_NEAR(count, 500, 100) << n;
}

TEST_F(Knights, LoadIsAPureFunctionOfItsArguments) {
  const Task task = make({{"people", 3}, {"max_people", 6}, {"perturb", "leaf"}});
  std::vector<Item> forward;
  for (std::uint64_t i = 0; i < 200; ++i) forward.push_back(task.load("train", i));
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::uint64_t i = 200; i-- > 0;) EXPECT_EQ(task.load("train", i).blob, forward[i].blob);
    });
  }
}

TEST_F(Knights, PerturbationsChangeWhatTheySayOfTheSamePuzzle) {
  const Task plain = make({{"people", 4}});
  const std::map<std::string, Task> tasks = [&] {
    std::map<std::string, Task> out;
    for (const std::string p :
         {"statement", "leaf", "random_pair", "flip_role", "uncommon_name", "reorder_statement"}) {
      const Component& c = host_.load("task", "knights");
      out.try_emplace(p, c, options_json(c, {{"people", 4}, {"perturb", p}}), host_.abi());
    }
    return out;
  }();
  int num_others = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Item item = plain.load("train", i);
    const auto was = parse(item);
    const Json says = statements(was);
    for (const auto& [perturb, task] : tasks) {
      const Item changed = task.load("train", i);
      const auto is = parse(changed);
      EXPECT_NE(is["quiz"], was["quiz"]) << perturb;
      const Json now = statements(is);
      std::size_t num_changed = 0;
      for (std::size_t p = 0; p < 4; ++p) num_changed += now[p] != says[p] ? 1 : 0;
      const bool is_logic = perturb == "statement" || perturb == "leaf";
      if (is_logic && num_changed > 1) {  // this puzzle can't be changed so: another one
        ++num_others;
        continue;
      }
      EXPECT_EQ(num_changed, is_logic ? 1u : 0u) << perturb;
      EXPECT_EQ(changed.key == item.key, !is_logic) << perturb;
      if (is_logic || perturb == "reorder_statement") {
        EXPECT_EQ(is["roles"] == was["roles"], !is_logic) << perturb;
      }
      if (perturb == "flip_role") {
        for (const auto& [name, role] : is["roles"].items()) EXPECT_NE(role, was["roles"][name]);
        EXPECT_THAT(is["quiz"].get<std::string>(), HasSubstr("Knaves always tell the truth"));
      }
      if (perturb == "uncommon_name") {
        for (const auto& [name, role] : is["roles"].items())
          EXPECT_FALSE(was["roles"].contains(name));
      }
    }
  }
  EXPECT_LT(num_others, 20);
}

TEST_F(Knights, EveryPerturbationIsDemonstratedRight) {
  for (const std::string perturb : {"none", "statement", "leaf", "random_pair", "flip_role",
                                    "uncommon_name", "reorder_statement"}) {
    for (const std::string style : {"", "search", "direct"}) {
      const Task task = make({{"people", 2}, {"max_people", 8}, {"perturb", perturb}});
      for (std::uint64_t i = 0; i < 100; ++i) {
        const Item item = task.load("train", i);
        const Prompt prompt = task.render(item);
        const std::string text = *task.demonstrate(item, style, i);
        const Score s = score_text(task, item, text, prompt.text, prompt.prefill);
        EXPECT_EQ(s.reward, 1.0) << s.note << "\n" << text;
        EXPECT_EQ(s.verdict, QED_VERDICT_RIGHT);
      }
    }
  }
}

TEST_F(Knights, PromptsAreThePublishedOnes) {
  const Prompt base = make().render(item_);
  EXPECT_EQ(base.prefill, "<think>");
  EXPECT_TRUE(base.text.starts_with(
      "The user asks a question, and the Assistant solves it.The assistant first thinks"));
  EXPECT_TRUE(
      base.text.ends_with("(1) Zoey is a knight\n(2) Oliver is a knight\n(3)... "
                          "</answer>.\n\nUser:Who?\nAssistant: "));
  const Prompt instruct = make({{"template", "instruct"}}).render(item_);
  EXPECT_TRUE(instruct.text.ends_with(
      "</answer>.\n<|im_end|>\n<|im_start|>user\nWho?\n<|im_end|>\n<|im_start|>assistant\n"));
  const Json chat = Json::parse(make({{"template", "chat"}}).render(item_).messages);
  std::string rendered;  // as Qwen's template does it
  for (const Json& m : chat) {
    rendered += "<|im_start|>" + m["role"].get<std::string>() + "\n" +
                m["content"].get<std::string>() + "<|im_end|>\n";
  }
  EXPECT_EQ(rendered + "<|im_start|>assistant\n", instruct.text);
  const Prompt mem = make({{"template", "mem_kk"}, {"reward", "mem_kk"}}).render(item_);
  EXPECT_EQ(mem.text, "### Question: Who?\n### Answer: Let's think step by step. ");
  EXPECT_EQ(mem.prefill, "");
  EXPECT_EQ(make({{"prefill", false}}).render(item_).prefill, "");
}

TEST_F(Knights, StrictWantsEveryPersonOnceAndNothingElse) {
  const Task task = make();
  const auto in = [](const std::string& answer) {
    return "<think>so</think>\n<answer>" + answer + "</answer>";
  };
  const std::pair<std::string, double> cases[] = {
      {good_, 1},
      {"\n" + good_ + "\n", 1},
      {in("Zoey is a knight, Oliver is a knave."), 1},
      {in("\nOliver is a knave;\nZoey is a knight\n"), 1},
      {in("(1) Oliver is a knave (2) Zoey is a knight"), 1},
      {in("(1) Zoey is a knight\n(2) Oliver is a knight"), 0.1},
      {in("(1) Zoey is a knave\n(2) Oliver is a knight"), 0.1},
      {in("(1) Zoey is a hero\n(2) Oliver is a knave"), 0.1},
      {"", 0},
      {"(1) Zoey is a knight\n(2) Oliver is a knave", 0},
      {good_ + " ok", 0},
      {"ok " + good_, 0},
      {good_ + good_, 0},
      {in("Zoey is a knight"), 0},
      {in("(1) Zoey is a knight\n(2) Oliver is a knave\n(3) Zoey is a knight"), 0},
      {in("(1) Zoey is a knight\n(2) Zoey is a knave"), 0},
      {in("(2) Zoey is a knight\n(1) Oliver is a knave"), 0},
      {in("(1) Zoey is a knight or a knave\n(2) Oliver is a knave"), 0},
      {in("(1) Zoey is not a knight\n(2) Oliver is a knave"), 0},
      {in("(1) Zoey is a Knight\n(2) Oliver is a knave"), 0},
      {in("(1) zoey is a knight\n(2) Oliver is a knave"), 0},
      {in("(1) Zoey is an knight\n(2) Oliver is a knave"), 0},
      {in("(1) Zoey is a knight(2) Oliver is a knave"), 0},
      {in("If Zoey is a knight, Oliver is a knave"), 0},
      {"<think></think> x <answer>Zoey is a knight, Oliver is a knave</answer>", 0},
      {"<answer>Zoey is a knight, Oliver is a knave</answer><think></think>", 0},
  };
  for (const auto& [text, reward] : cases) {
    const Score s = score_text(task, item_, text);
    EXPECT_EQ(s.reward, reward) << text << "\n" << s.note;
    EXPECT_EQ(s.verdict, reward == 1 ? QED_VERDICT_RIGHT : QED_VERDICT_WRONG);
    EXPECT_FLOAT_EQ(s.terms[1] + s.terms[2], static_cast<float>(reward));
    EXPECT_FALSE(s.note.empty());
  }
  const Score cut = score_text(task, item_, good_, "", "", QED_FINISH_LENGTH);
  EXPECT_EQ(cut.reward, 0.0);
  EXPECT_EQ(cut.note, "no end token");
}

TEST_F(Knights, AThinkTagOfThePromptCounts) {
  const std::string rest = good_.substr(7);
  const Task strict = make(), logic = make({{"reward", "logic_rl"}});
  for (const Task* task : {&strict, &logic}) {
    const double full = task == &strict ? 1 : 3, none = task == &strict ? 0 : -3;
    EXPECT_EQ(score_text(*task, item_, rest, "Assistant: <think>", "<think>").reward, full);
    EXPECT_EQ(score_text(*task, item_, rest, "Assistant: ", "<think>").reward, full);
    EXPECT_EQ(score_text(*task, item_, rest, "<assistant><think>\n").reward, full);
    EXPECT_EQ(score_text(*task, item_, rest, "Assistant: ").reward, none);
    EXPECT_EQ(score_text(*task, item_, good_, "Assistant: ", "<think>").reward, none);
  }
}

TEST_F(Knights, LogicRlScoresTheResponseBelowThePublishedPrompt) {
  for (const std::string name : {"base", "instruct"}) {
    const Task task = make({{"reward", "logic_rl"}, {"template", name}});
    const Item item = task.load("train", 5);
    const Prompt prompt = task.render(item);
    const std::string right = *task.demonstrate(item, "", 0);
    const std::string asked = prompt.text + prompt.prefill;
    for (const std::string& text : {right, std::string("no"), right + "!", "x Assistant: " + right,
                                    "Assistant: <think>" + right}) {
      const Score whole = score_text(task, item, asked + text);
      const Score parts = score_text(task, item, text, asked, prompt.prefill);
      EXPECT_EQ(parts.reward, whole.reward) << name << ": " << text;
    }
    EXPECT_EQ(score_text(task, item, right, asked, prompt.prefill).reward, 3);
  }
}

TEST_F(Knights, LenientEvaluationsReadWhatTheyRead) {
  const Task eval = make({{"reward", "eval_kk"}});
  EXPECT_EQ(score_text(eval, item_, good_).reward, 1);
  EXPECT_EQ(score_text(eval, item_,
                       "x</think> <answer>ZOEY: Knight, Oliver must be a knave, no "
                       "knight</answer> bye")
                .reward,
            1);
  EXPECT_EQ(score_text(eval, item_, "</think><answer>Zoey\nknight Oliver knave</answer>").reward,
            0);
  EXPECT_EQ(score_text(eval, item_, "</think><answer>Zoey Oliver knave</answer>").reward, 0);
  EXPECT_EQ(score_text(eval, item_, "<answer></think>Zoey knight Oliver knave</answer>").reward, 0);
  EXPECT_EQ(score_text(eval, item_, good_ + "<answer>").reward, 0);

  const Task mem = make({{"reward", "mem_kk"}, {"template", "mem_kk"}});
  const std::string right = "(1) Zoey is a knight\n(2) Oliver is a knave";
  EXPECT_EQ(score_text(mem, item_, "so CONCLUSION: " + right).reward, 1);
  EXPECT_EQ(score_text(mem, item_, "if so CONCLUSION: ok" + right + "!").reward, 1);
  EXPECT_EQ(score_text(mem, item_, right).reward, 0);
  EXPECT_EQ(score_text(mem, item_, right + " CONCLUSION:").reward, 0);
  EXPECT_EQ(score_text(mem, item_, "CONCLUSION: " + right + "\n(3) Ann is a knave").reward, 0);
  EXPECT_EQ(score_text(mem, item_, "CONCLUSION: if " + right).reward, 0);
  const Item made = mem.load("train", 1);
  EXPECT_EQ(score_text(mem, made, *mem.demonstrate(made, "", 0)).reward, 1);
}

TEST_F(Knights, AForeignItemIsBadDataAndNotAReward) {
  const Task task = make();
  for (const std::string blob :
       {"", "{", "[]", "{}", R"({"roles":)", R"({"roles":{"A":1}})", R"({"roles":{"A":"b\"c"}})",
        R"({"solution_text_format":"A is a knight"})", R"({"roles":{"\n":"knight"}})",
        R"({"quiz":"x"} x)"}) {
    const Score s = score_text(task, {"k", blob}, good_);
    EXPECT_EQ(s.status, QED_DATA) << blob;
    EXPECT_FALSE(s.note.empty());
  }
  const auto f = failure_of([&] { task.demonstrate(item_, "", 0); });
  EXPECT_THAT(f.message, HasSubstr("this item has no `statements`"));
  EXPECT_THAT(failure_of([&] { task.demonstrate(item_, "loud", 0); }).message,
              EndsWith("there is no style `loud`"));
}

TEST_F(Knights, OptionsThatContradictEachOtherAreRefused) {
  EXPECT_THAT(refusal({{"people", 5}, {"max_people", 3}}),
              HasSubstr("`max_people` is less than `people`"));
  EXPECT_THAT(refusal({{"eval_data", "x.jsonl"}}),
              HasSubstr("`eval_data` is given without `data`"));
  EXPECT_THAT(refusal({{"data", "x.jsonl"}, {"perturb", "leaf"}}), HasSubstr("`data` is given"));
  EXPECT_THAT(refusal({{"reward", "mem_kk"}}), HasSubstr("does not read what the template"));
  EXPECT_THAT(refusal({{"reward", "logic_rl"}, {"perturb", "random_pair"}}),
              HasSubstr("no other words than knight and knave"));
}

TEST_F(Knights, ABadRowSaysWhereOrIsLeftOut) {
  const auto path = std::filesystem::path(testing::TempDir()) / "knights_rows.jsonl";
  const Json good = {{"quiz", "Who?"},
                     {"solution_text_format", "(1) A is a knight\n(2) B is a knave"}};
  const auto with = [&](const char* field, const Json& value) {
    Json row = good;
    row[field] = value;
    return row.dump();
  };
  const std::pair<std::string, std::string> rows[] = {
      {good.dump(), ""},
      {R"({"quiz":"Who?"})", "field `solution_text_format`: missing"},
      {with("quiz", nullptr), "field `quiz`: missing"},
      {with("quiz", 3), "field `quiz`: bad JSON at byte 9: expected `\"`"},
      {with("solution_text_format", "(1) A is a knight\nB is a knave"),
       "field `solution_text_format`: expected lines such as `(1) Zoey is a knight`"},
      {with("solution_text_format", "(1) A is a hero\n(2) B is a knave"),
       "field `solution_text_format`: person 1 is neither knight nor knave"},
      {with("statements", "(('lying', 1), ('telling-truth', 0))"),
       "field `statements`: not exactly one solution"},
      {with("statements", "(('and', ('lying', 0), ('lying', 1)), ('telling-truth', 1))"),
       "field `solution_text_format`: this is not the solution of `statements`"},
      {with("statements", "(('lying', 1), )"), "field `statements`: byte 16: expected `(`"},
      {with("knight_knave", {{"knight", "hero"}, {"knave", "villain"}}),
       "field `solution_text_format`: person 1 is neither hero nor villain"},
      {good.dump(), ""},
  };
  std::ofstream out(path);
  for (const auto& [row, message] : rows) out << row << '\n';
  out.close();
  const Task task = make({{"data", path.string()}});
  EXPECT_EQ(task.count("train"), std::size(rows));
  EXPECT_EQ(task.count("test"), 0u);
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    if (rows[i].second.empty()) {
      EXPECT_EQ(parse(task.load("train", i))["quiz"], "Who?");
      continue;
    }
    const auto f = failure_of([&] { task.load("train", i); });
    EXPECT_THAT(f.message,
                HasSubstr("knights_rows.jsonl:" + std::to_string(i + 1) + ": " + rows[i].second));
  }
  const Task skips = make({{"data", path.string()}, {"bad_rows", "skip"}});
  EXPECT_EQ(skips.count("train"), 2u);
  EXPECT_EQ(skips.load("train", 1).blob, skips.load("train", 0).blob);
}

TEST_F(Knights, NoBytesBreakTheVerifiers) {
  const std::string parts[] = {"<think>",
                               "</think>",
                               "<answer>",
                               "</answer>",
                               "(1) Zoey is a knight",
                               "\n(2) Oliver is a knave",
                               "Zoey",
                               " is a ",
                               "\xE2\x84\xAA",
                               "\xC4\xB0",
                               "knight",
                               "CONCLUSION:",
                               "Assistant:",
                               "\xC2\xA0",
                               "\xFF",
                               "\n"};
  std::vector<std::string> texts = {std::string(1 << 20, '<'), std::string(5, '\0'), "\xFF\xFE\xE2",
                                    "<answer>" + std::string(1 << 20, ' ') + "</answer>"};
  Rng rng(7);
  for (int i = 0; i < 5000; ++i) {
    std::string text = good_;
    for (int edit = 0; edit < 4; ++edit) {
      const auto at =
          static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(text.size())));
      if (rng.real() < 0.6) {
        text.insert(at, parts[rng.integer(0, std::size(parts) - 1)]);
      } else {
        text.erase(at, static_cast<std::size_t>(rng.integer(0, 9)));
      }
      if (rng.real() < 0.2 && !text.empty()) text[at % text.size()] = static_cast<char>(rng.next());
    }
    texts.push_back(text);
  }
  for (const std::string reward : {"strict", "logic_rl", "eval_kk", "mem_kk"}) {
    const Task task =
        make({{"reward", reward}, {"template", reward == "mem_kk" ? "mem_kk" : "base"}});
    for (const std::string& text : texts) {
      const Score s = score_text(task, item_, text, "Assistant: ");
      EXPECT_EQ(s.status, QED_OK) << text;
      EXPECT_EQ(s.verdict == QED_VERDICT_RIGHT, s.reward == (reward == "logic_rl" ? 3 : 1)) << text;
    }
  }
}

TEST_F(Knights, GoldensHold) {
  const std::filesystem::path folder = QED_SOURCE_DIR "/plugins/tasks/knights/golden";
  const auto scores = read_jsonl<nlohmann::ordered_json>(folder / "verify.jsonl");
  EXPECT_GT(scores.size(), 10u);
  for (const auto& row : scores) {
    const Task task = make(row["options"]);
    const Score s =
        score_text(task, {"k", row["item"].dump()}, row["completion"].get<std::string>());
    EXPECT_EQ(s.reward, row["reward"].get<double>()) << row;
    EXPECT_EQ(s.note, row["note"]) << row;
  }
  const auto items = read_jsonl(folder / "items.jsonl");
  EXPECT_GT(items.size(), 5u);
  for (const Json& row : items) {
    const Task task = make(row["options"]);
    const Item item = task.load(row["split"].get<std::string>(), row["item"]);
    EXPECT_EQ(item.key, row["key"]);
    EXPECT_EQ(item.blob, row["blob"]);
    EXPECT_EQ(*task.demonstrate(item, "", 0), row["demonstration"]);
  }
}

TEST_F(Knights, LogicRlGivesTheRecordedScores) {
  const auto path = shared_data() / "verify/rewards_logic_rl.jsonl";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << ": 291 cases not run";
  const auto rows = read_jsonl(path);
  EXPECT_EQ(rows.size(), 291u);
  for (const Json& row : rows) {
    Json options = row["params"];
    options["reward"] = "logic_rl";
    const Task task = make(options);
    const Json gold = {{"solution_text_format", row["input"]["solution_text_format"]}};
    const Score s =
        score_text(task, {"k", gold.dump()}, row["input"]["solution_str"].get<std::string>());
    EXPECT_EQ(s.status, QED_OK) << s.note;
    EXPECT_NEAR(s.reward, row["expected"].get<double>(), 1e-6) << row;
  }
}

// The published rows: their prompts, and the reasoning that their generator wrote.
TEST_F(Knights, PublishedRowsAreReadAndTheirReasoningIsFoundAgain) {
  const auto folder = shared_data() / "kk";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder << ": 2000 rows not read";
  if (!std::filesystem::exists(QED_BINARY_DIR "/lib/libqed_parquet.so")) {
    GTEST_SKIP() << "libqed_parquet.so is not built: 2000 rows not read";
  }
  ::setenv("QED_LIB", QED_BINARY_DIR "/lib", 1);
  std::size_t num_rows = 0;
  for (const std::string people : {"3", "5"}) {
    const std::string train = (folder / (people + "ppl.train.parquet")).string();
    const std::string test = (folder / (people + "ppl.test.parquet")).string();
    const Task task = make({{"data", train}, {"eval_data", test}, {"template", "instruct"}});
    for (const std::string split : {"train", "test"}) {
      const auto rows = Dataset::open(split == "train" ? train : test);
      for (std::uint64_t i = 0; i < task.count(split); ++i, ++num_rows) {
        std::string text;
        rows->row(i, text);
        const Json row = Json::parse(text);
        const Item item = task.load(split, i);
        const Prompt prompt = task.render(item);
        EXPECT_EQ(prompt.text + prompt.prefill, row["prompt"][0]["content"]);
        text = row["cot_head"].get<std::string>() + "\n";
        for (const Json& step : row["cot_repeat_steps"]) text += step.get<std::string>() + "\n";
        text += row["cot_foot"].get<std::string>() + "\n</think>\n<answer>" +
                row["solution_text_format"].get<std::string>() + "</answer>";
        EXPECT_EQ(*task.demonstrate(item, "", 0), text);
        EXPECT_EQ(score_text(task, item, text, prompt.text, prompt.prefill).reward, 1);
      }
    }
  }
  EXPECT_EQ(num_rows, 2000u);
}

}  // namespace
}  // namespace qed
