#include "core/host/plugin_host.h"

#include "core/host/algorithm.h"
#include "tests/host/host_fixture.h"

#include <gmock/gmock.h>

#include <xmmintrin.h>

#include <clocale>
#include <csignal>
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
  EXPECT_EQ(spec.options[0].choices.size(), 10u);

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
  EXPECT_THAT(host.names("task"), testing::IsSupersetOf({"arithmetic", "largest", "moody"}));
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
                           ": it holds no task `moody`; it holds algorithm `moody` [P047]");
  EXPECT_EQ(f.hint, "the name in the run file must be the component's name");
}

TEST(PluginHost, TheFirstFolderThatHasThePluginWins) {
  const fs::path folder = fs::path(testing::TempDir()) / "qed_first_folder";
  fs::create_directories(folder / "algorithms");
  std::ofstream(folder / "algorithms" / "grpo.so") << "not ELF";
  PluginHost host({folder, product_plugins()});
  const auto f = failure_of([&] { host.load("algorithm", "grpo"); });
  EXPECT_EQ(f.message,
            "cannot load plugin " + (folder / "algorithms/grpo.so").string() +
                ": not a shared library for x86-64 (ELF64, little-endian, ET_DYN) [P002]");
  EXPECT_EQ(f.exit_code, kExitPlugin);
  fs::remove_all(folder);
}

struct Refusal {
  std::string name, code, why, hint;
  std::string kind = "algorithm";
};

void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class RefusedPlugin : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedPlugin, SaysWhatIsWrongAndWhatToDo) {
  const Refusal& expected = GetParam();
  PluginHost host = make_host();
  const unsigned control = _mm_getcsr();
  const fs::path folder = fs::current_path();
  const std::string locale = std::setlocale(LC_ALL, nullptr);
  const auto f = failure_of([&] { host.load(expected.kind, expected.name); });
  const fs::path path = test_plugins() / (expected.kind + "s") / (expected.name + ".so");
  EXPECT_EQ(f.message, "cannot load plugin " + path.string() + ": " + expected.why + " [" +
                           expected.code + "]");
  EXPECT_EQ(f.hint, expected.hint);
  EXPECT_EQ(f.exit_code, kExitPlugin);
  EXPECT_EQ(_mm_getcsr() & ~0x3Fu, control & ~0x3Fu);
  EXPECT_EQ(fs::current_path(), folder);
  EXPECT_EQ(std::setlocale(LC_ALL, nullptr), locale);
  struct sigaction alarm {};
  EXPECT_EQ(::sigaction(SIGALRM, nullptr, &alarm), 0);
  EXPECT_EQ(alarm.sa_handler, SIG_DFL);
}

constexpr char kThreads[] =
    "start threads in `create` and end them in `destroy`, or use qed.host.threads/1";

INSTANTIATE_TEST_SUITE_P(
    BeforeItsCodeRuns, RefusedPlugin,
    testing::Values(
        Refusal{"not_a_plugin", "P010",
                "no .note.qed in it: not a plugin of qed, or built without QED_PLUGIN", ""},
        Refusal{"foreign_note", "P010",
                "its .note.qed is malformed: expected owner `qed`, type 1 and three numbers", ""},
        Refusal{"foreign_epoch", "P011", "built for ABI epoch 2, this qed speaks epoch 1",
                kRebuild},
        Refusal{"future_level", "P012", "needs ABI level 1000, this qed provides 1",
                "use a newer qed, or build it with -DQED_TARGET_LEVEL=1"},
        Refusal{"old_level", "P013", "built at ABI level 0, the oldest that this qed loads is 1",
                kRebuild},
        Refusal{"garbage_level", "P014",
                "its note makes no sense: built at level 1, needs level 4000000000", kRebuild},
        Refusal{"foreign_library", "P020",
                "needs libresolv.so.2; a plugin needs the C and C++ runtimes only (libc, libm, "
                "libstdc++, libgcc_s)",
                "link that library statically; its symbols stay hidden"},
        Refusal{"no_entry", "P021", "does not export qed_entry_1", kLinkFlags},
        Refusal{"extra_export", "P021", "exports `qed_extra`; a plugin exports qed_entry_1 only",
                kLinkFlags},
        Refusal{"executable_stack", "P022", "asks for an executable stack", kLinkFlags},
        Refusal{"text_relocation", "P023",
                "its code must be changed while it is loaded (text relocations)",
                "compile all of its sources with -fPIC"},
        Refusal{"static_tls", "P024",
                "its thread-local data must lie in the static block (DF_STATIC_TLS), of which a "
                "running process has little",
                "build it without -ftls-model=initial-exec"},
        Refusal{"relative_runpath", "P025",
                "searches libraries in `lib`, which depends on the folder where qed is started "
                "(RUNPATH)",
                "link it without -rpath"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    WhenLoaded, RefusedPlugin,
    testing::Values(
        Refusal{"fast_math", "P031",
                "changes the floating-point mode of the process while it loads",
                "build it without -ffast-math and -Ofast"},
        Refusal{"signal", "P032", "installs a handler for signal 14 (Alarm clock) while it loads",
                kAuthor},
        Refusal{"entry_signal", "P032",
                "installs a handler for signal 14 (Alarm clock) in qed_entry_1", kAuthor},
        Refusal{"locale", "P033", "changes the locale of the process while it loads", kAuthor},
        Refusal{"entry_locale", "P033", "changes the locale of the process in qed_entry_1",
                kAuthor},
        Refusal{"thread", "P034", "starts a thread while it loads", kThreads},
        Refusal{"entry_thread", "P034", "starts a thread in qed_entry_1", kThreads},
        Refusal{"folder", "P035", "changes the working folder of the process while it loads",
                kAuthor},
        Refusal{"refuses", "P040", "it refuses this qed: no licence found", ""}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    ByItsDescriptor, RefusedPlugin,
    testing::Values(
        Refusal{"descriptor", "P041",
                "its descriptor says epoch 1, built at level 7, needs level 1; its note says 1, 1, "
                "1",
                kAuthor},
        Refusal{"short_descriptor", "P041", "its descriptor has 8 bytes, at least 80 are needed",
                kAuthor},
        Refusal{"no_component", "P041", "it holds no component", kAuthor},
        Refusal{"unknown_kind", "P041", "it holds no component of a kind that this qed knows",
                kAuthor},
        Refusal{"component_twice", "P042", "it holds two of algorithm `component_twice`", kAuthor},
        Refusal{"id_twice", "P042", "it holds two components with the id `dev.qed.test.broken`",
                kAuthor},
        Refusal{"no_id", "P043", "algorithm `no_id`: its id is empty", kAuthor},
        Refusal{"bad_name", "P043",
                "algorithm `bad name`: a name has letters, digits, _ and - only", kAuthor},
        Refusal{"unknown_flag", "P043",
                "algorithm `unknown_flag`: its flags hold 1073741824, which this qed does not know",
                kAuthor},
        Refusal{"null_vtable", "P044", "algorithm `null_vtable`: its vtable is null", kAuthor},
        Refusal{"null_function", "P044",
                "algorithm `null_function`: its vtable lacks the mandatory function `loss`",
                kAuthor},
        Refusal{"short_vtable", "P044",
                "algorithm `short_vtable`: its vtable has 48 bytes, at least 56 are needed",
                kAuthor},
        Refusal{"some_episodes", "P044",
                "task `some_episodes`: its vtable has `episode_open` and lacks `episode_step`; a "
                "multi-turn task has all six",
                kAuthor, "task"},
        Refusal{"foreign_callback", "P045",
                "algorithm `foreign_callback`: its function `destroy` lies outside of the plugin",
                kAuthor},
        Refusal{"bad_option", "P046",
                "algorithm `bad_option`: option `eps`: its default 3 is above its maximum 1",
                kAuthor},
        Refusal{"option_twice", "P046", "algorithm `option_twice`: option `eps` is declared twice",
                kAuthor},
        Refusal{"option_name", "P046",
                "algorithm `option_name`: option `Eps-1`: a name has small letters, digits and _ "
                "only",
                kAuthor},
        Refusal{
            "option_word", "P046",
            "algorithm `option_word`: option `name`: in a run file this word chooses the plugin",
            kAuthor},
        Refusal{"other_name", "P047",
                "it holds no algorithm `other_name`; it holds algorithm `broken`",
                "the name in the run file must be the component's name"}),
    [](const auto& info) { return info.param.name; });

TEST(PluginHost, LoadsAPluginOfATimeBeforeItsTableGrew) {
  PluginHost host = make_host();
  const Algorithm old(host.load("algorithm", "old_vtable"), "{}", host.abi());
  EXPECT_FALSE(old.has_prepare());
}

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
  EXPECT_THAT(f.message, testing::HasSubstr("undefined symbol: qed_no_such_function [P030]"));
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
                           ": the file cannot be read [P001]");
  EXPECT_EQ(f.hint, "check its permissions");
  fs::remove_all(folder);
}

TEST(PluginHost, TellsThePluginWhatItOffers) {
  PluginHost host = make_host();
  const qed_host* abi = host.abi();
  EXPECT_EQ(abi->size, sizeof(qed_host));
  EXPECT_EQ(abi->epoch, QED_EPOCH);
  EXPECT_EQ(abi->level, QED_LEVEL);
  EXPECT_EQ(abi->min_level, 1u);
  const std::string id = "qed.test/1";
  EXPECT_EQ(abi->get_extension(abi, {id.data(), id.size()}), nullptr);
  host.add_service(id, &id);
  EXPECT_EQ(abi->get_extension(abi, {id.data(), id.size()}), &id);
}

TEST(DefaultFolders, GivenThenEnvironmentThenBesideTheProgram) {
  ::setenv("QED_PLUGIN_PATH", "/a::/b", 1);
  const auto folders = default_folders({"mine"});
  ::unsetenv("QED_PLUGIN_PATH");
  const fs::path program = fs::read_symlink("/proc/self/exe");
  EXPECT_THAT(folders,
              testing::ElementsAre("mine", "/a", "/b",
                                   program.parent_path().parent_path() / "lib/qed/plugins"));
}

}  // namespace
}  // namespace qed
