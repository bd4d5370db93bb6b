#!/usr/bin/env bash
# Installs the Debian packages that the tests talk to: a real forward proxy, openssl, PostgreSQL, strace.
# Does nothing when they are there.
set -euo pipefail

missing=()
need() { # command package
  command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}
need squid squid-openssl
need openssl openssl
need htpasswd apache2-utils
need curl curl
need strace strace
need pg_lsclusters postgresql

if [ "${#missing[@]}" -gt 0 ]; then
  echo "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # Services that packages start by themselves would take ports; the tests start their own.
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# Tools from PyPI that check the machine-readable descriptions, in a folder of their own.
python="${GATEHOUSE_PYTHON:-$HOME/.cache/gatehouse/python}"
wanted="$(cd "$(dirname "$0")" && pwd)/test-requirements.txt"
if ! cmp -s "$wanted" "$python/installed.txt"; then
  command -v python3 >/dev/null || { echo "python3 (3.11 or newer) is needed for the tests" >&2; exit 1; }
  echo "installing tools from PyPI into $python"
  python3 -m venv --clear "$python"
  "$python/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
  cp "$wanted" "$python/installed.txt"
fi
