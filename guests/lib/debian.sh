# SPDX-License-Identifier: Apache-2.0
# Fetches Debian packages of another release and architecture through apt, with a state folder of its own: the
# machine's package lists, sources and trust are read but never changed.
# shellcheck shell=bash

readonly kDebianKeyring=/usr/share/keyrings/debian-archive-keyring.gpg
# A mirror that answers nothing for this long is taken as unreachable; apt tries each file this often again.
readonly kAptTimeoutSeconds=20
readonly kAptRetries=2

# debian_mirror SUITE: prints the address of the Debian archive that this machine's own apt uses. Both forms of source
# lists are understood, because apt itself is asked: first for its package lists, whose origin is known; and where it
# has none yet, for what it would fetch, where the name of a Debian release tells.
debian_mirror() {
  local suite=$1 found
  if [[ -n ${LOCKSTEP_DEBIAN_MIRROR:-} ]]; then
    printf '%s\n' "$LOCKSTEP_DEBIAN_MIRROR"
    return
  fi
  # shellcheck disable=SC2016 # apt fills these in, not the shell.
  found=$(apt-get indextargets --format '$(ORIGIN)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk -F'|' '$1 == "Debian" && $3 == "main" { print $2, $4 }' | debian_preferred "$suite")
  [[ -n $found ]] || found=$(apt-get --print-uris update 2>/dev/null |
    sed -n "s|^'\(.*/\)dists/\([^/]*\)/main/binary-[^/]*/Packages.*|\2 \1|p" |
    grep -E '^(bullseye|bookworm|trixie|forky|duke|sid|stable|oldstable|testing|unstable)(-updates)? ' | debian_preferred "$suite")
  [[ -n $found ]] || die "this machine's apt names no Debian archive; set LOCKSTEP_DEBIAN_MIRROR to the address of one"
  printf '%s\n' "$found"
}

# debian_preferred SUITE: of "release address" lines, the address that has SUITE, else the first. Security archives
# hold only what was corrected.
debian_preferred() {
  awk -v suite="$1" '
    $1 ~ /-security|\// { next }
    $1 == suite && exact == "" { exact = $2 }
    first == "" { first = $2 }
    END { if (exact != "") print exact; else if (first != "") print first }'
}

# debian_open STATE_DIR SUITE ARCH: makes the apt state folder; debian_apt and debian_cache then use it.
debian_open() {
  local state=$1 suite=$2 arch=$3 mirror
  need_tool apt-get apt
  [[ -r $kDebianKeyring ]] || die "$kDebianKeyring is missing; install it with: apt-get install debian-archive-keyring"
  mirror=$(debian_mirror "$suite") || exit 1
  mkdir -p "$state"/{lists/partial,cache/archives/partial}
  : >"$state/status"
  printf 'deb [arch=%s signed-by=%s] %s %s main\n' "$arch" "$kDebianKeyring" "$mirror" "$suite" >"$state/sources.list"
  # This file is read after the machine's own configuration, so its proxies hold and its hooks do not run.
  cat >"$state/apt.conf" <<EOF
#clear APT::Architectures;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg;
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "$(id -un)";
APT::Get::AllowUnauthenticated "false";
APT::Default-Release "";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::Languages "none";
Acquire::Retries "$kAptRetries";
Acquire::http::Timeout "$kAptTimeoutSeconds";
Acquire::https::Timeout "$kAptTimeoutSeconds";
Dir::Etc::sourcelist "$state/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$state";
Dir::State::Lists "$state/lists";
Dir::State::status "$state/status";
Dir::State::extended_states "$state/extended_states";
Dir::Cache "$state/cache";
Dir::Cache::archives "$state/cache/archives";
EOF
  debian_state=$state
  debian_mirror_in_use=$mirror
}

debian_apt() { apt-get -c="$debian_state/apt.conf" -qq "$@"; }
debian_cache() { apt-cache -c="$debian_state/apt.conf" "$@"; }

# debian_update: reads the package lists; apt verifies their signature.
debian_update() {
  local log=$debian_state/update.log
  if ! debian_apt --error-on=any update >"$log" 2>&1; then
    sed 's/^/  /' "$log" >&2
    return 1
  fi
}

# debian_candidate PACKAGE: the version that apt would install, or nothing.
debian_candidate() {
  debian_cache policy "$1" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# debian_dependency PACKAGE PATTERN: the first dependency of PACKAGE whose name matches PATTERN.
debian_dependency() {
  debian_cache depends --important "$1" | awk -v pattern="$2" '$1 == "Depends:" && $2 ~ pattern { print $2; exit }'
}

# debian_download DIR PACKAGE VERSION: leaves the package as DIR/PACKAGE.deb, checked by apt against the signed lists.
debian_download() {
  local dir=$1 package=$2 version=$3 work
  work=$(mktemp -d "$dir/.download.XXXXXX")
  if ! (cd "$work" && debian_apt download "$package=$version" >"$debian_state/download.log" 2>&1); then
    sed 's/^/  /' "$debian_state/download.log" >&2
    rm -rf "$work"
    return 1
  fi
  mv "$work"/*.deb "$dir/$package.deb"
  rmdir "$work"
}

# deb_extract FILE.deb DIR PATTERN...: unpacks the members that match (tar wildcards, without the leading "./").
deb_extract() {
  local deb=$1 dir=$2
  shift 2
  mkdir -p "$dir"
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --no-same-owner --wildcards "${@/#/./}"
}
