#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The interpreter and the JIT leave the same state: on every bare-metal guest, under odd quanta, at any count, across a
snapshot, and on random programs."""

import sys

from guest_case import check, check_same, main

LIMIT = 400000000
# The JIT as it is, one of its tiers alone, and with everything a region after its first execution.
JITS = ("jit", "jit:tier=1", "jit:links=off", "jit:threshold=1:threads=0", "jit:threshold=16", "jit:host=baseline:threshold=16")
RANDOM_INSTRUCTIONS = 3000000


def ended(context, engine, *arguments):
    run = context.run("vm", "run", "--json", "--engine", engine, "--max-instructions", LIMIT, *arguments)
    check(run.status in (0, 124), f"{engine}: {' '.join(map(str, arguments))} ended with {run.status}: {run.stderr[-300:]!r}")
    return run.observables


def agree(context, *arguments):
    first = ended(context, "interpreter", *arguments)
    for engine in JITS:
        check_same(first, ended(context, engine, *arguments), f"interpreter and {engine}, {' '.join(map(str, arguments))}")


def every_bare_guest(context):
    for path in context.bare_guests().values():
        agree(context, "--kernel", path)


def odd_quanta(context):
    """A turn ends in the middle of blocks: the interpreter finishes them."""
    guests = context.bare_guests()
    for quantum in ("7ns", "61ns", "1us"):
        for name in ("float", "selfmod", "traps", "paging"):
            agree(context, "--kernel", guests[name], "--quantum", quantum)


def long_turns_change_nothing(context):
    """Input that the guest never asks for makes every quantum a turn of its own; without it a lone hart's turns are
    long, and end where a timer needs them to."""
    waiting = context.folder / "input"
    waiting.write_bytes(b"never read\n")
    guests = context.bare_guests()
    for name in ("timer", "traps", "paging", "modes", "atomics"):
        for engine in ("interpreter", "jit:threshold=16"):
            check_same(ended(context, engine, "--kernel", guests[name]),
                       ended(context, engine, "--kernel", guests[name], "--input", waiting),
                       f"{name} on {engine} in long turns and in short ones")


def any_count(context):
    integer = context.bare_guests()["integer"]
    for count in (1, 1000, 123457, 3000001):
        stopped = [context.run("vm", "run", "--json", "--kernel", integer, "--engine", engine, "--max-instructions", count)
                   for engine in ("interpreter", "jit")]
        check_same(stopped[0].observables, stopped[1].observables, f"stopped at {count}")


def a_snapshot_goes_on_in_the_other_engine(context):
    kernel = ("--kernel", context.bare_guests()["integer"])
    whole = ended(context, "interpreter", *kernel)
    for maker, heir in (("interpreter", "jit"), ("jit", "interpreter"), ("jit", "jit")):
        file = context.folder / f"{maker}-{heir}.snapshot"
        made = context.run("vm", "snapshot", "--json", *kernel, "--engine", maker, "--at", 2000000, "--output", file)
        check(made.status == 0, f"{maker}: snapshot ended with {made.status}: {made.stderr[-300:]!r}")
        run = context.run("vm", "restore", file, "--json", "--engine", heir)
        check(run.status == 0, f"{heir}: restore ended with {run.status}: {run.stderr[-300:]!r}")
        check_same(whole, run.observables, f"a whole run and one from {maker} to {heir}")


def a_small_code_cache(context):
    """The kernel's boot needs many times one MiB of code: regions are evicted while it runs."""
    arguments = context.debian("earlycon=sbi", smp=2)
    limit = ("--max-instructions", 300000000)
    stopped = [context.run("vm", "run", "--json", *arguments, *limit, "--engine", engine)
               for engine in ("jit", "jit:cache=1M", "jit:cache=1M:links=off", "jit:cache=1M:threshold=100")]
    for run in stopped[1:]:
        check_same(stopped[0].observables, run.observables, "a large code cache and a small one")


def random_programs(context):
    seed = context.options.seed
    for engine in ("jit:tier=1", "jit:threshold=1:threads=0"):
        run = context.run("random", "--engines", f"interpreter,{engine}", "--seed", seed, "--instructions",
                          RANDOM_INSTRUCTIONS)
        check(run.status == 0, f"{engine}, seed {seed}: {run.stdout[-2000:].decode()}")


def add_options(parser):
    parser.add_argument("--seed", type=int, default=1, help="first seed of the random programs")


if __name__ == "__main__":
    sys.exit(main(__doc__, [every_bare_guest, odd_quanta, long_turns_change_nothing, any_count, a_snapshot_goes_on_in_the_other_engine,
                            a_small_code_cache, random_programs], add_options))
