#!/usr/bin/env bash
# The parts without LibTorch, built and tested by a preset of a sanitizer: sanitizer_test.sh PRESET.
set -euo pipefail

preset=$1
cd "$QED_SOURCE_DIR"
cmake --preset "$preset"
ninja -C "build/$preset" -j2
ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -LE '^long$'
