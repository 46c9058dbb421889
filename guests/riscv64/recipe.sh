# SPDX-License-Identifier: Apache-2.0
# The Debian riscv64 guest: OpenSBI's generic firmware, Debian's kernel as it is, and an initramfs of busybox, the
# virtio modules and our init.
# shellcheck shell=bash

readonly kSuite=trixie
readonly kDebianArch=riscv64
# Names without the kernel version; linux-image-riscv64 tells which versioned package is the current kernel.
readonly kPackages=(opensbi busybox-static)
# What init inserts, in this order; dependencies named inside a module come before it by themselves. ext4 asks for
# crc32c by name at mount time, which no dependency shows.
readonly kDriverModules=(virtio_mmio virtio_blk virtio_net virtio-rng)
# Inserted only where there is a drive, because ext4 alone costs 200 million guest instructions.
readonly kDiskModules=(crc32c_generic ext4)
readonly kDiskSizeKib=4096

# module_file TREE NAME: where a module lies.
module_file() { find "$1" -name "$2.ko.xz" -print -quit; }

# module_order TREE NAME...: prints names in insertion order, each once.
declare -A module_seen=()
module_order() {
  local tree=$1 name file dependency
  shift
  for name in "$@"; do
    [[ -z ${module_seen[$name]:-} ]] || continue
    module_seen[$name]=1
    file=$(module_file "$tree" "$name")
    [[ -n $file ]] || die "the kernel package holds no module $name"
    for dependency in $(xz -dc "$file" | tr '\0' '\n' | sed -n 's/^depends=//p' | tr ',' ' '); do
      module_order "$tree" "$dependency"
    done
    printf '%s\n' "$name"
  done
}

# fetch_packages DEBS WORK: replaces what DEBS holds only when every package has come.
fetch_packages() {
  local debs=$1 fresh=$2/debs kernel package version
  mkdir "$fresh"
  debian_open "$2/apt" "$kSuite" "$kDebianArch"
  note "[1/4] reading the package lists of $kSuite $kDebianArch from $debian_mirror_in_use"
  if ! debian_update; then
    ! packages_present "$debs" || die "the mirror $debian_mirror_in_use does not answer; the packages in the cache are as they were, and a build without --update uses them"
    die "no packages in the cache ($debs) and the mirror $debian_mirror_in_use does not answer; connect this machine to the network, or copy the folder from a machine that has it"
  fi
  kernel=$(debian_dependency "linux-image-$kDebianArch" "^linux-image-.*-$kDebianArch\$")
  [[ -n $kernel ]] || die "$debian_mirror_in_use has no linux-image-$kDebianArch in $kSuite"
  for package in "${kPackages[@]}" "$kernel"; do
    version=$(debian_candidate "$package")
    [[ -n $version ]] || die "$debian_mirror_in_use has no $package in $kSuite"
    note "[2/4] fetching $package $version"
    debian_download "$fresh" "$package" "$version" || die "could not fetch $package $version from $debian_mirror_in_use; try again"
    printf '%s %s %s\n' "$package" "$version" "$(sha256_of "$fresh/$package.deb")" >>"$fresh/versions"
  done
  rm -rf "$debs"
  mv "$fresh" "$debs"
}

# packages_present DEBS: true when every pinned package is there with the bytes that apt verified.
packages_present() {
  [[ -s $1/versions ]] || return 1
  awk -v dir="$1" '{ print $3 "  " dir "/" $1 ".deb" }' "$1/versions" | sha256sum --check --status --strict 2>/dev/null
}

# module_payload FILE.ko.xz: prints the module without its appended signature. Verifying eleven signatures costs the
# guest two thousand million instructions, three times the boot of the kernel itself; the packages were verified here.
readonly kSignatureMagic='~Module signature appended~'
module_payload() {
  local raw=$work/module.ko trailer_bytes=$((${#kSignatureMagic} + 1)) size_bytes signature_bytes
  xz -dc "$1" >"$raw"
  size_bytes=$(stat -c %s "$raw")
  if [[ $(tail -c "$trailer_bytes" "$raw" | tr '\0' ' ') == "$kSignatureMagic" ]]; then
    # The twelve bytes before the magic end in the length of the signature, big endian.
    signature_bytes=$((16#$(tail -c $((trailer_bytes + 4)) "$raw" | head -c 4 | od -An -v -tx1 | tr -d ' \n')))
    size_bytes=$((size_bytes - trailer_bytes - 12 - signature_bytes))
  fi
  head -c "$size_bytes" "$raw"
}

make_initramfs() {
  local work=$1 recipe=$2 kernel_modules=$3 out=$4 root=$1/root name
  mkdir -p "$root"/{bin,dev,etc,lib/modules,mnt,proc,root,sys,tmp}
  install -m 755 "$work/busybox/usr/bin/busybox" "$root/bin/busybox"
  ln -s busybox "$root/bin/sh"
  install -m 755 "$recipe/init" "$root/init"
  install -m 755 "$recipe/udhcpc.script" "$root/etc/udhcpc.script"
  install -m 644 "$recipe/profile" "$root/etc/profile"
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\n' >"$root/etc/group"
  module_order "$kernel_modules" "${kDriverModules[@]}" >"$root/lib/modules/drivers"
  module_order "$kernel_modules" "${kDiskModules[@]}" >"$root/lib/modules/disk"
  cat "$root"/lib/modules/{drivers,disk} | while read -r name; do
    module_payload "$(module_file "$kernel_modules" "$name")" >"$root/lib/modules/$name.ko"
  done
  find "$root" -type d -exec chmod 755 {} +
  find "$root" -type f ! -perm -u=x -exec chmod 644 {} +
  make_cpio "$root" "$out"
}

# A file system whose every byte is chosen here: identifiers and hash seed are fixed, and e2fsprogs takes its clock
# from the environment. debugfs writes the files, because `mke2fs -d` copies their change times, which nobody can set.
make_disk() {
  local work=$1 out=$2 content=$1/disk
  mkdir -p "$content"
  awk 'BEGIN { for (i = 0; i < 8192; i++) printf "lockstep %08d\n", i * 2654435 % 99999989 }' >"$content/known.txt"
  (cd "$content" && md5sum known.txt >known.md5)
  chmod 644 "$content"/*
  rm -f "$out"
  truncate -s "${kDiskSizeKib}K" "$out"
  (
    export MKE2FS_CONFIG=/dev/null E2FSPROGS_FAKE_TIME=$kEpochSeconds PATH=$PATH:/usr/sbin:/sbin
    mke2fs -q -F -t ext2 -b 1024 -I 256 -O none,filetype,sparse_super -N 128 -m 0 -L lockstep \
      -U 10c57e90-0000-4000-8000-000000000001 \
      -E hash_seed=10c57e90-0000-4000-8000-000000000002,root_owner=0:0,nodiscard "$out"
    cd "$content"
    debugfs -w -f /dev/stdin "$out" <<<$'write known.txt known.txt\nwrite known.md5 known.md5\nsif known.txt uid 0\nsif known.txt gid 0\nsif known.md5 uid 0\nsif known.md5 gid 0'
    e2fsck -fn "$out"
  ) >"$work/disk.log" 2>&1 || die "the disk image could not be made: $(cat "$work/disk.log")"
}

build_guest() {
  local out=$1 debs=$1/debs recipe=$guests_dir/riscv64 digest work kernel
  digest=$(recipe_digest "$guests_dir"/lib/{common,debian}.sh "$recipe"/{recipe.sh,init,profile,udhcpc.script})
  if [[ $rebuild == no ]] && packages_present "$debs" && manifest_current "$out" "$digest"; then
    note "riscv64: up to date in $out"
    return
  fi
  need_tool dpkg-deb dpkg
  need_tool cpio cpio
  need_tool xz xz-utils
  need_tool mke2fs e2fsprogs
  work=$(mktemp -d "$out/.work.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  if [[ $update == yes ]] || ! packages_present "$debs"; then fetch_packages "$debs" "$work"; fi

  kernel=$(awk '$1 ~ /^linux-image-/ { print $1 }' "$debs/versions")
  note "[3/4] unpacking $kernel, opensbi and busybox-static"
  deb_extract "$debs/$kernel.deb" "$work/kernel" 'boot/vmlinux-*' 'usr/lib/modules/*/kernel/*.ko.xz'
  deb_extract "$debs/opensbi.deb" "$work/opensbi" 'usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.*'
  deb_extract "$debs/busybox-static.deb" "$work/busybox" 'usr/bin/busybox'

  note "[4/4] making the initramfs and the disk image"
  make_initramfs "$work" "$recipe" "$work/kernel/usr/lib/modules" "$work/initramfs.cpio"
  make_disk "$work" "$work/disk.img"
  install -m 644 "$work"/kernel/boot/vmlinux-* "$work/Image"
  install -m 644 "$work"/opensbi/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.{bin,elf} "$work/"
  mv -f "$work"/{Image,fw_dynamic.bin,fw_dynamic.elf,initramfs.cpio,disk.img} "$out/"
  chmod 644 "$out/fw_dynamic.elf"
  {
    sed 's/^/package /' "$debs/versions"
    printf 'payload %s %s %s 1\n' kernel Image kernel bios fw_dynamic.bin firmware bios-elf fw_dynamic.elf firmware \
      initrd initramfs.cpio initrd disk disk.img disk
  } | manifest_write "$out" riscv64 "$digest"
  note "riscv64: done, $(awk '{ print $1 " " $2 }' "$debs/versions" | paste -sd, | sed 's/,/, /g') in $out"
}
