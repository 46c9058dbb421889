#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command of docs/bring-your-rtl.md finds each bug that the stranger planted in his design, makes its script small,
and shows it in a timeline and a waveform; the design without bugs passes the same command."""

import sys
from pathlib import Path

from guest_case import Skip, check, main

# What the table in the document says: the verdict, and lines of the small script at most.
BUGS = {
    "old_limits": ("answer-end", 8),
    "one_size": ("answer-end", 6),
    "short_refusal": ("pins.last", 2),
    "overflow_flips": ("register-value", 8),
}
SEEDS = "1..500"
TIMEOUT_S = 300


def hunt(context, design, *more):
    folder = Path(context.lockstep).resolve().parent / "rtl"
    if not (folder / f"{design}.so").exists():
        raise Skip(f"{design} is not built: ninja rtl_{design}")
    # With one process, the same seed is the first to fail each time.
    return context.run("cosim", "smmu", "--dut", "rtl", "--rtl", design, "--directed", *more, "--jobs", "1", "--save",
                       context.folder, timeout_s=TIMEOUT_S)


def nothing_is_wrong_without_bugs(context):
    run = hunt(context, "little_smmu", "--seeds", "1..20")
    check(run.status == 0, f"ended with {run.status}:\n{run.stderr.decode(errors='replace')[-600:]}")


def shrinking_takes_what_is_played(context):
    """Settings of the model in a script are left out for a design, whoever plays it."""
    script = context.folder / "model.smmu"
    script.write_text("smmu-script 1\nsettings oas_bits=40\nstream s1 5\naccess read 5 0x1000\n")
    device = ("--dut", "rtl", "--rtl", "little_smmu")
    played = context.run("cosim", "smmu", *device, "--script", script, timeout_s=TIMEOUT_S)
    check(played.status == 0, f"played: {played.status}: {played.stderr!r}")
    shrunk = context.run("cosim", "shrink", *device, script, timeout_s=TIMEOUT_S)
    check(shrunk.status == 2 and b"nothing is wrong with it" in shrunk.stderr, f"shrunk: {shrunk.status}: {shrunk.stderr!r}")


def bug(name):
    def test(context):
        verdict, lines_max = BUGS[name]
        run = hunt(context, f"little_smmu_{name}", "--seeds", SEEDS)
        said = run.stderr.decode(errors="replace")
        check(run.status == 1, f"ended with {run.status}:\n{said[-600:]}")
        check(f"broken: {verdict}\n" in said, f"the verdict is not {verdict}:\n{said[:600]}")
        small = list(context.folder.glob("*.small.smmu"))
        check(len(small) == 1, f"{len(small)} scripts were saved")
        header = ("smmu-script", "seed", "mix", "device", "settings")
        lines = [line for line in small[0].read_text().splitlines() if line and not line.startswith(header)]
        check(len(lines) <= lines_max, f"{len(lines)} lines are left:\n" + "\n".join(lines))
        stem = str(small[0]).removesuffix(".small.smmu")
        timeline = Path(f"{stem}.timeline.txt").read_text()
        check("cycle" in timeline and verdict in timeline, f"the timeline does not show it:\n{timeline[-600:]}")
        if not (Path(context.lockstep).resolve().parent / f"rtl/little_smmu_{name}.trace.so").exists():
            raise Skip(f"all but the waveform: ninja rtl_little_smmu_{name}_trace")
        check(Path(f"{stem}.fst").stat().st_size > 500, "the waveform is empty")
        again = context.run("cosim", "smmu", "--dut", "rtl", "--rtl", f"little_smmu_{name}", "--script", small[0],
                            timeout_s=TIMEOUT_S)
        check(again.status == 1 and verdict in again.stderr.decode(), f"the small script alone ends with {again.status}")

    test.__name__ = name
    return test


if __name__ == "__main__":
    sys.exit(main(__doc__, [nothing_is_wrong_without_bugs, shrinking_takes_what_is_played, *map(bug, BUGS)]))
