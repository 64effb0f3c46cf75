#pragma once

// The service "qed.host.dataset/1" of qed/abi.h: data files for plugins.

#include "qed/abi.h"

namespace qed {

inline constexpr char kDatasetService[] = "qed.host.dataset/1";

// Static; its functions are [any]. A failure sets the call's error to QED_DATA and says what is
// wrong, where, and what to do; nothing throws.
const qed_host_dataset* dataset_service();

}  // namespace qed
