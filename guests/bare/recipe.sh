# SPDX-License-Identifier: Apache-2.0
# The project's own bare-metal RISC-V guests; made from source in a few seconds, without the network.
# shellcheck shell=bash

build_guest() {
  local out=$1 source=$guests_dir/bare digest work elf name harts
  compile_guests "$out" bare "the bare-metal guests" "$source" "$guests_dir/lib" || return 0
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
