#!/usr/bin/env bash
# Installs the Debian packages that the tests talk to: a real forward proxy, openssl, PostgreSQL, Redis, strace; and Python with
# the tools that check the machine-readable descriptions. Does nothing when they are there.
set -euo pipefail

. "$(dirname "$0")/packages.sh"

need squid squid-openssl
need openssl openssl
need htpasswd apache2-utils
need curl curl
need strace strace
need valgrind valgrind
need ps procps
need pg_lsclusters postgresql
need redis-server redis-server
need pebble pebble
need slapd slapd
# The long forms compare with other proxies and ask a scanner.
if [ "${GATEHOUSE_LONG:-}" = 1 ]; then
  need nginx nginx-light
  need haproxy haproxy
  need testssl testssl.sh
  need hexdump bsdextrautils
fi
need python3 python3
# Debian leaves the parts that make a folder for tools out of the package of Python.
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing+=(python3-venv)
install_missing

# Tools from PyPI, in a folder of their own.
python="${GATEHOUSE_PYTHON:-$HOME/.cache/gatehouse/python}"
wanted="$(cd "$(dirname "$0")" && pwd)/test-requirements.txt"
if ! cmp -s "$wanted" "$python/installed.txt"; then
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "the tests need Python 3.11 or newer; here is $(python3 --version)"
  echo "installing tools from PyPI into $python"
  python3 -m venv --clear "$python"
  "$python/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted" ||
    fail "the tools of $wanted could not be fetched from PyPI" \
      "look at the network, or name a mirror with PIP_INDEX_URL, and try again"
  cp "$wanted" "$python/installed.txt"
fi
