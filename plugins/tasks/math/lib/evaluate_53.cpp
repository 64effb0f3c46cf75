// Values at a precision of 53 bits.

#include "evaluator_instances.h"

namespace math {

template Finding compare_at<53>(const Pair&, std::size_t, bool, Budget&);
template Finding compare_ratio<53>(const Pair&, std::size_t, std::size_t, Budget&, int&);
template std::optional<int> sign_at<53>(const Tree&, NodeId, const Reading&, Budget&);

}  // namespace math
