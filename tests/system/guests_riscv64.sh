#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boots the Debian riscv64 guest with a drive and the user network, on `lockstep vm run` when a program is named, else
# on Debian's qemu-system-riscv64, and wants every check of its init to pass and the machine to end in a power-off.
set -euo pipefail

readonly kTimeoutSeconds=${LOCKSTEP_BOOT_TIMEOUT_SECONDS:-300}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
user_cache=${LOCKSTEP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lockstep}
program=${1:-}
harts=${2:-1}
if [[ ! -s $user_cache/guests/riscv64/debs/versions ]]; then
  echo "SKIP: the guest's packages are not in $user_cache; run guests/build riscv64 once"
  exit 77
fi
if [[ -z $program ]] && ! command -v qemu-system-riscv64 >/dev/null; then
  echo "SKIP: qemu-system-riscv64 is not installed, and no lockstep program was named"
  exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
declare -A payload
while IFS=$'\t' read -r name path; do payload[$name]=$path; done < <("$root/guests/build" riscv64 --quiet --print-paths)
cp "${payload[disk]}" "$work/disk.img"

append='console=ttyS0 earlycon=sbi'
status=0
if [[ -n $program ]]; then
  timeout "$kTimeoutSeconds" "$program" vm run --machine riscv-virt --bios "${payload[bios]}" --kernel "${payload[kernel]}" \
    --initrd "${payload[initrd]}" --append "$append" --drive "file=$work/disk.img" --net user --smp "$harts" \
    --memory 512M </dev/null >"$work/console" 2>&1 || status=$?
else
  timeout "$kTimeoutSeconds" qemu-system-riscv64 -machine virt -smp "$harts" -m 512M -nographic -bios "${payload[bios]}" \
    -kernel "${payload[kernel]}" -initrd "${payload[initrd]}" -append "$append" \
    -drive "file=$work/disk.img,if=none,id=d,format=raw" -device virtio-blk-device,drive=d \
    -netdev user,id=n -device virtio-net-device,netdev=n </dev/null >"$work/console" 2>&1 || status=$?
fi

grep -aE '^(Linux|CHECK)' "$work/console" || true
if ((status != 0)) || ! grep -qaE '^CHECKS [0-9]+ passed, 0 failed' "$work/console" ||
  ! grep -qa '^CHECK block PASS' "$work/console" || ! grep -qa '^CHECK net PASS' "$work/console"; then
  echo "FAIL: status $status; the end of the console:"
  tail -n 30 "$work/console" | sed 's/^/    /'
  exit 1
fi
