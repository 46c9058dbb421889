#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether other tools take the SMMU's RTL without a complaint.

    tools_take_it.py lint     # Verilator, all warnings on, with the default parameters
    tools_take_it.py corners  # the same with parameters at their limits, each alone and together, and the checkers
    tools_take_it.py yosys    # Yosys reads it, finds every module, and no loop, latch or driver that collides

Synthesis is a command of its own: tools/synthesize_rtl. Exit code: 0 yes, 1 no, 77 the tool is not installed.
"""

import shutil
import subprocess
import sys
from pathlib import Path

RTL = Path(__file__).resolve().parents[3] / "smmu_rtl_bridge" / "rtl"
SKIPPED = 77


def sources():
    files = sorted(RTL.glob("*.sv"))
    return [str(f) for f in files if f.stem.endswith("_pkg")] + [str(f) for f in files if not f.stem.endswith("_pkg")]


# Where docs/rtl.md puts the limits of parameters, and their neighbours.
SMALLEST = {"TLB_SETS": 1, "TLB_WAYS": 1, "CONFIG_CACHE_ENTRIES": 1, "WALK_CACHE_ENTRIES": 1, "S2_CACHE_ENTRIES": 1,
            "WALKS": 1, "TRANSACTIONS": 4, "SID_BITS": 1, "SSID_BITS": 0, "ID_BITS": 1, "OAS": 0, "TTENDIAN": 2,
            "CMDQ_LOG2_MAX": 0, "EVTQ_LOG2_MAX": 0}
NEXT = {"TLB_SETS": 2, "TLB_WAYS": 2, "CONFIG_CACHE_ENTRIES": 2, "WALK_CACHE_ENTRIES": 2, "S2_CACHE_ENTRIES": 2,
        "WALKS": 2, "TRANSACTIONS": 8, "SID_BITS": 6, "SSID_BITS": 1, "ID_BITS": 2, "OAS": 1, "TTENDIAN": 3,
        "CMDQ_LOG2_MAX": 1, "EVTQ_LOG2_MAX": 1}
LARGEST = {"TLB_SETS": 512, "TLB_WAYS": 16, "CONFIG_CACHE_ENTRIES": 4096, "WALK_CACHE_ENTRIES": 1024,
           "S2_CACHE_ENTRIES": 4096, "WALKS": 8, "TRANSACTIONS": 64, "SID_BITS": 32, "SSID_BITS": 20, "ID_BITS": 32,
           "OAS": 5, "TTENDIAN": 0, "CMDQ_LOG2_MAX": 19, "EVTQ_LOG2_MAX": 19}
NONE = {"WALK_CACHE_ENTRIES": 0, "S2_CACHE_ENTRIES": 0}


def parameter_sets():
    yield from (SMALLEST, NEXT, LARGEST, NONE)
    # Alone, as one size may hide what another does.
    for name in ("TLB_SETS", "TLB_WAYS", "CONFIG_CACHE_ENTRIES", "WALK_CACHE_ENTRIES", "S2_CACHE_ENTRIES", "WALKS",
                 "TRANSACTIONS"):
        yield {name: SMALLEST[name]}
        yield {name: NEXT[name]}


def lint(parameters, more=()):
    # A package's constants are for all modules, and no build has to use each.
    return ["--lint-only", "-Wall", str(RTL / "smmu_package.vlt"), "--top-module", "smmu_top",
            *(f"-G{name}={value}" for name, value in parameters.items()), *sources(), *more]


def commands(which):
    if which == "lint":
        return "verilator", [lint({})]
    if which == "corners":
        checkers = [str(f) for f in sorted((RTL / "checkers").glob("*.sv"))]
        return "verilator", [lint(parameters, checkers) for parameters in parameter_sets()]
    read = "read_verilog -sv " + " ".join(sources())
    check = ["hierarchy -check -top smmu_top", "proc", "memory -nomap", "check -assert",
             "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr"]
    small = "chparam " + " ".join(f"-set {name} {value}" for name, value in SMALLEST.items()) + " smmu_top"
    return "yosys", [["-q", "-p", "; ".join([read, *check])], ["-q", "-p", "; ".join([read, small, *check])]]


def main():
    if sys.argv[1:] not in (["lint"], ["corners"], ["yosys"]):
        sys.exit(__doc__)
    tool, runs = commands(sys.argv[1])
    if not shutil.which(tool):
        print(f"skipped: {tool} is not installed (Debian: apt install {tool})")
        sys.exit(SKIPPED)
    complaints = 0
    for arguments in runs:
        done = subprocess.run([tool, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        print(done.stdout, end="")
        # Warnings of either tool are complaints.
        if done.returncode != 0 or "Warning" in done.stdout:
            complaints += 1
            print("with " + (" ".join(a for a in arguments if a.startswith("-G")) or "the default parameters"))
    print(f"{tool} complains of {complaints} of {len(runs)} sets of parameters" if complaints else f"{tool} takes it")
    sys.exit(1 if complaints else 0)


main()
