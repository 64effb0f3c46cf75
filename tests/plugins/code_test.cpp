#include "core/data/dataset_service.h"
#include "core/sandbox/sandbox_service.h"
#include "tests/plugins/task_fixture.h"

#include <gmock/gmock.h>

#include <unistd.h>

#include <cmath>
#include <csignal>
#include <thread>

namespace qed {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class Code : public testing::Test {
 protected:
  Code() {
    host_.add_service(kDatasetService, dataset_service());
    host_.add_service(kSandboxService, sandbox_.abi());
  }
  Task make(Json options = {}) {
    if (!options.contains("data")) options["data"] = "";
    return make_task(host_, "code", options);
  }
  static Item item(const Json& blob) { return {"k", blob.dump()}; }
  static Item sums() {
    return item(
        {{"tests",
          {{{"input", "1 2\n"}, {"output", "3\n"}}, {{"input", "4 5\n"}, {"output", "9\n"}}}}});
  }
  static std::string block(const std::string& code, const std::string& language = "python") {
    return "```" + language + "\n" + code + "\n```";
  }
  std::string write(const std::string& name, const std::vector<Json>& rows) {
    const auto path = std::filesystem::path(testing::TempDir()) / name;
    std::ofstream out(path);
    for (const Json& row : rows) out << row.dump() << '\n';
    return path;
  }

  SandboxService sandbox_{{QED_BINARY_DIR "/bin/qed", "plugin", "sandbox"}};
  PluginHost host_{{product_plugins()}};
};

constexpr char kSum[] = "print(sum(map(int, input().split())))";
constexpr char kThree[] = "input()\nprint(3)";

TEST_F(Code, RewardsFollowTheirRules) {
  struct Case {
    Json options;
    std::string text;
    double reward;
    std::string note;
  };
  const std::string sum = block(kSum), three = block(kThree), fails = block("1/0");
  const Case cases[] = {
      {{}, sum, 1, "right"},
      {{}, three, 0, "test 2: wrong answer"},
      {{}, fails, 0, "test 1: runtime error: "},
      {{}, "3", 0, "no code"},
      {{{"max_tests", 1}}, three, 1, "right"},
      {{{"reward", "code"}}, sum, 1, "right"},
      {{{"reward", "code"}}, three, 0.5, "test 2: wrong answer"},
      {{{"reward", "code"}},
       block(std::string(kSum) + "\nprint('more')"),
       0,
       "test 1: wrong answer"},
      {{{"reward", "code"}}, "3", 0, "no code"},
      {{{"reward", "binary_code"}}, three, 0, "test 2: wrong answer"},
      {{{"reward", "cf_code"}}, sum, 1.1, "right"},
      {{{"reward", "cf_code"}}, three, 0.05, "test 2: wrong answer"},
      {{{"reward", "cf_code"}, {"cf_mode", "partial"}}, three, 0.5, "test 2: wrong answer"},
      {{{"reward", "cf_code"}, {"cf_mode", "pass_fail"}}, three, 0, "test 2: wrong answer"},
      {{{"reward", "cf_code"}}, "3", -1, "no code"},
      {{{"reward", "ioi_code"}}, three, 0, "test 2: wrong answer"},
      {{{"reward", "ioi_code"}}, sum, 1, "right"},
  };
  for (const Case& c : cases) {
    const Score s = score_text(make(c.options), sums(), c.text);
    EXPECT_EQ(s.status, QED_OK) << s.note;
    EXPECT_NEAR(s.reward, c.reward, 1e-12) << c.options << c.text << s.note;
    EXPECT_THAT(s.note, StartsWith(c.note)) << c.options;
    EXPECT_EQ(s.verdict, c.note == "right" ? QED_VERDICT_RIGHT : QED_VERDICT_WRONG);
  }
  EXPECT_EQ(score_text(make(), sums(), sum, "", "", QED_FINISH_LENGTH).note, "no end token");
}

TEST_F(Code, ATestBeyondALimitSaysWhich) {
  const Json limits = {{"time", 0.2}, {"memory", 64}};
  const auto note = [&](const std::string& code, Json options = {}) {
    options.update(limits);
    return score_text(make(options), sums(), block(code)).note;
  };
  EXPECT_EQ(note("while True: pass"), "test 1: time limit");
  EXPECT_EQ(note("x = bytearray(1 << 30)"), "test 1: memory limit");
  EXPECT_EQ(note("while True: print('x' * 10000)"), "test 1: output limit");
  // open-r1 gives 0 where one test is too slow.
  Json options = {{"reward", "code"}};
  options.update(limits);
  const std::string slow = "n = input()\nif n == '4 5':\n  while True: pass\nprint(3)";
  EXPECT_EQ(score_text(make(options), sums(), block(slow)).reward, 0);
}

TEST_F(Code, CppIsCompiledOnceAndRun) {
  Json blob = Json::parse(sums().blob);
  blob["language"] = "cpp";
  const std::string good = block(
      "#include <iostream>\nint main() { int a, b; std::cin >> a >> b; "
      "std::cout << a + b; }",
      "cpp");
  EXPECT_EQ(score_text(make(), item(blob), good).note, "right");
  const std::string bad = block("int main() { return x; }", "cpp");
  const Score score = score_text(make({{"reward", "cf_code"}}), item(blob), bad);
  EXPECT_EQ(score.reward, -0.1);
  EXPECT_THAT(score.note, HasSubstr("does not compile: main.cpp"));
  EXPECT_THAT(score.terms, ElementsAre(0, 0, 0));
}

TEST_F(Code, IoiProgramsGetIncludesAndAGrader) {
  const Item grader =
      item({{"language", "cpp"},
            {"files", Json::array({Json::array({"sum.h", "int sum(int a, int b);\n"}),
                                   Json::array({"grader.cpp",
                                                "#include \"sum.h\"\n#include <cstdio>\n"
                                                "int main() { int a, b; scanf(\"%d%d\", &a, "
                                                "&b); printf(\"%d\", sum(a, b)); }"})})},
            {"tests", {{{"input", "1 2"}, {"output", "3"}}}}});
  const Score s = score_text(make({{"reward", "ioi_code"}}), grader,
                             block("int sum(int a, int b) { vector<int> v{a, b}; "
                                   "return accumulate(v.begin(), v.end(), 0); }",
                                   "cpp"));
  EXPECT_EQ(s.note, "right");
}

TEST_F(Code, FunctionsAreCalledWithTheirArguments) {
  const Item calls =
      item({{"function", "add"},
            {"tests",
             {{{"input", {1, 2}}, {"output", 3}}, {{"input", "[1]\n[2]"}, {"output", {1, 2}}}}}});
  EXPECT_EQ(
      score_text(make(), calls, block("def add(a, b):\n  print('noise')\n  return a + b")).note,
      "right");
  EXPECT_EQ(
      score_text(make(), calls, block("class Solution:\n  def add(self, a: List, b): return a + b"))
          .note,
      "right");
  EXPECT_EQ(score_text(make(), calls, block("def add(a, b): return [a, b]")).note,
            "test 1: wrong answer");
  EXPECT_EQ(score_text(make(), calls, block("print(3)")).note.substr(0, 22),
            "test 1: runtime error:");
}

// Any two numbers with the sum that the input asks for.
constexpr char kChecker[] = R"(import sys
given, expected, output = (open(name).read() for name in sys.argv[1:])
assert sum(map(int, expected.split())) == int(given) and not sys.stdin.read()
print(1 if sum(map(int, output.split())) == int(given) else 0)
)";

TEST_F(Code, AnItemsCheckerDecides) {
  const Json tests = {{{"input", "3\n"}, {"output", "1 2\n"}}};
  const auto judged = [&](const std::string& checker, const std::string& code) {
    return score_text(make({{"reward", "cf_code"}}),
                      item({{"tests", tests}, {"generated_checker", checker}}), block(code));
  };
  EXPECT_EQ(judged(kChecker, "print(0, 3)").note, "right");
  EXPECT_EQ(judged(kChecker, "print(0, 3)").reward, 1.1);
  EXPECT_EQ(judged(kChecker, "print(0, 4)").note, "test 1: wrong answer");
  EXPECT_EQ(judged(kChecker, "print(0, 4)").reward, 0);
  EXPECT_THAT(judged(kChecker, "1/0").note, StartsWith("test 1: runtime error"));
  EXPECT_EQ(judged(kChecker, "print('three')").note, "test 1: wrong answer");
  EXPECT_EQ(judged(kChecker, "import sys; sys.stdout.buffer.write(b'\\xff')").note,
            "test 1: wrong answer");
  const Score broken = judged("1/0", "print(0, 3)");
  EXPECT_EQ(broken.status, QED_DATA);
  EXPECT_THAT(broken.note,
              HasSubstr("the item's checker does not take the expected output: Traceback"));
  EXPECT_THAT(judged("print('maybe')", "print(0, 3)").note, HasSubstr("output: maybe"));
}

TEST_F(Code, ACheckerSeesOnlyRunsThatEndedWell) {
  const Json tests = {{{"input", "0\n"}, {"output", "-2 2\n"}},
                      {{"input", "3\n"}, {"output", "1 2\n"}}};
  const Score score =
      score_text(make({{"reward", "code"}}), item({{"tests", tests}, {"checker", kChecker}}),
                 block("print(3 // int(input()), 2)"));
  EXPECT_EQ(score.reward, 0.5) << score.note;
}

TEST_F(Code, RowsOfThePublishedSetsAreItems) {
  const Json tests = {{{"input", "1 2\n"}, {"output", "3\n"}}};
  const std::string info =
      R"({"language": "python", "test_cases": [{"input": "1 2\n", "output": "3\n", "fn_name": null, "type": "stdin_stdout"}]})";
  const std::string path = write(
      "code_rows.jsonl",
      {{{"problem", "Add."}, {"verification_info", info}},
       {{"problem", "Add."}, {"verification_info", Json::parse(info)}},
       {{"question", "Add."}, {"input_output", R"({"inputs": ["1 2\n"], "outputs": ["3\n"]})"}},
       {{"description", "Add."},
        {"input_format", "Two."},
        {"output_format", "One."},
        {"official_tests", tests},
        {"time_limit", 2.0},
        {"memory_limit", 256.0},
        {"generated_checker", nullptr},
        {"language", "python"}},
       {{"prompt", "Add."}, {"tests", tests}, {"solution", kSum}}});
  const Task task = make({{"data", path}});
  ASSERT_EQ(task.count("train"), 5u);
  for (std::uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(Json::parse(task.load("train", i).blob)["tests"], tests) << i;
  }
  const Json fourth = Json::parse(task.load("train", 3).blob);
  EXPECT_EQ(fourth["prompt"], "Add.\n\nInput\n\nTwo.\n\nOutput\n\nOne.");
  EXPECT_EQ(fourth["time_s"], 2);
  EXPECT_EQ(fourth["memory_mb"], 256);
  const Item last = task.load("train", 4);
  EXPECT_EQ(score_text(task, last, *task.demonstrate(last, "", 0)).note, "right");
  EXPECT_EQ(
      Json::parse(task.render(last).messages)[0]["content"],
      "Add.\n\nWrite a Python 3 program that reads from standard input and writes to standard "
      "output, in one block that begins with ```python.");
  const Task open_r1 = make({{"data", path}, {"template", "open_r1"}, {"reward", "code"}});
  EXPECT_EQ(score_text(open_r1, last, *open_r1.demonstrate(last, "", 0)).reward, 1);
  EXPECT_THAT(Json::parse(open_r1.render(last).messages)[0]["content"].get<std::string>(),
              EndsWith("<think>\n...\n</think>\n<answer>\n...\n</answer>"));
}

TEST_F(Code, ABadRowSaysWhatIsWrong) {
  const Json test = {{"input", "1"}, {"output", "1"}};
  const std::pair<Json, std::string> rows[] = {
      {{{"tests", {test}}}, "none of `prompt`, `problem`, `question`, `description`"},
      {{{"prompt", "a"}},
       "none of `tests`, `verification_info`, `official_tests`, "
       "`input_output` holds a test"},
      {{{"prompt", "a"}, {"tests", {{{"input", "1"}}}}}, "field `tests`: a test has no `output`"},
      {{{"prompt", "a"}, {"tests", {test}}, {"language", "rust"}},
       "field `language`: `rust` is none of python, cpp"},
      {{{"prompt", "a"}, {"input_output", R"({"inputs": ["1"], "outputs": []})"}},
       "field `input_output`: 1 inputs, but 0 outputs"},
      {{{"prompt", "a"}, {"tests", {test}}, {"checker", "import sys"}, {"function", "f"}},
       "it has a checker and a function; a checker compares what programs write"},
      {{{"prompt", "a"}, {"tests", "[{"}}, "field `tests`: bad JSON at byte 3: expected `\"`"},
  };
  for (const auto& [row, message] : rows) {
    const Task task = make({{"data", write("code_bad.jsonl", {row})}});
    EXPECT_THAT(failure_of([&] { task.load("train", 0); }).message,
                HasSubstr("code_bad.jsonl:1: " + message));
  }
}

TEST_F(Code, AHostThatCannotIsolateIsRefused) {
  PluginHost host{{product_plugins()}};
  EXPECT_THAT(failure_of([&] {
                make_task(host, "code", {{"data", ""}});
              }).message,
              HasSubstr("this host runs no programs"));
}

// The helper of this test's sandbox, or 0.
int helper() {
  std::ifstream in("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  int pid = 0;
  in >> pid;
  return pid;
}

TEST_F(Code, AHelperThatDiesIsNoVerdict) {
  const Task task = make();
  std::thread killer([] {
    for (int killed = 0, last = 0; killed < 2;) {
      const int pid = helper();
      ::usleep(50'000);
      if (pid == 0 || pid == last) continue;
      ::kill(last = pid, SIGKILL);
      ++killed;
    }
  });
  const Score score = score_text(task, sums(), block("import time\ntime.sleep(1000)"));
  killer.join();
  EXPECT_EQ(score.status, QED_RESOURCE);
  EXPECT_TRUE(std::isnan(score.reward));
  EXPECT_THAT(score.note, StartsWith("the sandbox's helper process has ended"));
  EXPECT_EQ(score_text(task, sums(), block(kSum)).note, "right");
}

TEST_F(Code, GoldensHold) {
  const auto rows = read_jsonl(QED_SOURCE_DIR "/plugins/tasks/code/golden/verify.jsonl");
  EXPECT_GE(rows.size(), 8u);
  for (const Json& row : rows) {
    const Score s = score_text(make(row["options"]), {"k", row["item"].dump()},
                               row["completion"].get<std::string>());
    EXPECT_NEAR(s.reward, row["reward"].get<double>(), 1e-12) << row << s.note;
  }
}

}  // namespace
}  // namespace qed
