// Values at a precision of 192 bits.

#include "evaluator_instances.h"

namespace math {

template Finding compare_at<192>(const Pair&, std::size_t, bool, Budget&);
template Finding compare_ratio<192>(const Pair&, std::size_t, std::size_t, Budget&, int&);
template std::optional<int> sign_at<192>(const Tree&, NodeId, const Reading&, Budget&);

}  // namespace math
