#pragma once

// Numbers as people read them.

#include <cstdint>
#include <string>

namespace qed {

// "1,234,567"
std::string grouped(std::int64_t n);

// "988 B", "24.0 KiB", "1.84 GiB": three digits, powers of 1024.
std::string bytes_text(std::int64_t bytes);

}  // namespace qed
