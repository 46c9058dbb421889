# SPDX-License-Identifier: Apache-2.0
# The benchmark kernels of bench/guest, each bare metal, as a static program of the Linux guest, and as a program of this
# host; made from source in some seconds, without the network. kernels.cpio is an archive to append to the initramfs of a
# Linux guest: the programs and the first process that runs them for bench/run.
# shellcheck shell=bash

build_guest() {
  local out=$1 source=$guests_dir/../bench/guest digest work file name kind compiler=${CROSS:-riscv64-linux-gnu-}gcc
  need_tool "$compiler" gcc-riscv64-linux-gnu
  need_tool make make
  need_tool cc gcc
  need_tool cpio cpio
  # Another compiler makes other bytes, so both versions are part of what the payloads came from.
  digest=$(
    {
      "$compiler" --version
      cc --version
      LC_ALL=C find "$source" "$guests_dir"/{bench,lib,bare/lib} -type f -print0 | LC_ALL=C sort -z | xargs -0 cat
    } | sha256sum | cut -d' ' -f1
  )
  if [[ $rebuild == no ]] && manifest_current "$out" "$digest"; then
    note "bench: up to date in $out"
    return
  fi
  note "compiling the benchmark kernels"
  work=$(mktemp -d "$out/.work.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  make --silent --no-print-directory -j"$(nproc)" -C "$source" OUT="$work" >&2 || die "the benchmark kernels do not compile"
  install -d -m 755 "$work/root" "$work/root/bench"
  install -m 755 "$source/hosted/init" "$work/root/bench/init"
  for file in "$work"/*.linux; do
    name=${file##*/}
    install -m 755 "$file" "$work/root/bench/${name%.linux}"
  done
  make_cpio "$work/root" "$work/kernels.cpio"
  rm -f "$out"/*.{elf,linux,native,cold,cpio}
  mv "$work"/*.{elf,linux,native,cold,cpio} "$out/"
  for file in "$out"/*.{elf,linux,native,cold,cpio}; do
    name=${file##*/}
    kind=${name##*.}
    printf 'payload %s %s %s 1\n' "${name%.elf}" "$name" "${kind/elf/bench}"
  done | manifest_write "$out" bench "$digest"
  note "bench: done in $out"
}
