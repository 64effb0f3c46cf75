#include "core/host/plugin_host.h"

#include "tests/host/host_fixture.h"

#include <gmock/gmock.h>

#include <xmmintrin.h>

#include <fstream>

namespace qed {
namespace {

namespace fs = std::filesystem;

constexpr char kRebuild[] = "rebuild it with the SDK of this qed";
constexpr char kAuthor[] = "this is a mistake in the plugin, not in the run file: tell its author";
constexpr char kLinkFlags[] = "build it with qed_add_plugin, which sets the linker's flags";

PluginHost make_host() { return PluginHost({product_plugins(), test_plugins()}); }

TEST(PluginHost, LoadsTheFirstPartyPlugins) {
  PluginHost host = make_host();
  for (const auto& [kind, name] : {std::pair{"task", "arithmetic"},
                                   {"algorithm", "grpo"},
                                   {"algorithm", "reinforce_pp"},
                                   {"sampler", "standard"}}) {
    const Component& component = host.load(kind, name);
    EXPECT_EQ(component.spec.kind, kind);
    EXPECT_EQ(component.spec.name, name);
    EXPECT_FALSE(component.spec.summary.empty());
    EXPECT_EQ(
        component.path,
        (product_plugins() / (std::string(kind) + "s") / (std::string(name) + ".so")).string());
  }
}

TEST(PluginHost, LoadsAComponentOnce) {
  PluginHost host = make_host();
  EXPECT_EQ(&host.load("algorithm", "grpo"), &host.load("algorithm", "grpo"));
}

TEST(PluginHost, OptionsBecomeTheConfigsOwnForm) {
  PluginHost host = make_host();
  const ComponentSpec& spec = host.find("algorithm", "moody");
  EXPECT_EQ(spec.version, "1.2.3");
  ASSERT_EQ(spec.options.size(), 4u);

  EXPECT_EQ(spec.options[0].name, "mode");
  EXPECT_EQ(spec.options[0].type, OptionType::kString);
  EXPECT_EQ(spec.options[0].default_value, "good");
  EXPECT_EQ(spec.options[0].choices.size(), 9u);

  EXPECT_EQ(spec.options[1].type, OptionType::kFloat);
  EXPECT_TRUE(spec.options[1].default_value.is_number_float());  // although the JSON says 2
  EXPECT_EQ(spec.options[1].min, 0.0);
  EXPECT_EQ(spec.options[1].max, 10.0);
  EXPECT_EQ(spec.options[1].unit, "kg");
  EXPECT_EQ(spec.options[1].help, "of the loss");

  EXPECT_EQ(spec.options[2].type, OptionType::kInt);
  EXPECT_EQ(spec.options[2].default_value, -1);
  EXPECT_EQ(spec.options[2].max, std::nullopt);

  EXPECT_EQ(spec.options[3].type, OptionType::kBool);
  EXPECT_EQ(spec.options[3].default_value, true);
}

TEST(PluginHost, NamesListsAKindWithoutLoading) {
  PluginHost host = make_host();
  EXPECT_THAT(host.names("task"), testing::ElementsAre("arithmetic", "largest", "moody"));
  EXPECT_THAT(host.names("algorithm"), testing::IsSupersetOf({"grpo", "not_a_plugin"}));
}

TEST(PluginHost, UnknownNameSaysWhereItSearchedAndWhatIsNear) {
  PluginHost host({product_plugins(), "/no/such/folder"});
  const auto f = failure_of([&] { host.load("algorithm", "gpro"); });
  EXPECT_EQ(f.message, "no algorithm is called `gpro`; searched " + product_plugins().string() +
                           ", /no/such/folder (no such folder)");
  EXPECT_EQ(f.hint, "the closest algorithm is `grpo`");
  EXPECT_EQ(f.exit_code, kExitPlugin);
}

TEST(PluginHost, UnknownNameWithNothingNearSaysHowToGoOn) {
  PluginHost host(std::vector<fs::path>{});
  const auto f = failure_of([&] { host.load("task", "x"); });
  EXPECT_EQ(f.message, "no task is called `x`; searched no folder at all");
  EXPECT_EQ(f.hint, "`qed plugins` lists them; `--plugin-dir FOLDER` adds a folder");
}

TEST(PluginHost, ANameIsNotAPath) {
  PluginHost host = make_host();
  for (const std::string name : {"../tasks/largest", "", "a b", "x.so"}) {
    const auto f = failure_of([&] { host.load("task", name); });
    EXPECT_EQ(f.message, "`" + name + "` is not the name of a plugin");
    EXPECT_EQ(
        f.hint,
        "a name has letters, digits, _ and - only; `--plugin-dir FOLDER` says where to search");
    EXPECT_EQ(f.exit_code, kExitPlugin);
  }
}

TEST(PluginHost, AFolderWithoutSubfoldersIsSearchedToo) {
  PluginHost host({test_plugins() / "algorithms"});
  EXPECT_EQ(host.load("algorithm", "moody").spec.name, "moody");
  EXPECT_TRUE(host.names("algorithm").empty());  // a file there does not tell its kind

  const auto f = failure_of([&] { host.load("task", "moody"); });
  EXPECT_EQ(f.message, "cannot load plugin " + (test_plugins() / "algorithms/moody.so").string() +
                           ": it holds no task `moody`; it holds algorithm `moody`");
  EXPECT_EQ(f.hint, "the file's name must be the component's name");
}

TEST(PluginHost, TheFirstFolderThatHasThePluginWins) {
  const fs::path folder = fs::path(testing::TempDir()) / "qed_first_folder";
  fs::create_directories(folder / "algorithms");
  std::ofstream(folder / "algorithms" / "grpo.so") << "not ELF";
  PluginHost host({folder, product_plugins()});
  const auto f = failure_of([&] { host.load("algorithm", "grpo"); });
  EXPECT_EQ(f.message, "cannot load plugin " + (folder / "algorithms/grpo.so").string() +
                           ": not a shared library for x86-64 (ELF64, little-endian, ET_DYN)");
  EXPECT_EQ(f.exit_code, kExitPlugin);
  fs::remove_all(folder);
}

struct Refusal {
  std::string name, why, hint;
};

void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class RefusedPlugin : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedPlugin, SaysWhatIsWrongAndWhatToDo) {
  PluginHost host = make_host();
  const unsigned control = _mm_getcsr();
  const auto f = failure_of([&] { host.load("algorithm", GetParam().name); });
  const std::string path = (test_plugins() / "algorithms" / (GetParam().name + ".so")).string();
  EXPECT_EQ(f.message, "cannot load plugin " + path + ": " + GetParam().why);
  EXPECT_EQ(f.hint, GetParam().hint);
  EXPECT_EQ(f.exit_code, kExitPlugin);
  EXPECT_EQ(_mm_getcsr() & ~0x3Fu, control & ~0x3Fu);
}

INSTANTIATE_TEST_SUITE_P(
    BeforeItsCodeRuns, RefusedPlugin,
    testing::Values(
        Refusal{"not_a_plugin",
                "no .note.qed in it: not a plugin of qed, or built without QED_PLUGIN", ""},
        Refusal{"foreign_note",
                "its .note.qed is malformed: expected owner `qed`, type 1 and three numbers", ""},
        Refusal{"foreign_epoch", "built for ABI epoch 2, this qed speaks epoch 1", kRebuild},
        Refusal{"future_level", "needs ABI level 1000, this qed provides 1",
                std::string("use a newer qed, or ") + kRebuild},
        Refusal{"garbage_level",
                "its note makes no sense: built at level 1, needs level 4000000000", kRebuild},
        Refusal{"no_entry", "does not export qed_entry_1", kLinkFlags},
        Refusal{"extra_export", "exports `qed_extra`; a plugin exports qed_entry_1 only",
                kLinkFlags},
        Refusal{"executable_stack", "asks for an executable stack", kLinkFlags}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    WhenLoaded, RefusedPlugin,
    testing::Values(
        Refusal{"fast_math", "changes the floating-point mode of the process while it loads",
                "build it without -ffast-math and -Ofast"},
        Refusal{"refuses", "it refuses this qed: no licence found", ""},
        Refusal{
            "descriptor",
            "its descriptor says epoch 1, built at level 7, needs level 1; its note says 1, 1, 1",
            kAuthor},
        Refusal{"short_descriptor", "its descriptor has 8 bytes, at least 80 are needed", kAuthor},
        Refusal{"no_component", "it holds no component", kAuthor},
        Refusal{"component_twice", "it holds two of algorithm `component_twice`", kAuthor},
        Refusal{"no_id", "algorithm `no_id`: its id is empty", kAuthor},
        Refusal{"null_vtable", "algorithm `null_vtable`: its vtable is null", kAuthor},
        Refusal{"null_function",
                "algorithm `null_function`: its vtable lacks the mandatory function `loss`",
                kAuthor},
        Refusal{"short_vtable",
                "algorithm `short_vtable`: its vtable has 48 bytes, at least 56 are needed",
                kAuthor},
        Refusal{"bad_option",
                "algorithm `bad_option`: option `eps`: its default 3 is above its maximum 1",
                kAuthor},
        Refusal{"option_twice", "algorithm `option_twice`: option `eps` is declared twice",
                kAuthor},
        Refusal{
            "option_name",
            "algorithm `option_name`: option `Eps-1`: a name has small letters, digits and _ only",
            kAuthor},
        Refusal{"other_name", "it holds no algorithm `other_name`; it holds algorithm `broken`",
                "the file's name must be the component's name"}),
    [](const auto& info) { return info.param.name; });

TEST(PluginHost, APluginStaysLoadedWhateverItsFlags) {
  const qed_component* component = nullptr;
  {
    PluginHost host = make_host();
    component = host.load("algorithm", "bare").abi;
  }
  EXPECT_EQ(std::string_view(component->name.p, component->name.n), "bare");
}

TEST(PluginHost, QuotesTheDynamicLinker) {
  PluginHost host = make_host();
  const auto f = failure_of([&] { host.load("algorithm", "unresolved"); });
  EXPECT_THAT(f.message, testing::HasSubstr("unresolved.so: the dynamic linker refuses it: "));
  EXPECT_THAT(f.message, testing::HasSubstr("undefined symbol: qed_no_such_function"));
  EXPECT_EQ(f.hint, kRebuild);
}

TEST(PluginHost, AnUnreadableFileIsNamed) {
  const fs::path folder = fs::path(testing::TempDir()) / "qed_unreadable";
  fs::create_directories(folder / "tasks");
  std::ofstream(folder / "tasks" / "secret.so") << "x";
  fs::permissions(folder / "tasks/secret.so", fs::perms::none);
  if (std::ifstream(folder / "tasks/secret.so").is_open()) {
    fs::remove_all(folder);
    GTEST_SKIP() << "this user may read every file (root)";
  }
  PluginHost host({folder});
  const auto f = failure_of([&] { host.load("task", "secret"); });
  EXPECT_EQ(f.message, "cannot load plugin " + (folder / "tasks/secret.so").string() +
                           ": the file cannot be read");
  EXPECT_EQ(f.hint, "check its permissions");
  fs::remove_all(folder);
}

TEST(PluginHost, TellsThePluginWhatItOffers) {
  PluginHost host = make_host();
  const qed_host* abi = host.abi();
  EXPECT_EQ(abi->size, sizeof(qed_host));
  EXPECT_EQ(abi->epoch, QED_EPOCH);
  EXPECT_EQ(abi->level, QED_LEVEL);
  const std::string id = "qed.host.dataset/1";
  EXPECT_EQ(abi->get_extension(abi, {id.data(), id.size()}), nullptr);

  testing::internal::CaptureStderr();
  const std::string text = "low disk";
  abi->log(abi, 2, {text.data(), text.size()});
  abi->log(abi, 0, {text.data(), text.size()});  // debug: dropped
  abi->log(abi, 99, {text.data(), text.size()});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "[plugin] warning: low disk\n[plugin] error: low disk\n");
}

TEST(DefaultFolders, GivenThenEnvironmentThenBesideTheProgram) {
  ::setenv("QED_PLUGIN_PATH", "/a::/b", 1);
  const auto folders = default_folders({"mine"});
  ::unsetenv("QED_PLUGIN_PATH");
  const fs::path program = fs::read_symlink("/proc/self/exe");
  EXPECT_THAT(folders, testing::ElementsAre("mine", "/a", "/b",
                                            program.parent_path().parent_path() / "plugins"));
}

}  // namespace
}  // namespace qed
