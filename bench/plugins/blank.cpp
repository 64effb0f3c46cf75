#include "bench/plugins/blank.h"

QED_PLUGIN("dev.qed.blank", "Apache-2.0", qed::Task<Blank>);
