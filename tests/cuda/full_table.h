#pragma once

// Whether a table of kernels has all its functions.

#include "core/cuda/kernel_table.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace qed::cuda {

// From `device` on the table is functions and nothing else, so that a new one is not forgotten.
inline void expect_full(const KernelTable& table) {
  constexpr std::size_t kFirst = offsetof(KernelTable, device);
  std::array<const void*, (sizeof(KernelTable) - kFirst) / sizeof(void*)> functions;
  static_assert(sizeof functions == sizeof(KernelTable) - kFirst);
  std::memcpy(functions.data(), reinterpret_cast<const char*>(&table) + kFirst, sizeof functions);
  for (std::size_t i = 0; i < functions.size(); ++i) EXPECT_NE(functions[i], nullptr) << i;
}

}  // namespace qed::cuda
