# SPDX-License-Identifier: Apache-2.0
# The project's own bare-metal RISC-V guests; made from source in a few seconds, without the network.
# shellcheck shell=bash

build_guest() {
  local out=$1 source=$guests_dir/bare digest work elf name harts compiler=${CROSS:-riscv64-linux-gnu-}gcc
  need_tool "$compiler" gcc-riscv64-linux-gnu
  need_tool make make
  need_tool cc gcc
  # Another compiler makes other bytes, so its version is part of what the payloads came from.
  digest=$(
    {
      "$compiler" --version
      LC_ALL=C find "$source" "$guests_dir/lib" -type f -print0 | LC_ALL=C sort -z | xargs -0 cat
    } | sha256sum | cut -d' ' -f1
  )
  if [[ $rebuild == no ]] && manifest_current "$out" "$digest"; then
    note "bare: up to date in $out"
    return
  fi
  note "compiling the bare-metal guests"
  work=$(mktemp -d "$out/.work.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  make --silent --no-print-directory -j"$(nproc)" -C "$source" OUT="$work" >&2 || die "the bare-metal guests do not compile"
  rm -f "$out"/*.elf
  mv "$work"/*.elf "$out/"
  for elf in "$out"/*.elf; do
    name=${elf##*/}
    name=${name%.elf}
    # A guest for several harts says so in a line of its source.
    harts=$(sed -n 's/^\/\/ harts: //p' "$source/tests/$name.c")
    printf 'payload %s %s test %s\n' "$name" "$name.elf" "${harts:-1}"
  done | manifest_write "$out" bare "$digest"
  note "bare: done, $(find "$out" -name '*.elf' | wc -l) guests in $out"
}
