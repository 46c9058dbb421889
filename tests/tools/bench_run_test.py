# SPDX-License-Identifier: Apache-2.0
"""bench/run, with shell scripts in the place of the emulators, so that the figures it must compute are known."""

import json
import unittest

from script_case import TOOLS, ScriptCase

BENCH = TOOLS.parent / "bench/run"

# Prints what a benchmark guest and an emulator print: a checksum of the iterations, and a count of 1000 each.
LOCKSTEP = """#!/bin/sh
iterations=$(echo "$*" | sed 's/.*iterations=\\([0-9]*\\).*/\\1/')
echo "bench: iterations $iterations checksum 0x$iterations"
echo "{\\"instructions\\": $((iterations * 1000))}"
"""
QEMU = """#!/bin/sh
if [ "$1" = --version ]; then echo "a peer 1.0"; exit 0; fi
iterations=$(echo "$*" | sed 's/.*iterations=\\([0-9]*\\).*/\\1/')
echo "bench: iterations $iterations checksum 0x$iterations"
"""


class BenchRun(ScriptCase):
    def bench(self, *arguments, lockstep=LOCKSTEP, qemu=QEMU):
        self.lay_out({"lockstep": lockstep, "qemu": qemu})
        for program in ("lockstep", "qemu"):
            (self.root / program).chmod(0o755)
        return self.run_script(BENCH, "--lockstep", str(self.root / "lockstep"), "--qemu", str(self.root / "qemu"),
                               "--guests", str(self.root / "guests"), *arguments)

    def test_instructions_are_those_beyond_the_start(self):
        status, output, errors = self.bench("--only", "sieve", "--runs", "3", "--json")
        self.assertEqual(status, 0, errors)
        result = json.loads(output)
        (row,) = result["results"]
        self.assertEqual(row["instructions"], (row["iterations"] - 1) * 1000)
        self.assertEqual(len(row["lockstep"]["runs"]), 3)
        self.assertEqual(len(row["qemu"]["start_runs"]), 3)
        self.assertEqual(result["peer"], "a peer 1.0")

    def test_a_peer_that_is_not_installed_is_left_out_with_the_reason(self):
        status, output, errors = self.bench("--only", "sieve", "--runs", "1", "--json", "--qemu", "no-such-emulator")
        self.assertEqual(status, 0, errors)
        result = json.loads(output)
        self.assertIn("no-such-emulator is not installed", result["peer_skipped"])
        self.assertIsNone(result["results"][0]["ratio"])

    def test_different_checksums_are_an_error(self):
        status, _, errors = self.bench("--only", "sieve", "--runs", "1", qemu=QEMU.replace("0x$", "0x1$"))
        self.assertEqual(status, 1)
        self.assertIn("qemu computes 0x1", errors)

    def test_a_run_that_fails_is_shown_with_its_console(self):
        status, _, errors = self.bench("--only", "sieve", "--runs", "1", lockstep="#!/bin/sh\necho no memory\nexit 2\n")
        self.assertEqual(status, 1)
        self.assertIn("ended with status 2", errors)
        self.assertIn("| no memory", errors)

    def test_a_pattern_without_a_match_names_the_benchmarks(self):
        status, _, errors = self.bench("--only", "pong")
        self.assertEqual(status, 2)
        self.assertIn("sieve", errors)

    def test_a_program_that_is_not_there_is_named(self):
        status, _, errors = self.bench("--only", "sieve", "--lockstep", "nowhere/lockstep")
        self.assertEqual(status, 2)
        self.assertIn("nowhere/lockstep", errors)


if __name__ == "__main__":
    unittest.main()
