#!/usr/bin/env bash
# Replays recordings of the reference gateway against the built node, where the recordings lie beside the repository.
# GOLDEN_DIR names their folder, from the root of the repository. Arguments go to golden.py: --only TEXT, --profile NAME, --verbose.
set -euo pipefail
cd "$(dirname "$0")/.."

recordings="${GOLDEN_DIR:-../shared/golden}"
if [ ! -f "$recordings/replay_proxy.py" ]; then
  if [ -n "${GOLDEN_DIR:-}" ]; then
    echo "golden: GOLDEN_DIR names $recordings, which holds no recordings (replay_proxy.py is missing)" >&2
    exit 1
  fi
  echo "golden: no recordings in $recordings (GOLDEN_DIR names another folder): nothing replayed"
  exit 0
fi
command -v python3 >/dev/null || { echo "golden: python3 is needed (package python3)" >&2; exit 1; }
if [ -z "${GATEHOUSE_BINARY:-}" ]; then
  cargo build --locked --package gatehouse
  GATEHOUSE_BINARY="${CARGO_TARGET_DIR:-target}/debug/gatehouse"
fi
export GATEHOUSE_BINARY
status=0
python3 scripts/golden.py --recordings "$recordings" --binary "$GATEHOUSE_BINARY" "$@" || status=1
if [ "$#" -eq 0 ]; then
  # Frames of the hybrid protocol, from both sides.
  cargo run --locked --quiet --package gatehouse-tests --bin golden_hybrid -- "$recordings" || status=1
fi
exit "$status"
