#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each mode of bench/run in its smallest slice, on the real emulators: every row is there, the results of both agree (the
program ends badly where they do not), and every time is one. What the times are is not tested."""

import json
import subprocess
import sys

from guest_case import ROOT, RUN_TIMEOUT_S, check, main, need_tool

COLD_INSTRUCTIONS = (9500000, 10500000)


def measure(context, *arguments):
    need_tool("qemu-system-riscv64")
    need_tool("riscv64-linux-gnu-gcc")
    done = subprocess.run([ROOT / "bench/run", "--json", "--quick", "--lockstep", context.lockstep, *arguments],
                          capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL)
    check(done.returncode == 0, f"bench/run {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-1500:]}")
    return json.loads(done.stdout)


def check_rows(result, labels, programs):
    check([row["label"] for row in result["rows"]] == labels, f"rows {[row['label'] for row in result['rows']]}, not {labels}")
    for row in result["rows"]:
        check(sorted(row["programs"]) == sorted(programs), f"{row['label']}: {list(row['programs'])}")
        for key, program in row["programs"].items():
            check(program["wall_seconds"] > 0, f"{row['label']} on {key}: {program}")
        check(row["qemu_over"]["jit"]["wall_seconds"] > 0, f"{row['label']}: no ratio")


def kernels(context):
    context.benchmark_kernels()
    result = measure(context, "--only", "^(fib|nbody)$")
    check_rows(result, ["fib", "nbody"], ["jit", "qemu", "native"])
    check(set(result["geometric_means"]) == {"all"}, f"{result['geometric_means']}")


def watched_kernels(context):
    context.benchmark_kernels()
    result = measure(context, "--only", "^fib$", "--observe", "coverage,memory", "--no-native")
    check_rows(result, ["fib"], ["jit", "jit+coverage", "jit+memory", "qemu"])
    check(set(result["rows"][0]["over_plain"]) == {"jit+coverage", "jit+memory"}, f"{result['rows'][0]['over_plain']}")


def kernels_in_debian(context):
    context.payloads()
    result = measure(context, "--guest", "--only", "/fib$")
    check_rows(result, ["alone/fib", "four/fib"], ["jit", "qemu"])
    for key, paging in result["paging"].items():
        check(paging in ("sv39", "sv48", "sv57"), f"{key}: {paging}")


def debian_itself(context):
    context.payloads()
    result = measure(context, "--system")
    check_rows(result, ["boot_kernel", "boot", "boot_to_power_off", "fork_exec", "shell_loop", "md5sum"], ["jit", "qemu"])


def short_guests(context):
    context.benchmark_kernels()
    result = measure(context, "--cold", "--only", "wide_code", "--pin")
    check_rows(result, ["wide_code"], ["jit", "interpreter", "qemu"])
    (row,) = result["rows"]
    low, high = COLD_INSTRUCTIONS
    check(low <= row["instructions"] <= high, f"{row['instructions']} instructions")


if __name__ == "__main__":
    sys.exit(main(__doc__, [kernels, watched_kernels, kernels_in_debian, debian_itself, short_guests]))
