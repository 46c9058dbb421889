#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The bare-metal guest of the SMMU, in every engine, with every part of the SMMU off and on, across snapshots, and beside
itself.

    tests/system/vm_smmu_test.py                    # a few seconds
    tests/system/vm_smmu_test.py --points 100       # more counts at which snapshots are taken; --seed N takes one back
"""

import os
import random
import re
import sys
from pathlib import Path

from guest_case import Skip, check, check_passed, check_same, main

PARTS = ("mmu", "atsu", "tlb", "interrupt")


def arguments(context, *more):
    return ["--kernel", context.bare_guests()["smmu"], "--smmu", "on", "--max-instructions", 100_000_000, *more]


def console(run):
    """With --json it is on stderr."""
    return run.stderr.decode()


def run_guest(context, what, *more):
    run = context.run("vm", "run", "--json", *arguments(context, *more))
    check_passed(run, what)
    text = console(run)
    check("FAIL" not in text and re.search(r"smmu: [1-9]\d* checks, 0 failed", text), f"{what}:\n{text[-2000:]}")
    return run


def engines_agree(context):
    first = run_guest(context, "interpreter")
    for options in (["--fusion", "off", "--block-links", "off"], ["--engine", "jit"],
                    ["--engine", "jit", "--jit-threshold", "20", "--jit-sync"], ["--engine", "jit", "--jit-tier", "1"]):
        run = run_guest(context, " ".join(options), *options)
        check_same(first.observables, run.observables, f"the interpreter and {' '.join(options)}")


def every_check_is_there(context):
    """What the guest is for, by the lines that it prints."""
    text = console(run_guest(context, "the whole SMMU"))
    for line in ("F_TRANSLATION of a read", "F_PERMISSION of a write", "F_PERMISSION of a fetch", "C_BAD_STE",
                 "C_BAD_STREAMID", "C_BAD_SUBSTREAMID", "F_TRANSLATION at stage 2 of both", "has what the page maps to now",
                 "the copy goes on to its end", "CMD_RESUME with abort", "as CERROR_ILL", "its message is written",
                 "an event interrupts", "a global error interrupts"):
        check(f"PASS {line}" in text, f"no line 'PASS {line}' in:\n{text}")


def parts_may_be_off(context):
    for mask in range(1 << len(PARTS)):
        off = [part for index, part in enumerate(PARTS) if mask >> index & 1]
        options = [word for part in off for word in (f"--smmu-{part}", "off")]
        text = console(run_guest(context, " ".join(options), *options))
        here = dict(re.findall(r"(stage 1|ATS|messages|wires|ranges) (\d)", text))
        translates = "mmu" not in off
        wanted = {"stage 1": translates, "ATS": translates and "atsu" not in off, "messages": "interrupt" not in off,
                  "wires": "interrupt" not in off, "ranges": translates and "tlb" not in off}
        for name, value in wanted.items():
            check(here.get(name) == str(int(value)), f"{options}: the guest sees {name} {here.get(name)}")


def two_engines_in_lockstep(context):
    run = context.run("vm", "run", *arguments(context, "--lockstep", "interpreter,jit"))
    check_passed(run, "--lockstep interpreter,jit")


def harts_beside_one_another(context):
    run = context.run("vm", "run", *arguments(context, "--smp", 2, "--parallel"))
    check_passed(run, "--parallel")


def snapshots_hold_the_smmu(context):
    whole = run_guest(context, "the unbroken run")
    total = whole.observables["instructions"]
    seed = context.options.seed if context.options.seed is not None else random.randrange(1 << 32)
    print(f"    {total} instructions, seed {seed}", flush=True)
    chosen = random.Random(seed)
    snapshot = context.folder / "machine.snapshot"
    for number in range(context.options.points):
        count = chosen.randrange(1, total)
        maker, reader = ("interpreter", "jit") if number % 2 else ("jit", "interpreter")
        saved = context.run("vm", "snapshot", "--json", "--engine", maker, "--kernel", context.bare_guests()["smmu"], "--smmu",
                            "on", "--at", count, "--output", snapshot)
        check_passed(saved, f"vm snapshot --at {count}")
        restored = context.run("vm", "restore", snapshot, "--json", "--engine", reader)
        check_passed(restored, f"the snapshot at {count}")
        check_same(whole.observables, restored.observables, f"the unbroken run and one through a snapshot at {count}")
    other = context.run("vm", "restore", snapshot, "--smmu", "off")
    check(other.status == 2 and b"--smmu" in other.stderr, f"--smmu off: {other.status} {other.stderr!r}")


def machine_without_it_is_as_before(context):
    run = context.run("vm", "run", "--kernel", context.bare_guests()["smmu"])
    check_passed(run, "without --smmu")
    check(b"no SMMU in this machine" in run.stdout, f"{run.stdout!r}")


def registers_are_traced(context):
    trace = context.folder / "mmio.txt"
    context.run("vm", "run", *arguments(context, "--trace", f"mmio:{trace}"))
    text = trace.read_text()
    for line in (" write smmu+0x98 SMMU_CMDQ_PROD ", " read dma_engine+0x24 STATUS "):
        check(line in text, f"no '{line}' in the trace")


def a_design_in_its_place(context):
    """The same guest on our RTL, which has no ATS and no stalls, and says so."""
    options = ["--kernel", context.bare_guests()["smmu"], "--smmu", "rtl", "--max-instructions", 100_000_000]
    if not (Path(context.lockstep).parent / "rtl" / "smmu.so").exists():
        raise Skip("rtl/smmu.so is not built; Verilator is missing, or `ninja rtl_smmu` was not run")
    runs = []
    for engine in ("interpreter", "jit"):
        run = context.run("vm", "run", "--json", *options, "--engine", engine)
        check_passed(run, f"--smmu rtl, {engine}")
        text = console(run)
        check("FAIL" not in text and re.search(r"smmu: [1-9]\d* checks, 0 failed", text), text[-2000:])
        check("ATS 0, PRI 0, stalls 0" in text, "the design has what it has no pins for")
        runs.append(run)
    check_same(runs[0].observables, runs[1].observables, "the engines with a design")
    refused = context.run("vm", "snapshot", "--json", *options, "--at", 1000, "--output", context.folder / "no.snapshot")
    check(refused.status != 0 and b"RTL cannot be saved" in refused.stderr, f"a snapshot: {refused.stderr!r}")


def rtl_options(context):
    if not (Path(context.lockstep).parent / "rtl" / "smmu.so").exists():
        raise Skip("rtl/smmu.so is not built; Verilator is missing, or `ninja rtl_smmu` was not run")
    return ["--kernel", context.bare_guests()["smmu"], "--smmu", "rtl", "--max-instructions", 100_000_000, "--shadow"]


def the_model_in_the_shadow_of_the_design(context):
    """Every access, register, record and interrupt of the guest agrees, and the run is that without a shadow."""
    for more in ([], ["--engine", "jit"]):
        run = context.run("vm", "run", "--json", *rtl_options(context), *more, cwd=context.folder)
        check_passed(run, "--shadow")
        check("FAIL" not in console(run) and re.search(r"smmu: 88 checks, 0 failed", console(run)), console(run)[-2000:])
        shadow = run.result["shadow"]
        check(shadow["differences"] == 0 and shadow["accesses"] > 1000, f"{shadow}")
        check(shadow["accesses_without_choice"] > shadow["accesses"] * 9 // 10, f"{shadow}")
        for name in ("register_reads", "register_writes", "events", "commands", "interrupts", "messages"):
            check(shadow[name] > 0, f"nothing of {name} was compared: {shadow}")
    check(not list(context.folder.glob("smmu-shadow*")), "files of a difference, without one")
    text = context.run("vm", "run", *rtl_options(context)).stderr.decode()
    check(re.search(r"--shadow: \d+ accesses compared .*; 0 differences", text), text[-600:])


SPOILS = {
    "address": (r"^forward-address$", r"access \d+, a (read|write|fetch) of \d+ bytes at 0x"),
    "answer": (r"^(answer-end|forward-once)$", r"access \d+, a read of \d+ bytes at 0x"),
    "event": (r"^event", r"access \d+"),
    "interrupt": (r"^(interrupt-missing|both.interrupt)$", r"."),
    "consumer": (r"^(both.register|register-value|command)", r"CMDQ_CONS"),
    "asserts": (r"^rtl.assertion$", r"."),
}


def a_difference_stops_the_machine(context):
    """A spoiled design is found, named with both values, and shown; nothing more of the guest runs."""
    options = rtl_options(context)
    spoiled = Path(context.lockstep).parent / "tests/smmu_rtl_bridge/shadow/spoiled_smmu.so"
    if not spoiled.exists():
        raise Skip("spoiled_smmu.so is not built: ninja spoiled_smmu")
    waveforms = spoiled.with_suffix(".trace.so").exists() and (spoiled.parents[3] / "rtl/smmu.trace.so").exists()
    for spoil, (rule, during) in SPOILS.items():
        report = context.folder / spoil
        run = context.run("vm", "run", "--json", *options, "--smmu-rtl", spoiled, "--shadow-report", report,
                          env={**os.environ, "LOCKSTEP_SPOIL": spoil})
        check(run.status == 126, f"{spoil}: exit status {run.status}: {run.stderr[-600:]!r}")
        result, shadow = run.result, run.result["shadow"]
        check(result["exit"] == {"reason": "shadow-difference", "code": 126}, f"{spoil}: {result['exit']}")
        first = shadow["first_differences"][0]
        check(re.search(rule, first["rule"]) and re.search(during, first["during"]), f"{spoil}: {first}")
        check(first["text"] in result["message"], f"{spoil}: {result['message']}")
        check("checks," not in console(run), f"{spoil}: the guest came to its end")
        timeline = Path(shadow["timeline"]).read_text()
        check(f"DIFFERENCE: {first['rule']}: " in timeline and "cycle " in timeline, f"{spoil}: {timeline[-800:]}")
        if waveforms:
            check(shadow["waveform"] and Path(shadow["waveform"]).stat().st_size > 1000, f"{spoil}: {shadow}")
        else:
            check(shadow["waveform"] is None, f"{spoil}: {shadow}")
    run = context.run("vm", "run", "--json", *options, "--smmu-rtl", spoiled, "--shadow-go-on", "--shadow-report",
                      context.folder / "on", env={**os.environ, "LOCKSTEP_SPOIL": "address"})
    check(run.status == 126 and run.result["shadow"]["differences"] > 1, f"--shadow-go-on: {run.status} {run.stderr[-600:]!r}")
    check("checks," in console(run), "--shadow-go-on: the guest did not come to its end")


def a_shadow_needs_a_design(context):
    run = context.run("vm", "run", *arguments(context, "--shadow"))
    check(run.status == 2 and b"--smmu rtl" in run.stderr, f"{run.status} {run.stderr!r}")


def add_options(parser):
    parser.add_argument("--points", type=int, default=12, help="random counts for snapshots (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="the seed of the counts, as a run before printed it")


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n", maxsplit=1)[0],
                  [engines_agree, every_check_is_there, parts_may_be_off, two_engines_in_lockstep, harts_beside_one_another,
                   snapshots_hold_the_smmu, machine_without_it_is_as_before, registers_are_traced,
                   a_design_in_its_place, the_model_in_the_shadow_of_the_design, a_difference_stops_the_machine,
                   a_shadow_needs_a_design], add_options))
