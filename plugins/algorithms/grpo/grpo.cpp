#include "grpo.h"

QED_PLUGIN("dev.qed.grpo", "Apache-2.0", qed::Algorithm<Grpo>);
