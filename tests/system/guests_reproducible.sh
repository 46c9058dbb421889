#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two builds of a guest give the same bytes: in different folders, at different times, under different file masks, and
# a build of something that is there changes nothing. The Debian guest takes part when its packages are in the cache.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
user_cache=${LOCKSTEP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lockstep}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

digests() {
  "$root/guests/build" "$1" --quiet --cache "$2" --print-paths | while IFS=$'\t' read -r name path; do
    printf '%s %s\n' "$name" "$(sha256sum "$path" | cut -d' ' -f1)"
  done
}

compare() {
  local guest=$1 first=$2 second=$3 before after
  (umask 022 && digests "$guest" "$first") >"$work/first"
  # File times have a grain of a second in some archives.
  sleep 1.1
  (umask 077 && digests "$guest" "$second") >"$work/second"
  [[ -s $work/first ]] || {
    echo "FAIL $guest: no payloads"
    exit 1
  }
  diff "$work/first" "$work/second" || {
    echo "FAIL $guest: two builds differ"
    exit 1
  }
  before=$(stat -c '%n %y' "$first/guests/$guest"/*)
  "$root/guests/build" "$guest" --quiet --cache "$first"
  after=$(stat -c '%n %y' "$first/guests/$guest"/*)
  [[ $before == "$after" ]] || {
    echo "FAIL $guest: a build of what is there wrote something"
    exit 1
  }
  # A payload that was damaged is made again.
  local victim
  victim=$("$root/guests/build" "$guest" --quiet --cache "$first" --print-paths | head -n 1 | cut -f2)
  printf 'x' >>"$victim"
  digests "$guest" "$first" >"$work/third"
  diff "$work/first" "$work/third" || {
    echo "FAIL $guest: a damaged payload was not made again as it was"
    exit 1
  }
  echo "PASS $guest: $(wc -l <"$work/first") payloads, the same bytes from every build"
}

ran=0
if command -v riscv64-linux-gnu-gcc >/dev/null; then
  compare bare "$work/a" "$work/b"
  compare bench "$work/a" "$work/b"
  ran=1
else
  echo "SKIP bare: riscv64-linux-gnu-gcc is not installed"
fi
if [[ -s $user_cache/guests/riscv64/debs/versions ]]; then
  for cache in a b; do
    mkdir -p "$work/$cache/guests/riscv64"
    cp -r "$user_cache/guests/riscv64/debs" "$work/$cache/guests/riscv64/"
  done
  compare riscv64 "$work/a" "$work/b"
  ran=1
else
  echo "SKIP riscv64: its packages are not in $user_cache; run guests/build riscv64 once"
fi
((ran)) || exit 77
