#include "core/util/pages.h"

#include "core/util/error.h"
#include "core/util/numbers.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

namespace qed {

std::shared_ptr<char> zero_pages(std::size_t bytes) {
  const std::size_t size = std::max<std::size_t>(bytes, 1);
  void* map = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) {
    throw Error(cat("no room for ", bytes_text(static_cast<std::int64_t>(size)), " of memory"),
                "take a smaller model or batch, or a machine with more memory");
  }
  ::madvise(map, size, MADV_HUGEPAGE);  // only faster: a system without them ignores it
  return {static_cast<char*>(map), [size](char* p) { ::munmap(p, size); }};
}

}  // namespace qed
