#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A profile names the guest's hot code and leaves the run as it is; generated code has names for perf."""

import pathlib
import re
import sys

from guest_case import check, check_same, main

COUNT = 300000000


def kernel(context):
    return ("--kernel", context.bare_guests()["integer"])


def a_profile_says_where_time_went(context):
    guest = context.benchmark_kernels()["sieve"]
    plain = context.run("vm", "run", "--json", "--kernel", guest, "--engine", "jit", "--max-instructions", COUNT)
    profiled = context.run("vm", "run", "--json", "--kernel", guest, "--engine", "jit", "--max-instructions", COUNT,
                           "--profile")
    check_same(plain.observables, profiled.observables, "a run and one with a profile")
    profile = profiled.result["profile"]
    counters = profile["counters"]
    check(counters["regions_translated"] > 0, f"no regions: {counters}")
    check(counters["entries"] == sum(n for name, n in counters.items() if name.startswith("exits_")),
          f"every entry into generated code ends in one way out: {counters}")
    inside = sum(code["samples"] for code in profile["hot"])
    check(inside <= profile["samples"], "no more samples inside of code than in all")
    check(profile["samples"] == 0 or any(code["symbol"] for code in profile["hot"]), f"no symbol: {profile['hot'][:3]}")


def the_text_is_a_table(context):
    run = context.run("vm", "run", *kernel(context), "--engine", "jit", "--profile")
    text = run.stderr.decode()
    check("profile:" in text and "counters:" in text, text[-500:])
    check("outside of translated code" in text, text[-500:])


def the_interpreter_says_that_it_has_none(context):
    run = context.run("vm", "run", *kernel(context), "--engine", "interpreter", "--profile")
    check(run.status == 0 and b"--engine jit does" in run.stderr, run.stderr[-300:].decode())


def perf_finds_names(context):
    before = set(pathlib.Path("/tmp").glob("perf-*.map"))
    run = context.run("vm", "run", *kernel(context), "--engine", "jit:threshold=16:threads=0", "--perf-map")
    check(run.status == 0, run.stderr[-300:].decode())
    made = set(pathlib.Path("/tmp").glob("perf-*.map")) - before
    lines = [line for path in made for line in path.read_text().splitlines()]
    for path in made:
        path.unlink()
    check(any(re.match(r"[0-9a-f]+ [0-9a-f]+ \w.*\[guest 0x[0-9a-f]+, tier 2\]$", line) for line in lines),
          f"no region among {len(lines)} lines: {lines[:3]}")


def symbols_must_be_some(context):
    run = context.run("vm", "run", *kernel(context), "--engine", "jit", "--profile", "--symbols", __file__)
    check(run.status == 2 and b"no symbols" in run.stderr, run.stderr[-300:].decode())


if __name__ == "__main__":
    sys.exit(main(__doc__, [a_profile_says_where_time_went, the_text_is_a_table, the_interpreter_says_that_it_has_none,
                            perf_finds_names, symbols_must_be_some]))
