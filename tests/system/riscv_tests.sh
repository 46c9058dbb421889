#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a folder of riscv-tests that somebody built before, and prints how many pass of each suite and environment.
set -euo pipefail

# A test of these suites ends after some thousand instructions; one that has not by then never does.
readonly kMaxInstructions=20000000
readonly kTimeoutSeconds=60

usage() {
  cat <<'EOF'
Usage: tests/system/riscv_tests.sh DIR [LOCKSTEP] [--only PATTERN] [--jobs N] [-- VM_OPTION...]

Runs every ELF of riscv-tests in DIR (names such as rv64ui-p-add, as their own
makefile gives them) with `lockstep vm run --bios none --kernel ELF`, and prints
passed/total for each suite and environment. LOCKSTEP is the program to run
(default: build/release/lockstep). What follows -- goes to every run.

Exit status: 0 all passed, 1 some failed, 2 bad usage, 77 nothing to run.
EOF
}

dir=
lockstep=build/release/lockstep
only='*'
jobs=$(nproc)
options=()
position=0
while (($#)); do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --only)
      only=${2:?--only needs a pattern}
      shift
      ;;
    --jobs)
      jobs=${2:?--jobs needs a number}
      shift
      ;;
    --)
      shift
      options=("$@")
      break
      ;;
    -*)
      echo "riscv_tests: unknown option '$1'; see --help" >&2
      exit 2
      ;;
    *)
      case $((position++)) in
        0) dir=$1 ;;
        1) lockstep=$1 ;;
        *)
          echo "riscv_tests: too many arguments; see --help" >&2
          exit 2
          ;;
      esac
      ;;
  esac
  shift
done

if [[ -z $dir || ! -d $dir ]]; then
  echo "SKIP: no folder of prebuilt riscv-tests${dir:+ at $dir}; build them outside the tree and name the folder"
  exit 77
fi
command -v "$lockstep" >/dev/null || {
  echo "riscv_tests: $lockstep is not a program; build it, or name it as the second argument" >&2
  exit 2
}

mapfile -t names < <(find "$dir" -maxdepth 1 -type f -name "$only" -printf '%f\n' | grep -E '^rv64[a-z]+-(p|pm|pt|v)-[A-Za-z0-9_.-]+$' |
  grep -vE '\.(dump|hex|out)$' | LC_ALL=C sort)
((${#names[@]})) || {
  echo "SKIP: $dir holds no riscv-tests that match '$only'"
  exit 77
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run_one() {
  local name=$1 status=0
  timeout "$kTimeoutSeconds" "$lockstep" vm run --machine riscv-virt --bios none --kernel "$dir/$name" --memory 128M \
    --max-instructions "$kMaxInstructions" "${options[@]}" </dev/null >"$work/$name.log" 2>&1 || status=$?
  printf '%s %s\n' "$name" "$status" >"$work/$name.status"
}

running=0
for name in "${names[@]}"; do
  run_one "$name" &
  if ((++running >= jobs)); then
    wait -n
    running=$((running - 1))
  fi
done
wait

cat "$work"/*.status | awk '
  { split($1, part, "-"); key = part[1] " " part[2]; total[key]++; if ($2 == 0) passed[key]++; else bad[++count] = $0 }
  END {
    for (i = 1; i <= count; i++) {
      split(bad[i], f, " ")
      why = f[2] == 124 ? "did not end" : f[2] == 2 ? "was refused, or failed check 2" : "failed with status " f[2]
      print "FAIL " f[1] ": " why
    }
    printf "%-10s %-4s %s\n", "suite", "env", "passed/total"
    n = 0
    for (key in total) keys[++n] = key
    for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (keys[j] < keys[i]) { t = keys[i]; keys[i] = keys[j]; keys[j] = t }
    for (i = 1; i <= n; i++) {
      split(keys[i], f, " ")
      printf "%-10s %-4s %d/%d\n", f[1], f[2], passed[keys[i]], total[keys[i]]
      all += total[keys[i]]
      good += passed[keys[i]]
    }
    printf "%-10s %-4s %d/%d\n", "all", "", good, all
    exit good != all
  }'
