// Values at a precision of 768 bits.

#include "evaluator_instances.h"

namespace math {

template Finding compare_at<768>(const Pair&, std::size_t, bool, Budget&);
template Finding compare_ratio<768>(const Pair&, std::size_t, std::size_t, Budget&, int&);
template std::optional<int> sign_at<768>(const Tree&, NodeId, const Reading&, Budget&);

}  // namespace math
