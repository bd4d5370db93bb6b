#!/usr/bin/env bash
# Replays recordings of the reference gateway against the built node, where the recordings lie beside the repository.
# GOLDEN_DIR names their folder. Arguments go to golden.py: --only TEXT, --profile NAME, --verbose.
set -euo pipefail
cd "$(dirname "$0")/.."

recordings="${GOLDEN_DIR:-../shared/golden}"
if [ ! -f "$recordings/replay_proxy.py" ]; then
  echo "golden: no recordings in $recordings (GOLDEN_DIR names another folder): nothing replayed"
  exit 0
fi
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
