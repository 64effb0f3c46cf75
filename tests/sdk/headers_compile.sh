#!/usr/bin/env bash
# Every C++ header of the SDK compiles alone, without a warning; and all of them together with
# clang. The C header has gates of its own: sdk/abi/check.
set -euo pipefail

include=$QED_SOURCE_DIR/sdk/include
flags=(-x c++ -std=c++20 -Wall -Wextra -Wpedantic -Werror -fsyntax-only "-I$include" -)

all=""
for header in "$include"/qed/*.h; do
  name=${header##*/}
  echo "$name"
  g++ "${flags[@]}" <<<"#include \"qed/$name\""
  all+="#include \"qed/$name\""$'\n'
done
for clang in clang++ clang++-{19..14}; do
  if command -v "$clang" >/dev/null; then
    echo "all, $clang"
    "$clang" "${flags[@]}" <<<"$all"
    exit 0
  fi
done
echo "SKIPPED: clang++ is not here; only g++ was asked"
