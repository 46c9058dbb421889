# SPDX-License-Identifier: Apache-2.0
# What every recipe shares: messages, the manifest, and archives whose bytes depend on nothing but their content.
# shellcheck shell=bash

# One fixed moment (2025-01-01 UTC) stands in every archive and file system, so that the same input gives the same bytes.
readonly kEpochSeconds=1735689600

quiet=${quiet:-no}

note() { [[ $quiet == yes ]] || printf 'guests: %s\n' "$*" >&2; }
die() {
  printf 'guests: error: %s\n' "$*" >&2
  exit 1
}
usage_error() {
  printf 'guests: error: %s; see guests/build --help\n' "$*" >&2
  exit 2
}

absolute_folder() {
  mkdir -p "$1" 2>/dev/null || die "cannot make the folder $1; choose another with --cache or LOCKSTEP_CACHE"
  (cd "$1" && pwd)
}

# need_tool TOOL PACKAGE: ends with the package to install when TOOL is missing.
need_tool() {
  command -v "$1" >/dev/null 2>&1 || PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 ||
    die "$1 is missing; install it with: apt-get install $2"
}

sha256_of() { sha256sum "$1" | cut -d' ' -f1; }

# recipe_digest FILE...: changes when a recipe or one of its inputs changes, and makes the cached payloads stale.
recipe_digest() { cat "$@" | sha256sum | cut -d' ' -f1; }

# compile_guests OUT GUEST WHAT SOURCE INPUT...: runs the makefile of SOURCE, with what is in the INPUT folders, into a
# work folder of its own inside OUT. Sets the caller's `work` to that folder and `digest` to what the payloads come from.
# False when those of OUT come from the same and none has changed.
compile_guests() {
  local out=$1 guest=$2 what=$3 source=$4 compiler=${CROSS:-riscv64-linux-gnu-}gcc
  need_tool "$compiler" gcc-riscv64-linux-gnu
  need_tool make make
  need_tool cc gcc
  # Other compilers make other bytes, so their versions are part of what the payloads came from.
  digest=$(
    {
      "$compiler" --version
      cc --version
      LC_ALL=C find "${@:4}" -type f -print0 | LC_ALL=C sort -z | xargs -0 cat
    } | sha256sum | cut -d' ' -f1
  )
  if [[ $rebuild == no ]] && manifest_current "$out" "$digest"; then
    note "$guest: up to date in $out"
    return 1
  fi
  note "compiling $what"
  work=$(mktemp -d "$out/.work.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  make --silent --no-print-directory -j"$(nproc)" -C "$source" OUT="$work" >&2 || die "$what do not compile"
}

# The manifest is written with one payload a line, so that shell can read it back without a JSON parser.
# manifest_write DIR GUEST DIGEST: reads "payload NAME FILE KIND HARTS" and "package NAME VERSION SHA256" lines on stdin.
# KIND says what the payload is for; HARTS is how many harts it wants to show all it can (it also runs with fewer).
manifest_write() {
  local dir=$1 guest=$2 digest=$3 kind first second third fourth comma
  local payloads=() packages=()
  while read -r kind first second third fourth; do
    case $kind in
      payload) payloads+=("\"$first\": {\"path\": \"$dir/$second\", \"kind\": \"$third\", \"harts\": $fourth, \"size_bytes\": $(stat -c %s "$dir/$second"), \"sha256\": \"$(sha256_of "$dir/$second")\"}") ;;
      package) packages+=("\"$first\": {\"version\": \"$second\", \"sha256\": \"$third\"}") ;;
    esac
  done
  {
    printf '{\n"guest": "%s",\n"recipe_sha256": "%s",\n"packages": {\n' "$guest" "$digest"
    for ((i = 0; i < ${#packages[@]}; i++)); do
      comma=,
      ((i + 1 < ${#packages[@]})) || comma=
      printf '%s%s\n' "${packages[i]}" "$comma"
    done
    printf '},\n"payloads": {\n'
    for ((i = 0; i < ${#payloads[@]}; i++)); do
      comma=,
      ((i + 1 < ${#payloads[@]})) || comma=
      printf '%s%s\n' "${payloads[i]}" "$comma"
    done
    printf '}\n}\n'
  } >"$dir/manifest.json.new"
  mv "$dir/manifest.json.new" "$dir/manifest.json"
}

# manifest_paths DIR: prints "name<TAB>path" of every payload.
manifest_paths() { sed -n 's/^"\([^"]*\)": {"path": "\([^"]*\)", .*/\1\t\2/p' "$1/manifest.json"; }

# manifest_current DIR DIGEST: true when the payloads of DIR came from this recipe and none has changed since.
manifest_current() {
  local dir=$1 digest=$2
  [[ -f $dir/manifest.json ]] || return 1
  grep -qF "\"recipe_sha256\": \"$digest\"" "$dir/manifest.json" || return 1
  # A folder that was moved or copied has stale paths, and is made again from the packages it holds.
  grep -qF "\"path\": \"$dir/" "$dir/manifest.json" || return 1
  sed -n 's/^"[^"]*": {"path": "\([^"]*\)", .*"sha256": "\([0-9a-f]*\)"}.*/\2  \1/p' "$dir/manifest.json" |
    sha256sum --check --status --strict 2>/dev/null
}

# make_cpio ROOT FILE: a newc archive of ROOT with sorted names, root ownership, fixed times and renumbered inodes.
make_cpio() {
  find "$1" -exec touch -h -d "@$kEpochSeconds" {} +
  (cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
    cpio --quiet --null --create --format=newc --reproducible --owner=0:0) >"$2"
}
