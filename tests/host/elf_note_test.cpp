#include "core/host/elf_note.h"

#include "core/host/elf_reader.h"
#include "qed/philox.h"
#include "tests/host/host_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
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
  EXPECT_FALSE(read_elf_plugin(grpo(), plugin));
  EXPECT_EQ(plugin.epoch, 1u);
  EXPECT_EQ(plugin.built_level, 1u);
  EXPECT_EQ(plugin.need_level, 1u);
  EXPECT_THAT(plugin.exports, testing::ElementsAre("qed_entry_1"));
  EXPECT_FALSE(plugin.dynamic.wants_executable_stack);
  EXPECT_FALSE(plugin.dynamic.has_text_relocations);
  EXPECT_FALSE(plugin.dynamic.has_static_tls);
  EXPECT_THAT(plugin.dynamic.run_paths, testing::IsEmpty());
  EXPECT_THAT(plugin.dynamic.needed, testing::Contains("libc.so.6"));
  EXPECT_THAT(plugin.dynamic.needs,
              testing::Contains(testing::FieldsAre("libc.so.6", testing::StartsWith("GLIBC_2"))));
}

TEST(ElfNote, RefusesWhatIsNoSharedLibrary) {
  const std::string expected = "P002";
  ElfPlugin plugin;
  EXPECT_EQ(read_elf_plugin({}, plugin).code, expected);
  const std::string text(1000, 'x');
  EXPECT_EQ(
      read_elf_plugin({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, plugin)
          .code,
      expected);
  for (const std::size_t byte : {4, 5, 16, 18}) {  // class, byte order, type, machine
    auto file = grpo();
    file[byte] = 77;
    EXPECT_EQ(read_elf_plugin(file, plugin).code, expected) << byte;
  }
}

TEST(ElfNote, IsSafeOnEveryLengthOfAFileThatIsCutShort) {
  const auto file = grpo();
  for (std::size_t n = 0; n < file.size(); n += 1 + n / 64) {
    const std::vector<std::uint8_t> cut(file.begin(),
                                        file.begin() + static_cast<std::ptrdiff_t>(n));
    ElfPlugin plugin;
    EXPECT_EQ(read_elf_plugin(cut, plugin).code, n < sizeof(Elf64_Ehdr) ? "P002" : "P003") << n;
  }
}

TEST(ElfNote, IsSafeOnRandomDamage) {
  const auto good = grpo();
  const ElfReader reader(good);
  const auto header = reader.at<Elf64_Ehdr>(0);
  ASSERT_TRUE(header.has_value());
  std::int64_t dynamic = 0;
  const auto segments = reader.table<Elf64_Phdr>(header->e_phoff, header->e_phnum);
  ASSERT_TRUE(segments.has_value());
  for (const auto& segment : *segments) {
    if (segment.p_type == PT_DYNAMIC) dynamic = static_cast<std::int64_t>(segment.p_offset);
  }
  ASSERT_GT(dynamic, 0);
  const auto end = static_cast<std::int64_t>(good.size()) - 1;
  // Where the tables lie: headers, dynamic section, strings and versions, section table, all.
  const std::pair<std::int64_t, std::int64_t> places[] = {
      {0, 700}, {dynamic, dynamic + 500}, {500, 8000}, {end - 2500, end}, {0, end}};
  Rng rng(7);
  for (int round = 0; round < 3000; ++round) {
    auto file = good;
    for (const auto& [first, last] : places) {
      const auto at = static_cast<std::size_t>(rng.integer(first, std::min(last, end)));
      file[at] = static_cast<std::uint8_t>(rng.next());
    }
    file[0] = 0x7F, file[4] = 2, file[5] = 1;  // else few get beyond the header
    ElfPlugin plugin;
    read_elf_plugin(file, plugin);  // under AddressSanitizer this would stop the test
  }
}

}  // namespace
}  // namespace qed
