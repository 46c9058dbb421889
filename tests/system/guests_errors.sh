#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What guests/build says when it cannot do its work: one clear line, the right exit status, and nothing half made.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# expect NAME STATUS TEXT COMMAND...
expect() {
  local name=$1 wanted=$2 text=$3 status=0
  shift 3
  "$@" >"$work/out" 2>&1 </dev/null || status=$?
  if ((status == wanted)) && grep -qF -- "$text" "$work/out"; then
    echo "PASS $name"
  else
    failed=$((failed + 1))
    echo "FAIL $name: status $status, wanted $wanted and '$text':"
    sed 's/^/    /' "$work/out"
  fi
}

build=$root/guests/build
expect "help" 0 "Usage: guests/build" "$build" --help
expect "no guest" 2 "name at least one guest" "$build"
expect "unknown guest" 2 "unknown guest 'riscv65'" "$build" riscv65
expect "unknown option" 2 "unknown option '--fast'" "$build" --fast bare
expect "cache that cannot be made" 1 "choose another with --cache" "$build" bare --cache /proc/nowhere
expect "no compiler" 1 "apt-get install gcc-riscv64-linux-gnu" env CROSS=absent- "$build" bare --cache "$work/c"

# Nothing listens on port 1 of this machine, which is as good as no network.
if command -v apt-get >/dev/null && [[ -r /usr/share/keyrings/debian-archive-keyring.gpg ]]; then
  expect "no network and no cache" 1 "does not answer" env LOCKSTEP_DEBIAN_MIRROR=http://127.0.0.1:1/debian \
    "$build" riscv64 --cache "$work/offline"
  if [[ -e $work/offline/guests/riscv64/manifest.json ]]; then
    failed=$((failed + 1))
    echo "FAIL no network and no cache: a manifest was written"
  fi
fi
((failed == 0))
