#include "plugins/tasks/code/rules.h"
#include "qed/philox.h"
#include "tests/plugins/task_fixture.h"

namespace qed {
namespace {

TEST(CodeRules, ExtractsWhatOpenR1Extracts) {
  const auto path = shared_data() / "verify/rewards_open_r1.jsonl";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << ": 66 cases not run";
  std::size_t num_cases = 0;
  for (const Json& row : read_jsonl(path)) {
    if (row["function"] != "extract_code" || row["params"]["language"].is_null()) continue;
    ++num_cases;
    const std::string text = row["input"]["completion"];
    const auto found = code::open_r1_block(text, row["params"]["language"].get<std::string>());
    EXPECT_EQ(found.value_or(""), row["expected"].get<std::string>()) << row;
  }
  EXPECT_EQ(num_cases, 66u);
}

TEST(CodeRules, StrictTakesTheLastWholeBlockBehindTheThought) {
  const auto last = [](std::string_view text, std::string_view language = "python") {
    return std::string(code::last_block(text, language).value_or("none"));
  };
  EXPECT_EQ(last("```python\na\n```"), "a\n");
  EXPECT_EQ(last("```python\na\n```\n```py\nb\n```\nDone."), "b\n");
  EXPECT_EQ(last("```\na\n```"), "a\n");
  EXPECT_EQ(last("  ```Python3  \na\n  ```"), "a\n");
  EXPECT_EQ(last("```python\ns = '```'\n```"), "s = '```'\n");
  EXPECT_EQ(last("<think>```python\na\n```</think>no"), "none");
  EXPECT_EQ(last("```python\na\n```\n```python\nb"), "a\n");
  EXPECT_EQ(last("```cpp\na\n```"), "none");
  EXPECT_EQ(last("```c++\na\n```", "cpp"), "a\n");
  EXPECT_EQ(last("```python"), "none");
  EXPECT_EQ(last("```python\n```"), "");
  EXPECT_EQ(last(""), "none");
}

TEST(CodeRules, LinesAreComparedByTheRulesOfTheirSystem) {
  EXPECT_TRUE(code::same_lines("1\n2", "1 \n2\n\n"));
  EXPECT_TRUE(code::same_lines("", "\n"));
  EXPECT_FALSE(code::same_lines("1\n2", "1"));
  EXPECT_FALSE(code::same_lines(" 1", "1"));
  EXPECT_FALSE(code::same_lines("1\n\n2", "1\n2"));
  EXPECT_TRUE(code::open_r1_equal("1\n2\n3", "1\n2"));  // its hole: what is too much is not seen
  EXPECT_TRUE(code::open_r1_equal("1", "1\n2"));
  EXPECT_TRUE(code::open_r1_equal("  1\n", "1"));
  EXPECT_FALSE(code::open_r1_equal("", "1"));
  EXPECT_FALSE(code::open_r1_equal("1\n3", "1\n2"));
}

TEST(CodeRules, ValuesAreComparedAsJson) {
  const char* const kSame[][2] = {{"3", "3.0"},
                                  {"[1, 2]", "[1,2]"},
                                  {R"({"a": 1, "b": [2]})", R"({"b":[2],"a":1})"},
                                  {"3", "[3]"},
                                  {"[0, 1]", R"("[0, 1]")"},
                                  {R"("a")", R"("a")"},
                                  {"0.3", "0.30000000000000004"},
                                  {"true", "true"},
                                  {"null", "null"},
                                  {"[3]", "[3]"}};
  for (const auto& [a, b] : kSame) EXPECT_TRUE(code::same_json(a, b)) << a << " " << b;
  const char* const kOther[][2] = {{"3", "4"},         {"", "3"},     {"[1]", "[1,2]"},
                                   {"[2,1]", "[1,2]"}, {"true", "1"}, {"[3]", "3"},
                                   {R"("3")", "3"},    {"3 4", "3"},  {"3", R"("x")"},
                                   {"1", "1.0001"},    {"NaN", "NaN"}};
  for (const auto& [a, b] : kOther) EXPECT_FALSE(code::same_json(a, b)) << a << " " << b;
  const std::string deep = std::string(150, '[') + std::string(150, ']');
  EXPECT_FALSE(code::same_json(deep, deep));
}

TEST(CodeRules, NoBytesBreakTheRules) {
  std::vector<std::string> texts = {std::string(1 << 20, '`'), std::string(1 << 20, '['),
                                    std::string(1 << 20, '\n'), std::string(5, '\0'),
                                    "\xFF```\xE2"};
  const std::string parts[] = {"```", "python\n", "</think>", "\n", "[1, ", "]", "\"",   "{\"a\": ",
                               "}",   "1e9",      "\\u12",    "\r", "-",    ",", "\xFF", " "};
  Rng rng(5);
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (auto n = rng.integer(0, 12); n > 0; --n) text += parts[rng.integer(0, 15)];
    texts.push_back(text);
  }
  for (const std::string& text : texts) {
    for (const std::string language : {"python", "cpp"}) {
      const auto block = code::last_block(text, language);
      EXPECT_LE(block.value_or("").size(), text.size());
      EXPECT_LE(code::open_r1_block(text, language).value_or("").size(), text.size());
    }
    EXPECT_TRUE(code::same_lines(text, text));
    EXPECT_FALSE(code::same_json(text, "[1") && code::same_json(text, "{"));
    EXPECT_TRUE(code::with_includes(text, "").ends_with(text));
    code::same_json(text, text);
  }
}

TEST(CodeRules, IncludesThatAreMissingAreAdded) {
  EXPECT_EQ(code::with_includes("x", "a.h"),
            "#include <bits/stdc++.h>\n#include \"a.h\"\n\nusing namespace std;\n\nx");
  EXPECT_EQ(code::with_includes("#include <bits/stdc++.h>\nstd::x", ""),
            "#include <bits/stdc++.h>\nstd::x");
}

}  // namespace
}  // namespace qed
