#include "core/util/memory.h"

#include <gtest/gtest.h>

namespace qed {
namespace {

TEST(AvailableMemory, IsSomething) { EXPECT_GT(available_memory_bytes(), 1 << 20); }

}  // namespace
}  // namespace qed
