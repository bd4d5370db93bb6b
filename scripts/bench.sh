#!/usr/bin/env bash
# Installs the peers and tools of the measurements, builds, and runs them.
# Arguments go to the program: --rounds N, --seconds N, --only CASE, --no-counts.
set -euo pipefail
cd "$(dirname "$0")/.."

. scripts/packages.sh

need nginx nginx-light
need haproxy haproxy
need wrk wrk
need strace strace
need valgrind valgrind
need taskset util-linux
install_missing

target="${CARGO_TARGET_DIR:-target}"
[ -x "$target/release/gatehouse" ] || cargo build --locked --release --package gatehouse
cargo build --locked --release --package gatehouse-benches
GATEHOUSE_BINARY="$target/release/gatehouse" "$target/release/bench" "$@"
