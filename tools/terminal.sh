# SPDX-License-Identifier: Apache-2.0
# How ./run, ./test and tools/bootstrap speak: steps, notes, failures, and a spinner for what takes longer than two
# seconds. Colour only on a terminal, and never with NO_COLOR or in CI. Sourced, not run.

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${CI:-}" != true ]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
else
  bold='' dim='' red='' green='' yellow='' plain=''
fi

step() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '    %s\n' "$*"; }
good() { printf '    %s%s%s\n' "$green" "$*" "$plain"; }
warn() { printf '    %s%s%s\n' "$yellow" "$*" "$plain" >&2; }

# die STATUS MESSAGE...: each message is one line; the last lines say the way out.
die() {
  local status=$1
  shift
  printf '%serror:%s %s\n' "$red" "$plain" "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit "$status"
}

# value_of OPTION REST...: the value that follows an option, or the end with a message when none does.
value_of() {
  [ $# -ge 2 ] && [ -n "$2" ] || die 2 "$1 takes a value." "${0##*/} --help says which."
  printf '%s' "$2"
}

# elapsed SECONDS_AT_START: "1 min 12 s"
elapsed() {
  local s=$((SECONDS - $1))
  if [ "$s" -ge 60 ]; then printf '%d min %d s' $((s / 60)) $((s % 60)); else printf '%d s' "$s"; fi
}

# quietly LOG WHAT COMMAND...: runs a command with its output in LOG, shows progress while it lasts, and shows the end of
# the log when it fails. On a terminal the progress is one line that renews itself, elsewhere a line each 30 seconds.
# A function progress_of, given the log's name, may print how far the command is.
quietly() {
  local log=$1 what=$2
  shift 2
  mkdir -p "$(dirname "$log")"
  local start=$SECONDS told=$SECONDS far
  "$@" >"$log" 2>&1 </dev/null &
  local child=$!
  # shellcheck disable=SC2064
  trap "kill $child 2>/dev/null; exit 130" INT TERM
  while kill -0 "$child" 2>/dev/null; do
    sleep 0.2
    [ $((SECONDS - start)) -ge 2 ] || continue
    far=''
    if declare -F progress_of >/dev/null; then far=$(progress_of "$log"); fi
    if [ -n "$bold" ]; then
      printf '\r\e[K    %s ... %s %s(%s)%s' "$what" "$far" "$dim" "$(elapsed "$start")" "$plain"
    elif [ $((SECONDS - told)) -ge 30 ]; then
      told=$SECONDS
      say "$what ... $far ($(elapsed "$start"))"
    fi
  done
  [ -z "$bold" ] || printf '\r\e[K'
  trap - INT TERM
  local status=0
  wait "$child" || status=$?
  if [ "$status" -ne 0 ]; then
    printf '%s%s failed (exit %d). The end of %s:%s\n' "$red" "$what" "$status" "$log" "$plain" >&2
    tail -n "${QUIETLY_TAIL:-25}" "$log" | sed 's/^/    | /' >&2
  fi
  return "$status"
}
