// The tasks, by their rules.

#include "tests/fuzz/families.h"
#include "tests/fuzz/systems.h"

#include <limits>
#include <utility>

namespace qed::fuzz {
namespace {

// Data of the task `table`, whose items are given here.
constexpr char kRows[] = QED_SOURCE_DIR "/tests/fuzz/rows.jsonl";

FuzzItem puzzle(const std::string& target, const std::vector<std::string>& nums,
                const std::string& right, bool is_odd = false) {
  std::string list;
  for (const std::string& n : nums) list += (list.empty() ? "" : ",") + n;
  return {"{\"target\":" + target + ",\"nums\":[" + list + "]}", right, nums, is_odd};
}

// 1/a + 1/b + ... of wide numbers: its value needs thousands of bits.
FuzzItem fractions() {
  std::vector<std::string> nums;
  std::string right;
  for (std::int64_t i = 0; i < 120; ++i) {
    nums.insert(nums.end(), {"1", std::to_string(std::numeric_limits<std::int64_t>::max() - i)});
    right += (i == 0 ? "1/" : "+1/") + nums.back();
  }
  return puzzle("1", nums, right);
}

Family countdown() {
  Family out{.name = "countdown",
             .kind = "task",
             .grammar = {.frames = frames(),
                         .tokens = tokens() + Texts{"(",    ")",     "+",      "-",    "*",
                                                    "/",    "**",    "//",     "%",    "<<",
                                                    " or ", " and ", " not ",  " if ", " else ",
                                                    "==",   "<",     "lambda", "#",    "~"},
                         .joiners = {"+", "-", "*", "/", " + ", " * ", "**", "//", "%", "-(", ")*(",
                                     " or ", " if 1 else ", "<<", "=="},
                         .has_parentheses = true},
             .items = {},
             .prompts = prompts(),
             .prefills = prefills(),
             .rules = {}};
  const std::string top = "9223372036854775807", long_number = repeated("9", 4000, "");
  out.items = {
      puzzle("24", {"1", "2", "3", "4"}, "(1+3)*(2+4)"),
      puzzle("98", {"44", "19", "35"}, "44+19+35"),
      puzzle("9", {"9", "9", "9"}, "9+9-9"),
      puzzle("2", {"3", "80000", "7"}, "3**80000%7"),
      puzzle("0", {"3", "80000", "3", "70000"}, "3**80000%3**70000"),
      puzzle("0", {"1", "0"}, "1*0"),
      fractions(),
      puzzle("1", {}, "1"),
      puzzle("-3", {"-1", "2"}, "-1-2"),
      puzzle("1400", std::vector<std::string>(200, "7"), repeated("7", 200, "+")),
      puzzle(top, {top, top, "9223372036854775806"}, top + "*(" + top + "-9223372036854775806)"),
      puzzle("1", std::vector<std::string>(20, top), repeated(top, 20, "/")),
      puzzle("\"24\"", {"4", "6"}, "4*6", true),
      puzzle("2.5", {"5", "2"}, "5/2", true),
      puzzle("1e308", {"1e308", "1.5"}, "1e308", true),
      puzzle(long_number, {long_number, "1"}, long_number + "*1", true)};
  const auto rule = [&](const char* name, Values values) {
    out.rules.push_back({"countdown", name, {{"reward", name}}, std::move(values)});
  };
  rule("strict", {{0, 0.1, 1}});
  rule("tinyzero", {{0, 0.1, 1}});
  rule("tinyzero_level2", {{0, 0.1, 0.5, 1}});
  rule("tinyzero_level3", {{0, 1}, 0.1, 0.5});
  rule("tinyzero_level4", {{0, 0.7, 1}, 0.1, 0.5});
  rule("mini_r1", {{0, 1, 2}});
  rule("mini_r1_equation", {{0, 1}});
  rule("mini_r1_format", {{0, 1}});
  rule("ragen", {{-0.1, 0, 0.1, 1}});
  out.demonstrates = false;
  return out;
}

FuzzItem people(const std::vector<std::string>& names) {
  FuzzItem out;
  std::string text = "{\"roles\":{";
  for (std::size_t i = 0; i < names.size(); ++i) {
    const char* role = i % 2 == 0 ? "knight" : "knave";
    const std::string is = names[i] + " is a " + role;
    const std::string is_not = names[i] + " is a " + (i % 2 == 0 ? "knave" : "knight");
    text += (i == 0 ? "\"" : ",\"") + names[i] + "\":\"" + role + "\"";
    const std::string number = (i == 0 ? "(" : "\n(") + std::to_string(i + 1) + ") ";
    out.right += number + is;
    out.wrong += number + (i == 1 ? is_not : is);
    out.words.insert(out.words.end(), {names[i], is, is_not});
  }
  out.blob = text + R"(},"quiz":"Who is who?"})";
  return out;
}

Family knights() {
  Family out{.name = "knights",
             .kind = "task",
             .grammar = {.frames = frames() + Texts{"~CONCLUSION:\n@", "CONCLUSION: @ ~"},
                         .tokens = tokens() + Texts{"knight", "knave", "KNIGHT",
                                                    "\xE2\x84\xAAnight", "knights", " is a ",
                                                    " is an ", "CONCLUSION:", "if", "(1) ", "(2)",
                                                    "Zoey", "Oliver", ";", "Zoey is a knave\n"},
                         .joiners = {"\n", ", ", " is a knight\n", " is a knave, ", " is ", " "}},
             .items = {},
             .prompts = prompts(),
             .prefills = prefills(),
             .rules = {}};
  std::vector<std::string> many;
  for (int i = 0; i < 64; ++i) many.push_back("P" + std::to_string(i));
  out.items = {people({"Zoey", "Oliver"}),
               people({"Zoey", "Oliver", "Zoe"}),
               people({"Is", "A", "Knight"}),
               people({"Zo\xC3\xAB", "\xC4\xB0nan", "K\xC3\xA9vin", "Mia Li"}),
               people(many),
               people({"Zoey", "Zoey"})};
  FuzzItem spoken = people({"Ann", "Bo", "Cy"});
  spoken.blob.pop_back();
  spoken.blob += R"x(,"statements":"(('or', ('telling-truth', 0), ('lying', 2)), ('lying', 2), )x"
                 R"x(('<=>', ('telling-truth', 1), ('lying', 0)))"})x";
  out.items.push_back(spoken);
  FuzzItem published = people({"Zoey", "Oliver"});
  published.blob = Json({{"solution_text_format", published.right}}).dump();
  out.items.push_back(published);
  published.blob = Json({{"solution_text_format", "Zoey: knight\n\n- Oliver, a knave"}}).dump();
  published.is_odd = true;
  out.items.push_back(published);
  const auto rule = [&](const char* name, const char* style, Values values) {
    out.rules.push_back(
        {"knights", name, {{"reward", name}, {"template", style}}, std::move(values)});
  };
  rule("strict", "base", {{0, 0.1, 1}});
  rule("logic_rl", "base", {{3, -0.5, -1, -3}});
  rule("eval_kk", "base", {{0, 1}});
  rule("mem_kk", "mem_kk", {{0, 1}});
  return out;
}

Family gsm8k() {
  Family out{
      .name = "gsm8k",
      .kind = "task",
      .grammar = {.frames = frames() + Texts{"~\n#### @", "~<<1+1=2>>@\n#### @ ~",
                                             "<reasoning>\n~\n</reasoning>\n<answer>\n@\n"
                                             "</answer>\n"},
                  .tokens = tokens() + Texts{"#### ", "####", "$", ".", ",", "-", "%", "/",
                                             "\xE2\x88\x92", "e", "x2", "<<", ">>"},
                  .joiners = {" ", ",", ".", "/", "-", " or "}},
      .items = {{R"({"gold":"18"})", "18", {"18", "17", "36/2", "$18.00"}},
                {R"({"gold":"1234"})", "1,234", {"1", "234", "1234.0"}},
                {R"({"gold":"-3.5"})", "-3.5", {"-7/2", "3.5"}},
                {R"({"gold":"0"})", "0", {"-0", "0.000", "0/5"}},
                {R"({"gold":"999999999999999999"})", "999999999999999999", {"9e17"}},
                {R"({"question":"How many?","answer":"a\n#### 1,234"})", "1234", {"1", "234"}},
                {R"({"gold":"some"})", "some", {"some"}, true}},
      .prompts = prompts(),
      .prefills = prefills(),
      .rules = {}};
  const auto rule = [&](const char* name, Values values, Json options = Json::object()) {
    options.update({{"reward", name}, {"data", ""}});
    out.rules.push_back({"gsm8k", name, std::move(options), std::move(values)});
  };
  rule("exact", {{0, 0.1, 1}});
  rule("verl_strict", {{0, 0.1, 1}}, {{"format_score", 0.1}});
  rule("verl_flexible", {{0, 0.1, 1}}, {{"format_score", 0.1}});
  rule("tinyzero_strict", {{0, 0.1, 1}}, {{"format_score", 0.1}});
  rule("tinyzero_flexible", {{0, 0.1, 1}}, {{"format_score", 0.1}});
  rule("grpo_demo", {{0, 2}}, {{"template", "grpo_demo"}});
  return out;
}

Family arithmetic() {
  Family out{.name = "arithmetic",
             .kind = "task",
             .grammar = {.frames = frames(),
                         .tokens = tokens() + Texts{"+", "-", "_", "1_5", "0", "="},
                         .joiners = {"", "+", "_", " "}},
             .items = {{"784+737", "1521", {"1", "521"}},
                       {"12-99", "-87", {"-", "87"}},
                       {"999999999*999999999", "999999998000000001", {"999999998", "000000001"}},
                       {R"({"answer": 56088})", "56088", {"56", "088"}},
                       {R"({"ground_truth": "-5"})", "-5", {"-", "5"}},
                       {R"({"answer":12345678901234567890123})", "12345678901234567890123", {"1"}}},
             .prompts = prompts(),
             .prefills = prefills(),
             .rules = {}};
  const auto rule = [&](const char* name, Values values) {
    out.rules.push_back({"arithmetic", name, {{"reward", name}}, std::move(values)});
  };
  rule("exact", {{0, 0.1, 1}});
  rule("tinyzero", {{0, 0.1, 1}});
  rule("tinyzero_len", {{0, 0.1}, 1, 1 + kMaxBytes / 1000.0});
  return out;
}

// One family per verifier of the task `table`: their gold answers differ.
Family table(const char* verifier, std::vector<std::pair<std::string, std::string>> golds,
             const Texts& more) {
  Family out{.name = std::string("table_") + verifier,
             .kind = "task",
             .grammar = {.frames = frames() + Texts{"~\\boxed{@}", "\\boxed{~{@}}", "~\n@\n"},
                         .tokens = tokens() + Texts{"\\boxed{", "\\{", "\\}"} + more,
                         .joiners = {" ", "", ","}},
             .items = {},
             .prompts = prompts(),
             .prefills = prefills(),
             .rules = {}};
  for (const auto& [gold, right] : golds) {
    out.items.push_back({Json({{"prompt", "?"}, {"gold", gold}}).dump(), right, {right, gold}});
  }
  for (const char* place : {"tag", "boxed", "last_line", "all"}) {
    out.rules.push_back({"table",
                         std::string(verifier) + " " + place,
                         {{"data", kRows},
                          {"verifier", verifier},
                          {"answer", place},
                          {"ignore_case", out.rules.size() % 2 == 1},
                          {"wrong", 0.25},
                          {"missing", -0.5}},
                         {{-0.5, 0.25, 1}}});
  }
  return out;
}

}  // namespace

std::vector<Family> task_families() {
  const std::string wide = repeated("7", 60, "");
  return {
      countdown(),
      knights(),
      gsm8k(),
      math_family(),
      arithmetic(),
      table("exact", {{"Paris", "paris"}, {"the  cat", "the cat"}, {"\xC4\xB0", "i\xCC\x87"}},
            {"Paris", "cat"}),
      table("number", {{"1,234.50", "1234.5"}, {"-3/4", "-0.75"}, {wide, wide}, {"50%", "50"}},
            {"$", "%", ",", ".", "-", "/"}),
      table("choice", {{"B", "(B)"}, {"3", "D"}, {"(c) because", "C"}}, {"(A)", "B.", "(", ")"}),
      table("regex",
            {{"[0-9]{1,3}(,\\d{3})*", "1,234"},
             {"(a|b)*c", "ababc"},
             {"(x+x+)+y", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxy"},
             {"((a*)*)*b", "aaaab"},
             {".{0,50}\xC3\xA9[^a-z]?", "caf\xC3\xA9"},
             {"\\w+(?:\\s+\\w+)*\\.", "the cat sat."}},
            {"a", "x", "xxxxxxxx", "{3}", "*", "+", "?", "(", ")", "|", "[^", "\\d", "{1,9}"})};
}

}  // namespace qed::fuzz
