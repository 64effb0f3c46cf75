#include "core/config/load_plugin.h"

#include <gmock/gmock.h>

#include "tests/config/config_fixture.h"

namespace qed {
namespace {

using ::testing::HasSubstr;

class LoadPlugin : public ::testing::Test {
 protected:
  std::string error_of(const std::string& task, const std::vector<std::string>& sets) {
    try {
      load_plugin_options("task", task, sets, plugins_);
    } catch (const Error& error) {
      exit_code_ = error.exit_code();
      return error.what();
    }
    return "no error";
  }

  PaperPlugins plugins_;
  int exit_code_ = 0;
};

TEST_F(LoadPlugin, TakesOptionsWithAndWithoutTheTablesName) {
  const PluginTable table =
      load_plugin_options("task", "sums", {"digits=2", "task.working=0"}, plugins_);

  EXPECT_EQ(table.name, "sums");
  EXPECT_EQ(table.options, nlohmann::json({{"digits", 2}, {"working", 0.0}}));
}

TEST_F(LoadPlugin, ReportsAllProblemsAtOnce) {
  EXPECT_EQ(error_of("sums", {"digit=2", "task.working=2", "digits"}),
            "error: unknown key `digit` in task `sums`\n"
            " --> --set\n"
            "  |\n"
            "  | digit=2\n"
            "  | ^^^^^ not an option of task `sums`\n"
            "\n"
            "hint: the closest option is `digits`; `qed plugins sums` lists its options\n"
            "\n"
            "error: `working` in task `sums` must be between 0 and 1, not 2\n"
            " --> --set\n"
            "  |\n"
            "  | task.working=2\n"
            "  |              ^ out of range\n"
            "\n"
            "error: --set without a value\n"
            " --> --set\n"
            "  |\n"
            "  | digits\n"
            "  | ^^^^^^ no `=` here\n"
            "\n"
            "hint: write --set KEY=VALUE, for example --set digits=VALUE");
  EXPECT_EQ(exit_code_, kExitUsage);
}

TEST_F(LoadPlugin, AsksForARequiredOption) {
  EXPECT_EQ(error_of("words", {}),
            "error: task `words` needs the option `path`\n"
            "\n"
            "hint: give --set path=VALUE: of the word list");
}

TEST_F(LoadPlugin, AnUnknownTaskIsThePluginsMatter) {
  EXPECT_THAT(error_of("smus", {"digit=2"}), HasSubstr("no task is called `smus`"));
  EXPECT_EQ(exit_code_, kExitPlugin);
}

}  // namespace
}  // namespace qed
