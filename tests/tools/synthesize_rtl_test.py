#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/synthesize_rtl on small modules with and without what it looks for, and on the SMMU as far as the coarse part."""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "synthesize_rtl"
SKIPPED = 77

GOOD = """
module part #(parameter int WORDS = 16) (
    input logic clk, input logic we, input logic [3:0] at, input logic [7:0] in, output logic [7:0] out);
  logic [7:0] rows [0:WORDS-1];
  always_ff @(posedge clk) begin
    if (we) rows[at] <= in;
    out <= rows[at];
  end
endmodule
"""
LATCH = """
module part (input logic on, input logic [3:0] in, output logic [3:0] out);
  always_latch if (on) out = in;
endmodule
"""
LOOP = """
module half (input logic a, input logic b, output logic y);
  assign y = a ^ b;
endmodule
module part (input logic a, output logic y);
  logic back;
  half one (.a(a), .b(back), .y(y));
  half two (.a(y), .b(a), .y(back));
endmodule
"""


class SynthesizeRtl(unittest.TestCase):
    def run_on(self, text, *options):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "part.sv").write_text(text)
            return self.run_script("--folder", folder, "--top", "part", *options)

    @staticmethod
    def run_script(*options):
        return subprocess.run([str(SCRIPT), *options], capture_output=True, text=True, check=False)

    def test_memories_stay_whole(self):
        done = self.run_on(GOOD, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual(told["memories"], [{"name": "rows", "words": 16, "bits": 8}])
        self.assertEqual(told["memory_bits"], 128)
        self.assertEqual(told["latches"], 0)
        self.assertEqual(told["combinational_loops"], 0)

    def test_parameters_reach_the_top(self):
        done = self.run_on(GOOD, "--json", "--coarse", "--parameter", "WORDS=8")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["memories"][0]["words"], 8)
        self.assertEqual(self.run_on(GOOD, "--parameter", "words").returncode, 2)

    def test_latches_are_found(self):
        for options in ((), ("--coarse",)):
            done = self.run_on(LATCH, "--json", *options)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertGreater(json.loads(done.stdout)["latches"], 0)

    def test_loops_through_modules_are_found(self):
        done = self.run_on(LOOP, "--json", "--coarse")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertGreater(json.loads(done.stdout)["combinational_loops"], 0)

    def test_what_yosys_refuses_is_told(self):
        done = self.run_on("module part (input logic a; endmodule")
        self.assertEqual(done.returncode, 2)
        self.assertIn("part.sv", done.stderr)
        done = self.run_script("--yosys", "no-such-yosys")
        self.assertEqual(done.returncode, 2)
        self.assertIn("not installed", done.stderr)
        with tempfile.TemporaryDirectory() as folder:
            self.assertIn("no .sv file", self.run_script("--folder", folder).stderr)

    def test_the_smmu_has_no_latch_and_no_loop(self):
        done = self.run_script("--json", "--coarse")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        told = json.loads(done.stdout)
        self.assertEqual((told["latches"], told["combinational_loops"]), (0, 0))
        names = " ".join(memory["name"] for memory in told["memories"])
        for name in ("i_tlb", "i_ste_cache", "i_cd_cache", "i_walker", "command_queue"):
            self.assertIn(name, names)


if __name__ == "__main__":
    if not shutil.which("yosys"):
        print("skipped: yosys is not installed (Debian: apt install yosys)")
        sys.exit(SKIPPED)
    unittest.main()
