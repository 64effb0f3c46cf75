#include "core/host/elf_note.h"

#include "qed/philox.h"
#include "tests/host/host_fixture.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

namespace qed {
namespace {

std::vector<std::uint8_t> bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.is_open()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::uint8_t> grpo() { return bytes_of(product_plugins() / "algorithms/grpo.so"); }

TEST(ElfNote, ReadsNoteAndExportsOfAGoodPlugin) {
  ElfPlugin plugin;
  EXPECT_EQ(read_elf_plugin(grpo(), plugin), "");
  EXPECT_EQ(plugin.epoch, 1u);
  EXPECT_EQ(plugin.built_level, 1u);
  EXPECT_EQ(plugin.need_level, 1u);
  EXPECT_THAT(plugin.exports, testing::ElementsAre("qed_entry_1"));
  EXPECT_FALSE(plugin.wants_executable_stack);
}

TEST(ElfNote, RefusesWhatIsNoSharedLibrary) {
  const std::string expected = "not a shared library for x86-64 (ELF64, little-endian, ET_DYN)";
  ElfPlugin plugin;
  EXPECT_EQ(read_elf_plugin({}, plugin), expected);
  const std::string text(1000, 'x');
  EXPECT_EQ(
      read_elf_plugin({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, plugin),
      expected);
  for (const std::size_t byte : {4, 5, 16, 18}) {  // class, byte order, type, machine
    auto file = grpo();
    file[byte] = 77;
    EXPECT_EQ(read_elf_plugin(file, plugin), expected) << byte;
  }
}

TEST(ElfNote, IsSafeOnEveryLengthOfAFileThatIsCutShort) {
  const auto file = grpo();
  for (std::size_t n = 0; n < file.size(); n += 1 + n / 64) {
    const std::vector<std::uint8_t> cut(file.begin(),
                                        file.begin() + static_cast<std::ptrdiff_t>(n));
    ElfPlugin plugin;
    EXPECT_NE(read_elf_plugin(cut, plugin), "") << n;
  }
}

TEST(ElfNote, IsSafeOnRandomDamage) {
  const auto good = grpo();
  Rng rng(7);
  for (int round = 0; round < 3000; ++round) {
    auto file = good;
    for (int i = 0; i < 4; ++i) {  // half the hits go into the header and the section table
      const auto tail = static_cast<std::int64_t>(file.size()) - 1;
      const auto at = i % 2 == 0 ? rng.integer(0, 63) : rng.integer(tail - 2000, tail);
      file[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(rng.next());
    }
    ElfPlugin plugin;
    read_elf_plugin(file, plugin);  // under AddressSanitizer this would stop the test
  }
}

}  // namespace
}  // namespace qed
