# SPDX-License-Identifier: Apache-2.0
# The benchmark kernels of bench/guest, each bare metal, as a static program of the Linux guest, and as a program of this
# host; made from source in some seconds, without the network. kernels.cpio is an archive to append to the initramfs of a
# Linux guest: the programs and the first process that runs them for bench/run.
# shellcheck shell=bash

build_guest() {
  local out=$1 source=$guests_dir/../bench/guest digest work file name kind
  need_tool cpio cpio
  compile_guests "$out" bench "the benchmark kernels" "$source" "$guests_dir"/{bench,lib,bare/lib} || return 0
  install -d -m 755 "$work/root" "$work/root/bench"
  install -m 755 "$source/hosted/init" "$work/root/bench/init"
  for file in "$work"/*.linux; do
    name=${file##*/}
    install -m 755 "$file" "$work/root/bench/${name%.linux}"
  done
  make_cpio "$work/root" "$work/kernels.cpio"
  rm -f "$out"/*.{elf,linux,native,cold,smp,cpio}
  mv "$work"/*.{elf,linux,native,cold,smp,cpio} "$out/"
  for file in "$out"/*.{elf,linux,native,cold,smp,cpio}; do
    name=${file##*/}
    kind=${name##*.}
    printf 'payload %s %s %s 1\n' "${name%.elf}" "$name" "${kind/elf/bench}"
  done | manifest_write "$out" bench "$digest"
  note "bench: done in $out"
}
