#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether other tools take the SMMU's RTL without a complaint.

    tools_take_it.py lint     # Verilator, all warnings on
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


def command(which):
    if which == "lint":
        # A package's constants are for all modules, and no build has to use each.
        return "verilator", ["--lint-only", "-Wall", str(RTL / "smmu_package.vlt"), "--top-module", "smmu_top", *sources()]
    steps = ["read_verilog -sv " + " ".join(sources()), "hierarchy -check -top smmu_top", "proc", "memory -nomap",
             "check -assert", "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr"]
    return "yosys", ["-q", "-p", "; ".join(steps)]


def main():
    if sys.argv[1:] not in (["lint"], ["yosys"]):
        sys.exit(__doc__)
    tool, arguments = command(sys.argv[1])
    if not shutil.which(tool):
        print(f"skipped: {tool} is not installed (Debian: apt install {tool})")
        sys.exit(SKIPPED)
    done = subprocess.run([tool, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout, end="")
    # Warnings of either tool are complaints.
    complained = done.returncode != 0 or "Warning" in done.stdout
    print(f"{tool} {'complains' if complained else 'takes it'}")
    sys.exit(1 if complained else 0)


main()
