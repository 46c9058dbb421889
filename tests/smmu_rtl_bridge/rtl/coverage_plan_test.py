#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/rtl_coverage and the plan of the design's holes: the plan fits the sources, a hole with a row is explained, and one
without is printed and ends with 1."""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PLAN = ROOT / "docs" / "rtl-coverage.md"
TLB = (ROOT / "smmu_rtl_bridge" / "rtl" / "smmu_tlb.sv").read_text().splitlines()


def run(*arguments):
    done = subprocess.run([ROOT / "tools" / "rtl_coverage", *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def point(kind, line, what, count, module="smmu_tlb"):
    fields = {"f": f"/anywhere/rtl/{module}.sv", "l": line, "n": 3, "page": f"v_{kind}/{module}", "o": what, "h": "top"}
    return "C '" + "".join(f"\1{key}\2{value}" for key, value in fields.items()) + f"' {count}\n"


def check(condition, text):
    if not condition:
        sys.exit(f"FAIL: {text}")


def main():
    status, text = run("--plan", PLAN)
    check(status == 0 and "all in the sources" in text, f"the plan does not fit the sources:\n{text}")
    line = next(number for number, words in enumerate(TLB, 1) if "way_write = turn" in words)
    with tempfile.TemporaryDirectory(prefix="lockstep-test-") as folder:
        plan, points = Path(folder) / "plan.md", Path(folder) / "points"
        points.mkdir()
        (points / "a.dat").write_text(
            "# SystemC::Coverage-3\n" + point("toggle", 5, "lk_va[3]", 0) + point("toggle", 5, "lk_va[7]", 0) +
            point("toggle", 6, "turn[1][4]", 1) + point("branch", line, "if", 0) + point("line", line, "block", 2))
        head = "## Toggles\n\n| points | modules | why |\n|---|---|---|\n"
        lines = "\n## Lines and branches\n\n| module | line | why |\n|---|---|---|\n"
        plan.write_text(head + "| `lk_va[0-3,7]` | * | pages |\n" + lines + "| smmu_tlb | `way_write = turn` | never full |\n")
        status, text = run(points, "--plan", plan)
        check(status == 0 and "3 holes, 3 explained by 2 rows" in text, f"all is explained:\n{text}")
        plan.write_text(head + "| `lk_va[0-3]` | smmu_tlb | pages |\n" + lines + "| smmu_walker | `way_write = turn` | no |\n")
        status, text = run(points, "--plan", plan)
        check(status == 1, f"two holes without a reason end with {status}:\n{text}")
        check("toggle smmu_tlb.sv:5:3: lk_va[7]" in text and f"branch smmu_tlb.sv:{line}:3: if" in text, f"they are named:\n{text}")
        check("smmu_walker has no way_write = turn" in text, f"a row for a line that is not there is named:\n{text}")
        # Points of several folders are added up.
        more = Path(folder) / "more"
        more.mkdir()
        (more / "b.dat").write_text(point("toggle", 5, "lk_va[7]", 4) + point("branch", line, "if", 1))
        plan.write_text(head + "| `lk_va[0-3]` | smmu_tlb | pages |\n")
        status, text = run(points, more, "--plan", plan, "--at-least", "100,100,60")
        check(status == 0 and "1 holes, 1 explained" in text, f"two folders:\n{text}")
        check(run(points, more, "--at-least", "100,100,70")[0] == 1, "a percentage that is not reached")
    print("PASS")


main()
