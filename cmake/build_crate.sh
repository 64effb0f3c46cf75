#!/usr/bin/env bash
# Builds a Rust package into a static library:
#   build_crate.sh CARGO CRATE_FOLDER PACKAGE TARGET_FOLDER ARCHIVE
set -euo pipefail

cargo=$1 crate=$2 package=$3 target=$4 archive=$5
export PATH="${cargo%/*}:$PATH" CARGO_TARGET_DIR=$target  # cargo runs the rustc beside it
mkdir -p "$target" "${archive%/*}"
cd "$crate"

# Other clones may share the target folder: one at a time, and the package itself always anew.
exec 9>"$target/qed.lock"
flock 9
cargo clean --release --locked --package "$package" --quiet
cargo rustc --release --locked --lib --crate-type staticlib
cp "$target/release/lib$package.a" "$archive"
