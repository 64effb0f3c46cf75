#pragma once

// The one pool of threads. Work is cut into pieces that idle threads take one after another, so a
// thread that the system has put aside holds up one piece, not its share of the whole. Which thread
// runs which piece is left open: no result may depend on it.

#include <cstdint>
#include <functional>

namespace qed {

// Threads that parallel_for uses, the caller's included. Not while a parallel_for runs. n >= 1.
// [main]
void set_num_threads(int n);
int num_threads();

// Calls body(begin, end) for pieces that cover [0, n) once, each of at least `grain` (the last one
// may be smaller), and returns when all are done. A call from inside a body, or while another
// thread is in one, runs on the caller's thread alone. The first exception of a body is thrown
// again here. [any]
void parallel_for(std::int64_t n, std::int64_t grain,
                  const std::function<void(std::int64_t begin, std::int64_t end)>& body);

}  // namespace qed
