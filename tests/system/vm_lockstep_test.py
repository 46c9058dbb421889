#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`vm run --lockstep`: engines that agree run to the same end as one alone, and one that is wrong on purpose is caught
and brought down to the instruction at which it goes wrong."""

import argparse
import os
import shlex
import subprocess
import sys

from guest_case import SHORT_CHECKS, Context, check, check_same, main

# Of the guest `integer`, in the middle of a turn.
WRONG_AT = 123457
GRAINS = ("instruction", "block", "quantum")


def compared(context, engines, *arguments, restored=None, program=None, wrong_at=None):
    """A comparison's run, of a machine or from a snapshot."""
    environment = dict(os.environ, TMPDIR=str(context.folder))
    if wrong_at is not None:
        environment["LOCKSTEP_BROKEN_AT"] = str(wrong_at)
    command = ["vm", "run"] if restored is None else ["vm", "restore", restored]
    context = Context(context.options, context.folder) if program is None else Context(
        argparse.Namespace(**{**vars(context.options), "lockstep": program}), context.folder)
    run = context.run(*command, "--json", "--lockstep", engines, *arguments, env=environment, cwd=context.folder)
    check(run.status in (0, 1), f"{engines} {arguments} ended with {run.status}: {run.stderr[-600:]!r}")
    check(run.result["lockstep"]["equal"] == (run.status == 0), "the exit status and the JSON disagree")
    return run


def agree(context, engines, *arguments, **keywords):
    run = compared(context, engines, *arguments, **keywords)
    check(run.status == 0, f"{engines} {arguments}: {run.stderr[-3000:].decode(errors='replace')}")
    return run


def difference(context, fault, *arguments, over="jit", wrong_at=WRONG_AT):
    """What is found of a fault of the broken engine."""
    run = compared(context, f"interpreter,broken:over={over}:fault={fault}", *arguments, program=context.options.broken,
                   wrong_at=wrong_at)
    check(run.status == 1, f"{fault} over {over} was not caught: {run.stderr[-600:]!r}")
    found = run.result["lockstep"]["difference"]
    check(found["found"], f"{fault} over {over} was not found again: {run.stderr[-600:]!r}")
    return found


def exactly(found, at=WRONG_AT):
    check((found["last_equal"], found["instruction"]) == (at - 1, at),
          f"narrowed to {found['last_equal']}..{found['instruction']}, not to {at}")


def every_grain(context):
    guests = context.bare_guests()
    for name in ("float", "selfmod", "traps", "paging", "timer"):
        for grain in GRAINS:
            agree(context, "interpreter,jit", "--kernel", guests[name], "--lockstep-grain", grain)


def every_engine_of_the_program(context):
    kernel = context.bare_guests()["compressed"]
    for engines in ("interpreter,interpreter:fusion=off:block-links=off", "jit:links=off,jit", "jit:cache=1M,interpreter",
                    "interpreter,jit:tier=1", "interpreter,jit:threshold=1"):
        agree(context, engines, "--kernel", kernel)


def cutting_changes_nothing(context):
    """The windows are of no consequence to the guest."""
    kernel = context.bare_guests()["smp"]
    for options in (("--smp", 4), ("--smp", 4, "--quantum", "61ns"), ("--smp", 4, "--quantum", "100us")):
        alone = context.run("vm", "run", "--json", "--kernel", kernel, *options)
        for grain in GRAINS:
            both = agree(context, "interpreter,jit", "--kernel", kernel, *options, "--lockstep-grain", grain)
            check_same(alone.observables, both.observables, f"a run alone and one at grain {grain} with {options}")


def a_register(context):
    kernel = context.bare_guests()["integer"]
    for over in ("interpreter", "jit"):
        for grain in GRAINS:
            found = difference(context, "register", "--kernel", kernel, "--lockstep-grain", grain, over=over)
            exactly(found)
            check([r["name"] for r in found["registers"]] == ["x10"], f"registers: {found['registers']}")
            first, second = (int(value, 16) for value in found["registers"][0]["after"])
            check(first ^ second == 0x20, f"values: {found['registers']}")
            check(len(found["code"]) == 1 and found["code"][0]["pc"] == found["pc"], f"code: {found['code']}")
            check(f"block {found['pc']}" in found["ir"], f"IR: {found['ir']}")
            check("wrong on purpose" in found["host_code"][1], f"host code: {found['host_code']}")


def a_register_of_three_harts(context):
    """Each hart goes wrong at its own count; what is found is the first that did."""
    kernel = context.bare_guests()["smp"]
    found = difference(context, "register", "--kernel", kernel, "--smp", 3, wrong_at=12345)
    check(found["instruction"] == found["last_equal"] + 1, f"narrowed to {found['last_equal']}..{found['instruction']}")
    check({(r["hart"], r["name"]) for r in found["registers"]} == {(found["hart"], "x10")}, f"{found['registers']}")


def what_only_a_whole_block_shows(context):
    """The fault of a translation: gone when the block is entered behind its beginning or left before its end."""
    kernel = context.bare_guests()["integer"]
    for grain in ("block", "quantum"):
        found = difference(context, "block", "--kernel", kernel, "--lockstep-grain", grain)
        check((found["last_equal"], found["instruction"]) == (WRONG_AT - 6, WRONG_AT), f"narrowed to {found}")
        check(len(found["code"]) == 6, f"code: {found['code']}")
    run = compared(context, "interpreter,broken:fault=block", "--kernel", kernel, "--lockstep-grain", "instruction",
                   program=context.options.broken, wrong_at=WRONG_AT)
    check(run.status == 0, "instructions one by one are no block")


def memory_and_tlb(context):
    """Nothing in the state tells: they are seen at a checkpoint, and found from the one before it."""
    kernel = context.bare_guests()["integer"]
    for more in ((), ("--lockstep-check", 1000000)):
        found = difference(context, "memory", "--kernel", kernel, "--memory", "64M", *more)
        exactly(found)
        check(found["memory_pages"] == 1 and not found["registers"], f"{found['memory']} {found['registers']}")
        check([m["address"] for m in found["memory"]] == [hex(0x84000000 - 8)], f"memory: {found['memory']}")
        found = difference(context, "tlb", "--kernel", kernel, *more)
        exactly(found)
        check(found["tlb_differs"] and not found["registers"] and not found["memory_pages"], f"{found}")


def a_late_checkpoint(context):
    """Far from the beginning, from a copy that has much translated code, all of it used again."""
    kernel = context.bare_guests()["integer"]
    for over in ("interpreter", "jit"):
        for fault in ("memory", "register"):
            exactly(difference(context, fault, "--kernel", kernel, "--lockstep-check", 1000000, over=over,
                               wrong_at=5678901), 5678901)


def from_snapshots(context):
    """What is seen late is brought close by runs from snapshots, each with closer ones."""
    kernel = context.bare_guests()["integer"]
    for fault in ("memory", "register", "count"):
        found = difference(context, fault, "--kernel", kernel, "--lockstep-check", 2000000, wrong_at=5678901)
        exactly(found, 5678901)
        again = found["again"]
        check([step["check_every"] for step in again] == [125000, 100000, 100000], f"{again}")
        check(all(step["snapshot"] and step["differs"] and 4000000 <= step["from"] < 5678901 for step in again), f"{again}")
        check([step["from"] for step in again] == sorted(step["from"] for step in again), f"{again}")
        check(5678901 - again[-1]["from"] <= 200000, f"{again}")
        snapshot = found["snapshot"]
        check(snapshot["shown"] and again[-1]["from"] <= snapshot["at"] < 5678901, f"snapshot: {snapshot}")
    check(not any(context.folder.glob("lockstep-compare-*")), "snapshots on the way are left behind")


def what_was_left_behind(context):
    """A comparison that is killed leaves its folder, and the next one takes it away."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    (context.folder / f"lockstep-compare-{ended.pid}-abcdef").mkdir()
    running = context.folder / f"lockstep-compare-{os.getpid()}-abcdef"
    running.mkdir()
    agree(context, "interpreter,jit", "--kernel", context.bare_guests()["hello"])
    check(list(context.folder.glob("lockstep-compare-*")) == [running], f"{list(context.folder.iterdir())}")


def the_instruction_count(context):
    """One instruction too many is counted: everything else is as it should be."""
    found = difference(context, "count", "--kernel", context.bare_guests()["integer"])
    exactly(found)
    check({r["name"] for r in found["registers"]} == {"instruction count"}, f"registers: {found['registers']}")


def what_needs_the_whole_run(context):
    """An engine that goes wrong because of what it did long before: no snapshot shows it, and the beginning does."""
    kernel = context.bare_guests()["integer"]
    found = difference(context, "history", "--kernel", kernel, "--lockstep-check", 1000000, wrong_at=5678901)
    exactly(found, 5678901)
    check([(step["from"], step["differs"]) for step in found["again"]][-1] == (0, True), f"{found['again']}")
    check(not found["again"][0]["differs"] and found["again"][0]["snapshot"], f"{found['again']}")
    check(not found["snapshot"]["shown"], f"{found['snapshot']}")


def a_crash(context):
    found = difference(context, "crash", "--kernel", context.bare_guests()["integer"])
    exactly(found)
    check("signal 11" in found["died"], f"died: {found['died']!r}")


def the_reproducer(context):
    """The snapshot is from before, and the command that is printed finds the same instruction."""
    kernel = context.bare_guests()["integer"]
    snapshot = difference(context, "register", "--kernel", kernel)["snapshot"]
    check(snapshot["shown"] and snapshot["at"] < WRONG_AT, f"snapshot: {snapshot}")
    words = shlex.split(snapshot["command"])
    check(words[:3] == ["lockstep", "vm", "restore"], f"command: {snapshot['command']}")
    file, engines = words[3], words[words.index("--lockstep") + 1]
    rest = words[words.index("--lockstep") + 2:]
    again = compared(context, engines, *rest, restored=file, program=context.options.broken, wrong_at=WRONG_AT)
    check(again.status == 1, "the command does not show the difference")
    exactly(again.result["lockstep"]["difference"])
    found = difference(context, "register", "--kernel", kernel, "--lockstep-save", "none")
    check(found["snapshot"]["file"] == "", f"snapshot: {found['snapshot']}")


def from_a_snapshot(context):
    kernel = context.bare_guests()["integer"]
    whole = context.run("vm", "run", "--json", "--kernel", kernel)
    file = context.folder / "half.snapshot"
    made = context.run("vm", "snapshot", "--json", "--kernel", kernel, "--at", 3000000, "--output", file)
    check(made.status == 0, f"snapshot ended with {made.status}")
    run = agree(context, "interpreter,jit", restored=file)
    check_same(whole.observables, run.observables, "a whole run and a comparison from a snapshot")


def a_boot_with_drive_and_network(context):
    """Debian on two harts. Both machines write to the drive, and its file stays as it was."""
    disk = context.copy_of_disk("disk.img")
    before = disk.read_bytes()
    arguments = context.debian(f"lockstep.checks={SHORT_CHECKS}", drive=f"file={disk}", net=True, smp=2)
    run = agree(context, "interpreter,jit", *arguments)
    check(b"CHECK block PASS" in run.stderr and b"CHECK net PASS" in run.stderr, "drive and network were not used")
    check(run.stderr.count(b"CHECK block PASS") == 1, "both consoles were shown")
    check(disk.read_bytes() == before, "the disk was written")


def mistakes(context):
    kernel = context.bare_guests()["hello"]
    for words, said in (
            (("--lockstep", "interpreter"), "two engines"),
            (("--lockstep", "interpreter,jit,jit"), "two engines"),
            (("--lockstep", "interpreter,jti"), "jit"),
            (("--lockstep", "interpreter,jit:threads=1"), "threads"),
            (("--lockstep", "interpreter,jit", "--engine", "jit"), "--engine"),
            (("--lockstep", "interpreter,jit", "--gdb", ":0"), "--gdb"),
            (("--lockstep", "interpreter,jit", "--code-cache", "kept"), "--code-cache"),
            (("--lockstep", "interpreter,jit", "--jit-log", "log"), "--jit-log"),
            (("--lockstep", "interpreter,jit", "--jit-replay", "log"), "--jit-replay"),
            (("--lockstep", "interpreter,jit", "--lockstep-grain", "page"), "block"),
            (("--lockstep", "interpreter,jit", "--lockstep-check", "5"), "--lockstep-check"),
            (("--lockstep-grain", "block"), "--lockstep"),
            (("--lockstep", "interpreter,jit", "--memory", "0"), "--memory")):
        run = context.run("vm", "run", "--kernel", kernel, *words)
        check(run.status == 2, f"{words} ended with {run.status}")
        check(said in run.stderr.decode(), f"{words} says {run.stderr!r}")
    run = context.run("vm", "run", "--kernel", "/nowhere", "--lockstep", "interpreter,jit")
    check(run.status == 2 and b"/nowhere" in run.stderr, f"{run.status}: {run.stderr!r}")
    check(run.stderr.count(b"/nowhere") == 1, f"said twice: {run.stderr!r}")


def add_options(parser):
    parser.add_argument("--broken", required=True, help="the program with an engine that is wrong on purpose")


if __name__ == "__main__":
    sys.exit(main(__doc__, [every_grain, every_engine_of_the_program, cutting_changes_nothing, a_register,
                            a_register_of_three_harts, what_only_a_whole_block_shows, memory_and_tlb,
                            a_late_checkpoint, from_snapshots, what_was_left_behind, the_instruction_count, what_needs_the_whole_run, a_crash, the_reproducer, from_a_snapshot, a_boot_with_drive_and_network,
                            mistakes], add_options))
