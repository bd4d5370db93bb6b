#!/bin/sh
# Prints the figures of keeping things: the store on a file and on PostgreSQL, whole documents
# through the batch endpoint, and what a platform with 100,000 entities takes of time and memory.
# Arguments go to the example `rates` (see there), such as `sqlite writes`; `platform` alone
# measures only the platform.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
gatehouse=${GATEHOUSE_BINARY:-$target/release/gatehouse}
folder=$(mktemp -d "${TMPDIR:-/tmp}/gatehouse-bench-store.XXXXXX")
platform=
end() {
  # They write into the folder until they have ended. The node outlives the platform by itself.
  node=$(cat "$folder/data/node/node.pid" 2>/dev/null) || node=
  for process in $platform $node; do
    { kill "$process" && wait "$process"; } 2>/dev/null || true
  done
  rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT TERM

if [ "${1:-}" != platform ]; then
  # Link-time optimisation of examples takes minutes and changes nothing that is measured here.
  export CARGO_PROFILE_RELEASE_LTO=false
  cargo build --locked --release --quiet --package gatehouse-store --example rates
  [ $# -ne 0 ] ||
    cargo build --locked --release --quiet --package gatehouse-admin-api --example documents
  unset CARGO_PROFILE_RELEASE_LTO
  "$target/release/examples/rates" "$folder" "$@"
  [ $# -eq 0 ] || exit 0
  echo "Whole documents of 100,000 entities through the batch endpoint (SQLite)"
  "$target/release/examples/documents"
fi

echo "A platform with one node (50,000 consumers, 25,000 services, 25,000 routes; SQLite)"
awk 'BEGIN {
  print "_format_version: \"3.0\"\nconsumers:"
  for (i = 0; i < 50000; i++) print "- username: user-" i
  print "services:"
  for (i = 0; i < 25000; i++)
    printf "- name: s%d\n  host: h%d.test\n  routes:\n  - name: r%d\n    paths: [/s/%d]\n", i, i, i, i
}' > "$folder/large.yaml"
# Ports below those that outgoing connections take.
"$gatehouse" quickstart --data-dir "$folder/data" --no-sample \
  --platform-port 24443 --proxy-port 24080 --proxy-tls-port 24444 --status-port 24007 \
  > "$folder/quickstart.log" &
platform=$!
until grep -q 'is running' "$folder/quickstart.log"; do
  kill -0 "$platform" || { cat "$folder/quickstart.log"; exit 1; }
  sleep 1
done

step() {
  name=$1
  shift
  begin=$(date +%s%N)
  "$gatehouse" config "$@" --data-dir "$folder/data" > "$folder/step.log"
  took=$((($(date +%s%N) - begin) / 1000000))
  sleep 8 # the node gets it
  peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$platform/status")
  now=$(awk '/^VmRSS/ { print $2 }' "/proc/$platform/status")
  echo "  $name: $took ms, peak $((peak / 1000)) MB, then $((now / 1000)) MB"
  echo 5 > "/proc/$platform/clear_refs" # begins the peak anew
}
step 'import (aim: 10 s; 300 MB)' db_import "$folder/large.yaml"
step 'import of the same' db_import "$folder/large.yaml"
step 'export' db_export "$folder/out.yaml"
step 'roll back to nothing' rollback 0
step 'roll back to all of it' rollback 1
