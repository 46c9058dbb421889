#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the bare-metal guests and runs each of them: on `lockstep vm run` when a program is named, else on Debian's
# qemu-system-riscv64. Guests for several harts run with one hart too.
set -euo pipefail

readonly kTimeoutSeconds=60
readonly kMaxInstructions=2000000000

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=${1:-}
command -v riscv64-linux-gnu-gcc >/dev/null || {
  echo "SKIP: riscv64-linux-gnu-gcc is not installed"
  exit 77
}
if [[ -z $program ]] && ! command -v qemu-system-riscv64 >/dev/null; then
  echo "SKIP: qemu-system-riscv64 is not installed, and no lockstep program was named"
  exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/guests/build" bare --quiet --cache "$work/cache"
manifest=$work/cache/guests/bare/manifest.json

# run_guest ELF HARTS: leaves the console in $work/console. Known gaps of QEMU 7.2 are left out of what it checks.
run_guest() {
  if [[ -n $program ]]; then
    timeout "$kTimeoutSeconds" "$program" vm run --machine riscv-virt --bios none --kernel "$1" --smp "$2" \
      --memory 128M --append strict=1 --max-instructions "$kMaxInstructions" </dev/null >"$work/console" 2>&1
  else
    timeout "$kTimeoutSeconds" qemu-system-riscv64 -machine virt -smp "$2" -m 128M -nographic -bios none \
      -kernel "$1" </dev/null >"$work/console" 2>&1
  fi
}

failed=0
ran=0
while IFS=$'\t' read -r name path harts; do
  for smp in $(printf '1\n%s\n' "$harts" | sort -un); do
    status=0
    run_guest "$path" "$smp" || status=$?
    ran=$((ran + 1))
    if ((status == 0)); then
      printf 'PASS %s (harts: %s)\n' "$name" "$smp"
    else
      failed=$((failed + 1))
      printf 'FAIL %s (harts: %s), status %s:\n' "$name" "$smp" "$status"
      tail -n 20 "$work/console" | sed 's/^/    /'
    fi
  done
done < <(sed -n 's/^"\([^"]*\)": {"path": "\([^"]*\)", "kind": "[a-z]*", "harts": \([0-9]*\),.*/\1\t\2\t\3/p' "$manifest")

echo "$((ran - failed)) of $ran runs passed"
((ran > 0 && failed == 0))
