#!/usr/bin/env bash
# The parts without LibTorch, built and tested under AddressSanitizer and UBSan.
set -euo pipefail

cd "$QED_SOURCE_DIR"
cmake --preset asan
ninja -C build/asan -j2
ctest --test-dir build/asan --output-on-failure --no-tests=error -LE '^long$'
