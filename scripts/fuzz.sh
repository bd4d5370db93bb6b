#!/usr/bin/env bash
# Runs each fuzz target for a minute (FUZZ_SECONDS), or the one named as first argument.
#
# No special toolchain is needed: the coverage instrumentation of libFuzzer is reached through
# stable code-generation options. A C++ compiler builds libFuzzer itself.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"

command -v c++ >/dev/null || { echo "fuzz: a C++ compiler is needed (package g++)" >&2; exit 1; }
mapfile -t targets < <(sed -n 's/^name = "\([a-z0-9_]*\)"$/\1/p' Cargo.toml)
if [ -n "${1:-}" ]; then
  [ -f "targets/$1.rs" ] || { echo "fuzz: there is no target $1; there are: ${targets[*]}" >&2; exit 1; }
  targets=("$1")
fi

seconds="${FUZZ_SECONDS:-60}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/gatehouse/target}/fuzz"
host="$(rustc -vV | sed -n 's/^host: //p')"
export RUSTFLAGS="--cfg fuzzing -C passes=sancov-module \
-C llvm-args=-sanitizer-coverage-level=4 \
-C llvm-args=-sanitizer-coverage-inline-8bit-counters \
-C llvm-args=-sanitizer-coverage-pc-table \
-C llvm-args=-sanitizer-coverage-trace-compares \
-C codegen-units=1 -C force-frame-pointers=yes"

# Naming the target keeps build scripts and macros free of the instrumentation.
cargo build --release --target "$host"
for target in "${targets[@]}"; do
  echo "== $target: $seconds seconds"
  mkdir -p "corpus/$target" "artifacts/$target"
  "$CARGO_TARGET_DIR/$host/release/$target" -max_total_time="$seconds" -max_len=65536 -timeout=10 \
    -rss_limit_mb=2048 -artifact_prefix="artifacts/$target/" -print_final_stats=1 "corpus/$target"
done
