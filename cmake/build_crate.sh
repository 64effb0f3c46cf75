#!/usr/bin/env bash
# Builds a Rust package into a library, static (.a) or shared (.so):
#   build_crate.sh CARGO CRATE_FOLDER PACKAGE TARGET_FOLDER LIBRARY
set -euo pipefail

cargo=$1 crate=$2 package=$3 target=$4 library=$5
export PATH="${cargo%/*}:$PATH" CARGO_TARGET_DIR=$target  # cargo runs the rustc beside it
mkdir -p "$target" "${library%/*}"
cd "$crate"

# Other clones may share the target folder: one at a time, and the package itself always anew.
exec 9>"$target/qed.lock"
flock 9
cargo clean --release --locked --package "$package" --quiet
kind=staticlib
[[ $library != *.so ]] || kind=cdylib
cargo rustc --release --locked --lib --crate-type $kind
cp "$target/release/lib$package.${library##*.}" "$library.new"
mv "$library.new" "$library"  # at once: a running program may have the old one open
