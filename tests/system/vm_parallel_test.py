#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Harts on threads of the host: the memory order that guests see, every guest for several harts, Debian's boot, and what
cannot be had with it."""

import re
import sys

from guest_case import SHORT_CHECKS, check, check_passed, main, readable

ENGINES = ("interpreter", "jit", "jit:tier=1", "jit:threshold=1")


def litmus(context, engine, smp, *options):
    run = context.run("vm", "run", "--engine", engine, "--smp", smp, "--bios", "none", "--kernel",
                      context.bare_guests()["litmus"], "--append", f"batches={context.options.batches}", *options)
    check_passed(run, f"litmus on {engine}, {smp} harts {' '.join(options)}")
    text = readable(run.stdout)
    programs = re.findall(r"^  (\S+): .*; (\d+) of (\d+) relaxed, (\d+) forbidden$", text, re.MULTILINE)
    check(len(programs) == {1: 0, 2: 22, 3: 23, 4: 25}[smp], f"{len(programs)} litmus programs ran")
    relaxed = ", ".join(f"{name} {times} of {total}" for name, times, total, _ in programs if times != "0")
    print(f"    {engine}, {smp} harts {' '.join(options)}: relaxed outcomes: {relaxed or 'none'}", flush=True)
    check(all(forbidden == "0" for *_, forbidden in programs), text)
    return programs


def memory_order(context):
    for engine in ENGINES:
        for smp in (2, 4):
            litmus(context, engine, smp, "--parallel")


def harts_that_take_turns_have_one_order(context):
    """In turns, accesses come in the order of some sequence of the harts' instructions."""
    for engine in ("interpreter", "jit"):
        for name, times, *_ in litmus(context, engine, 4):
            check(times == "0", f"{name} shows what no sequence gives")


def every_guest_for_harts(context):
    guests = context.bare_guests()
    for engine in ENGINES:
        for name in ("smp", "selfmod", "timer", "plic", "atomics", "paging"):
            run = context.run("vm", "run", "--engine", engine, "--smp", 4, "--parallel", "--bios", "none", "--kernel", guests[name])
            check_passed(run, f"{name} on {engine}")


def results_say_so(context):
    kernel = context.bare_guests()["hello"]
    for options, parallel, deterministic in ((("--smp", 2, "--parallel"), True, False), (("--smp", 2), False, True),
                                             (("--smp", 1, "--parallel"), True, True)):
        run = context.run("vm", "run", "--json", "--bios", "none", "--kernel", kernel, *options)
        check_passed(run, str(options))
        check(run.result["options"]["parallel"] is parallel, f"{options}: options.parallel")
        check(run.result["deterministic"] is deterministic, f"{options}: deterministic")


def limits_hold(context):
    kernel = context.bare_guests()["smp"]
    run = context.run("vm", "run", "--json", "--bios", "none", "--kernel", kernel, "--smp", 2, "--parallel", "--max-instructions",
                      200001)
    check(run.status == 124, f"the limit ends with {run.status}")
    seen = run.result["instructions"]
    check(200001 <= seen <= 200003, f"the limit was 200001 over two harts, and {seen} were begun")


def what_needs_runs_to_be_the_same_is_refused(context):
    kernel = context.bare_guests()["hello"]
    log = context.folder / "input.log"
    log.write_text("")
    for options in (("--lockstep", "interpreter,jit"), ("--replay-input", log), ("--trace", "exec"),
                    ("--code-cache", context.folder / "code", "--engine", "jit"),
                    ("--jit-log", context.folder / "installs", "--engine", "jit"), ("--jit-replay", log, "--engine", "jit")):
        run = context.run("vm", "run", "--bios", "none", "--kernel", kernel, "--smp", 2, "--parallel", *options)
        check(run.status == 2 and b"--parallel and " + options[0].encode() in run.stderr, f"{options}: {run.status}, {run.stderr!r}")


def snapshots_between_rounds(context):
    """A snapshot of harts beside one another is one like any other: harts that take turns go on from it."""
    snapshot = context.folder / "snapshot"
    kernel = context.bare_guests()["smp"]
    run = context.run("vm", "snapshot", "--bios", "none", "--kernel", kernel, "--smp", 4, "--parallel", "--engine", "jit", "--at",
                      20000, "--output", snapshot)
    check_passed(run, "snapshot")
    for options in ((), ("--parallel",)):
        check_passed(context.run("vm", "restore", snapshot, "--engine", "jit", *options), f"restore {options}")


def debian(context):
    words = f"lockstep.checks={SHORT_CHECKS}"
    for smp in (2, 4):
        for number in range(context.options.boots):
            drive = f"file={context.copy_of_disk('disk.img')}"
            run = context.run("vm", "run", "--json", *context.debian(words, drive=drive, net=True, smp=smp), "--parallel",
                              "--engine", "jit")
            check_passed(run, f"boot {number + 1} on {smp} harts")
            check(b"CHECK net PASS" in run.stderr and b"CHECK block PASS" in run.stderr, "network and drive were not checked")
            print(f"    boot {number + 1} on {smp} harts: {run.result['wall_seconds']:.1f} s", flush=True)


def add_options(parser):
    parser.add_argument("--batches", type=int, default=20, help="of 256 cells for each litmus program (default: %(default)s)")
    parser.add_argument("--boots", type=int, default=1, help="of Debian on two and on four harts (default: %(default)s)")


if __name__ == "__main__":
    sys.exit(main(__doc__, [memory_order, harts_that_take_turns_have_one_order, every_guest_for_harts, results_say_so, limits_hold,
                            what_needs_runs_to_be_the_same_is_refused, snapshots_between_rounds, debian], add_options))
