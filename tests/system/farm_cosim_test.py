#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Co-simulation as cells of a farm: matrix/cosim.yaml with few seeds, on the model, on our design and on one that is
wrong.

    tests/system/farm_cosim_test.py                # some seconds
"""

import json
import os
import re
import shutil
import sqlite3
import sys
from pathlib import Path

from guest_case import ROOT, Skip, check, main

PLAN_POINTS_MIN = 2000


def designs(context):
    build = Path(context.lockstep).parent
    good, spoiled = build / "rtl/smmu.so", build / "tests/smmu_rtl_bridge/shadow/spoiled_smmu.so"
    for file, target in ((good, "rtl_smmu"), (spoiled, "spoiled_smmu")):
        if not file.exists():
            raise Skip(f"{file} is not built: ninja {target}")
    return good, spoiled


def contract(context):
    """The contract with stretches of a few seeds."""
    folder = context.folder / "matrix"
    folder.mkdir(exist_ok=True)
    shutil.rmtree(folder / ".lockstep", ignore_errors=True)
    text = (ROOT / "matrix/cosim.yaml").read_text()
    few = re.sub(r"instances: \[.*\]", "instances: [1000000, 1000004]", text.replace("--count 200", "--count 4"))
    check(few != text and "--count 4" in few, "matrix/cosim.yaml has other stretches of seeds than this test knows")
    (folder / "cosim.yaml").write_text(few)
    return folder / "cosim.yaml"


def farm(context, design, *more, **environment):
    run = context.run("farm", "run", contract(context), "--no-payloads", "--payload", f"smmu={design}", "--workers", 2, "--json",
                      *more, cwd=context.folder, env={**os.environ, **environment})
    check(run.stdout.strip(), f"no report: {run.stderr[-2000:]!r}")
    return run


def seeds_times_settings_times_duts(context):
    """Every device under test and every mix passes; coverage of all cells is one plan's, in the report and the store."""
    good, _ = designs(context)
    run = farm(context, good, "--strategy", "each", "--workload", "seeds")
    report = run.result
    failed = [cell for cell in report["cells"] if cell.get("status") != "PASS"]
    check(run.status == 0 and not failed, f"{json.dumps(failed)[:2000]}")
    duts = {cell["features"]["dut"] for cell in report["cells"]}
    check(duts == {"core", "tlm", "rtl", "both"}, f"devices under test: {duts}")
    check(len({cell["features"]["mix"] for cell in report["cells"]}) > 4, "too few mixes")
    check(len(report["coverage"]) == 1, f"{len(report['coverage'])} plans")
    coverage = report["coverage"][0]
    check(coverage["cells"] == len(report["cells"]), f"coverage of {coverage['cells']} cells of {len(report['cells'])}")
    check(coverage["points"] > PLAN_POINTS_MIN and coverage["covered"] > coverage["points"] // 4, f"{coverage['covered']}")
    folder = Path(report["folder"])
    merged = context.run("cosim", "coverage", folder / "coverage.txt", "--json")
    check(merged.status == 0 and merged.result["reached"] == coverage["covered"],
          f"the merged file: {merged.stdout[:300]!r} {merged.stderr!r}")
    with sqlite3.connect(f"file:{folder / 'farm.db'}?mode=ro", uri=True) as store:
        rows = dict(store.execute("SELECT point, hits FROM coverage"))
        most = store.execute("SELECT max(cells) FROM coverage").fetchone()[0]
    check(rows == coverage["hits"], "the store's coverage is not the report's")
    check(most == len(report["cells"]), f"no point was met by every cell, but by {most}")


def the_first_failure_is_shrunk_where_it_is_found(context):
    """A design that is wrong fails by name, with the script, its small form, a timeline and, where built, a waveform."""
    _, spoiled = designs(context)
    run = farm(context, spoiled, "--strategy", "default", "--workload", "seeds", LOCKSTEP_SPOIL="event")
    report = run.result
    check(run.status == 1 and report["counts"]["FAIL"] == len(report["cells"]), f"{report['counts']}")
    folder = Path(report["folder"])
    for cell in report["cells"]:
        check(re.search(r"seed \d+: event[a-z-]*: ", cell["message"]), f"{cell['message']}")
        files = {artifact["name"]: folder / "artifacts" / artifact["sha256"] for artifact in cell["artifacts"]}
        kinds = {re.sub(r"^smmu-\d+", "", name) for name in files}
        wanted = {".smmu", ".small.smmu", ".timeline.txt", "stdout"}
        if spoiled.with_suffix(".trace.so").exists() and (spoiled.parents[3] / "rtl/smmu.trace.so").exists():
            wanted.add(".fst")
        check(wanted <= kinds, f"kept: {sorted(files)}")
        small = next(path for name, path in files.items() if name.endswith(".small.smmu"))
        whole = next(path for name, path in files.items() if re.fullmatch(r"smmu-\d+\.smmu", name))
        check(len(small.read_text().splitlines()) * 2 < len(whole.read_text().splitlines()), "it was not shrunk")
        again = context.run("cosim", "smmu", "--dut", "rtl", "--rtl", spoiled, "--script", small, "--json",
                            env={**os.environ, "LOCKSTEP_SPOIL": "event"})
        check(again.status == 1 and again.result["rule"].startswith("event"), f"played again: {again.stdout[:300]!r}")
    table = context.run("farm", "report", "--state", folder.parents[1], cwd=context.folder).stdout.decode()
    for word in (": event", ".small.smmu: ", ".timeline.txt: ", "Functional coverage of"):
        check(word in table, f"no '{word}' in:\n{table}")


def a_design_that_is_not_there_is_miss(context):
    run = farm(context, context.folder / "nothing.so", "--strategy", "default", "--workload", "seeds")
    check(run.status == 3 and run.result["counts"]["MISS"] == len(run.result["cells"]), f"{run.result['counts']}")
    check("tools/rtl_designs smmu" in run.result["cells"][0]["message"], run.result["cells"][0]["message"])


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n", maxsplit=1)[0],
                  [seeds_times_settings_times_duts, the_first_failure_is_shrunk_where_it_is_found,
                   a_design_that_is_not_there_is_miss]))
