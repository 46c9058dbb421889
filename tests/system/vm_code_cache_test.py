#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A run that begins with the code of an earlier one is the same run; what does not belong to it is left alone."""

import pathlib
import sys
import tempfile

from guest_case import check, check_same, main


def run(context, guest, folder, *options):
    return context.run("vm", "run", "--json", "--kernel", guest, "--engine", "jit", "--code-cache", folder, *options)


def warm_runs_are_the_same_runs(context):
    guests = context.bare_guests()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("integer", "float", "paging", "selfmod"):
            plain = context.run("vm", "run", "--json", "--kernel", guests[name], "--engine", "interpreter")
            cold = run(context, guests[name], folder, "--jit-threshold", 50)
            warm = run(context, guests[name], folder, "--jit-threshold", 50)
            check_same(plain.observables, cold.observables, f"{name}: the interpreter and a run that fills the cache")
            check_same(plain.observables, warm.observables, f"{name}: the interpreter and a run that begins with it")
            counts = warm.result["code_cache"]
            check(counts["used"] > 0, f"{name}: nothing was used: {counts}")
            check(counts["added"] * 4 < counts["used"], f"{name}: much was made again: {counts}")


def tiers_do_not_share_blocks(context):
    guest = context.bare_guests()["integer"]
    with tempfile.TemporaryDirectory() as folder:
        run(context, guest, folder)
        other = run(context, guest, folder, "--jit-tier", 1)
        check(other.result["code_cache"]["loaded"] == 0, f"{other.result['code_cache']}")
        check(len(list(pathlib.Path(folder).glob("*.code"))) == 2, "a file for each")


def a_folder_for_all_is_refused(context):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder).chmod(0o777)
        refused = context.run("vm", "run", "--kernel", context.bare_guests()["integer"], "--engine", "jit",
                              "--code-cache", folder)
        check(refused.status == 2, f"status {refused.status}")
        check("--code-cache" in refused.stderr.decode() and folder in refused.stderr.decode(), refused.stderr.decode())


if __name__ == "__main__":
    sys.exit(main(__doc__, [warm_runs_are_the_same_runs, tiers_do_not_share_blocks, a_folder_for_all_is_refused]))
