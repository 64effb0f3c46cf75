#include "core/cli/commands.h"

int main(int argc, char** argv) { return qed::run_program({argv + 1, argv + argc}); }
