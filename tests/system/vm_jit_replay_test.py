#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the threads beside the guest made is written down, and a replay makes the same at the same counts."""

import pathlib
import sys
import tempfile

from guest_case import check, check_same, main


def run(context, guest, *options):
    return context.run("vm", "run", "--json", "--kernel", guest, "--engine", "jit", "--jit-threshold", 50, *options)


def a_replay_installs_the_same(context):
    guests = context.bare_guests()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("float", "selfmod", "integer"):
            first, second = (pathlib.Path(folder) / f"{name}.{k}" for k in (1, 2))
            logged = run(context, guests[name], "--jit-log", first)
            again = run(context, guests[name], "--jit-replay", first, "--jit-log", second)
            check_same(logged.observables, again.observables, f"{name}: a run and its replay")
            check("install 0 " in first.read_text(), f"{name}: nothing was installed")
            check(first.read_text() == second.read_text(), f"{name}: the logs differ")
            check(b"--jit-replay" not in again.stderr, again.stderr.decode())


def another_guest_says_so(context):
    guests = context.bare_guests()
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log"
        run(context, guests["float"], "--jit-log", log)
        plain = run(context, guests["integer"])
        other = run(context, guests["integer"], "--jit-replay", log)
        check_same(plain.observables, other.observables, "a run, and one with another guest's log")
        check(b"it is another one" in other.stderr, other.stderr.decode())


def a_bad_log_is_refused(context):
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log"
        log.write_text("lockstep jit installs 1\ninstall 0 5 5 0x6 1\nblock nonsense\n")
        refused = run(context, context.bare_guests()["integer"], "--jit-replay", log)
        check(refused.status == 2 and b":3:" in refused.stderr, refused.stderr.decode())


if __name__ == "__main__":
    sys.exit(main(__doc__, [a_replay_installs_the_same, another_guest_says_so, a_bad_log_is_refused]))
