#include "core/util/pages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "core/util/error.h"

namespace qed {
namespace {

TEST(Pages, AreZeroAlignedAndWritable) {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{4096}, std::size_t{5'000'000}}) {
    const auto pages = zero_pages(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pages.get()) % 4096, 0u);
    EXPECT_TRUE(std::all_of(pages.get(), pages.get() + bytes, [](char c) { return c == 0; }));
    std::fill_n(pages.get(), bytes, 'x');
  }
  EXPECT_NE(zero_pages(0), nullptr);
}

TEST(Pages, AreRefusedWithTheirSizeWhereThereIsNoRoom) {
  try {
    zero_pages(std::size_t{1} << 60);
    FAIL() << "no Error was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "no room for 1.00 EiB of memory");
  }
}

}  // namespace
}  // namespace qed
