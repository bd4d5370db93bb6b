#!/usr/bin/env bash
# Installs the peers and tools of the measurements, builds, and runs them.
# Arguments go to the program: --rounds N, --seconds N, --only CASE, --no-counts.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need nginx nginx-light
need haproxy haproxy
need wrk wrk
need strace strace
need valgrind valgrind
need taskset util-linux
if [ "${#missing[@]}" -gt 0 ]; then
  echo "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

target="${CARGO_TARGET_DIR:-target}"
[ -x "$target/release/gatehouse" ] || cargo build --locked --release --package gatehouse
cargo build --locked --release --package gatehouse-benches
GATEHOUSE_BINARY="$target/release/gatehouse" "$target/release/bench" "$@"
