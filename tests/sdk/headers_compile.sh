#!/usr/bin/env bash
# The C header is valid in every standard from C99 and C++11 on, without padding that the compiler
# chooses; every C++ header of the SDK compiles alone.
set -euo pipefail

include=$QED_SOURCE_DIR/sdk/include
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
strict="-Wall -Wextra -Wpedantic -Werror -fsyntax-only -I$include"
cc=${CC:-cc} cxx=${CXX:-c++}

for name in abi version; do
  echo "#include \"qed/$name.h\"
  int main(void) { return 0; }" > "$work/$name.c"
  for std in c99 c11 c17; do
    echo "$name.h as $std"
    $cc -std=$std $strict -Wpadded "$work/$name.c"
  done
  for std in c++11 c++14 c++17 c++20; do
    echo "$name.h as $std"
    $cxx -x c++ -std=$std $strict -Wpadded "$work/$name.c"
  done
done

for header in "$include"/qed/*.h; do
  name=${header##*/}
  echo "$name alone, as c++20"
  echo "#include \"qed/$name\"" > "$work/alone.cpp"
  $cxx -std=c++20 $strict "$work/alone.cpp"
done
