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
