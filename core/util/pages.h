#pragma once

// Large buffers straight from the system.

#include <cstddef>
#include <memory>

namespace qed {

// `bytes` of zeros, aligned to a page, in huge pages where the system has them. Memory is used only
// once it is written. Throws Error with the size when the system has no room. [any]
std::shared_ptr<char> zero_pages(std::size_t bytes);

}  // namespace qed
