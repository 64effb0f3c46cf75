#pragma once

// The verifier of plugins/blank.h, called in C++: no file may include both the SDK and core/host.

#include <cstddef>
#include <string>

namespace bench {

// Scores texts[0, n), one after the other; the sum of what comes out, so that nothing is left out.
double score_directly(const std::string* texts, std::size_t n);

}  // namespace bench
