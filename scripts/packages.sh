# Functions for scripts that need Debian packages; read by them with `.`, not run.

missing=()

# Tells what to do and ends the script.
fail() {
  printf '%s\n' "${0##*/}: $1" "${@:2}" >&2
  exit 1
}

# Notes the package when the command is not there.
need() { # command package
  command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}

# Installs what was noted, without starting any service.
install_missing() {
  [ "${#missing[@]}" -gt 0 ] || return 0
  command -v apt-get >/dev/null 2>&1 ||
    fail "needed are the programs that Debian packages as: ${missing[*]}" \
      "There is no apt-get here: install them by other means."
  [ "$(id -u)" -eq 0 ] ||
    fail "needed are packages, which only root may install. Run this, then try again:" \
      "  sudo apt-get install --no-install-recommends ${missing[*]}"
  echo "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # Services that packages start by themselves would take ports; the scripts start their own.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
  fi
  # Another apt may be at work; it is waited for.
  local apt=(apt-get -qq -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update || fail "apt-get update failed: look at the network and at /etc/apt/sources.list"
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt-get could not install: ${missing[*]}"
}
