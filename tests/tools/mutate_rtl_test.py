#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/mutate_rtl passes over mutants that are the design, and only over those: small designs of which that is known, and
random machines whose states are all looked at."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.dont_write_bytecode = True
sys.path.insert(0, str(TOOLS))
import equal_mutants  # noqa: E402

SKIPPED = 77
ABC = next(filter(None, map(shutil.which, ("yosys-abc", "berkeley-abc"))), None)

# The inner gate of y changes nothing; `same` is `kept` and `never` is 0 for ever, which no single clock tells.
REDUNDANT = """
module part (input logic clk, input logic rst_n, input logic a, input logic b, output logic y, output logic z);
  logic kept, same, never;
  always_ff @(posedge clk) begin
    kept <= rst_n & a;
    same <= rst_n & b & a | rst_n & a & ~b;
    never <= never & b;
  end
  assign y = a | (a & b);
  assign z = kept & same ^ never;
endmodule
"""
REAL = """
module part (input logic clk, input logic rst_n, input logic a, input logic b, output logic y);
  logic kept;
  always_ff @(posedge clk) if (!rst_n) kept <= 0; else kept <= kept ^ a;
  assign y = kept ^ b;
endmodule
"""
TWO_CLOCKS = """
module part (input logic clk, input logic other, input logic a, output logic y);
  logic once;
  always_ff @(posedge clk) once <= a;
  always_ff @(posedge other) y <= once;
endmodule
"""


class Drawn(unittest.TestCase):
    @staticmethod
    def draw(text, count, *options):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "part.sv").write_text(text)
            return subprocess.run([sys.executable, str(TOOLS / "mutate_rtl"), "--folder", folder, "--top", "part", "--mutants",
                                   str(count), "--list", "-", *options], capture_output=True, text=True, check=False)

    def names(self, *options):
        done = self.draw(*options)
        self.assertEqual(done.returncode, 0, done.stderr)
        head, *lines = done.stdout.splitlines()
        return head, [line.split("|")[2] for line in lines]

    def test_what_changes_nothing_is_never_drawn(self):
        _, all_of_them = self.names(REDUNDANT, 20, "--keep-equal")
        head, drawn = self.names(REDUNDANT, 12)
        self.assertNotIn(" 0 are proven equal", head)
        for nothing in ("9.19-9.24 part and Y[0] const0", "procdff Q[0] (never[0]) const0"):
            self.assertTrue(any(name.endswith(nothing) for name in all_of_them), all_of_them)
            self.assertFalse(any(name.endswith(nothing) for name in drawn), drawn)

    def test_where_all_are_real_all_are_drawn(self):
        _, all_of_them = self.names(REAL, 14, "--keep-equal")
        head, drawn = self.names(REAL, 14)
        self.assertEqual(drawn, all_of_them)
        self.assertIn(" 0 are proven equal", head)

    def test_the_same_seed_draws_the_same(self):
        self.assertEqual(self.names(REDUNDANT, 10, "--seed", "7"), self.names(REDUNDANT, 10, "--seed", "7"))

    def test_what_has_no_proof_is_told(self):
        done = self.draw(TWO_CLOCKS, 2)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("--keep-equal", done.stderr)
        self.assertEqual(self.draw(TWO_CLOCKS, 2, "--keep-equal").returncode, 0)
        done = self.draw(REAL, 5, "--abc", "no-such-abc")
        self.assertEqual(done.returncode, 2)
        self.assertIn("berkeley-abc", done.stderr)
        self.assertEqual(self.draw(REAL, 5, "--abc", "no-such-abc", "--keep-equal").returncode, 0)


MUTANTS = 24
INPUTS = 2
SELECT_BITS = 5
REGISTERS = 4


class Machine:
    """Random gates, registers and outputs, with mutants at random gates."""

    def __init__(self, rng):
        graph = equal_mutants.Graph(1 + INPUTS + SELECT_BITS)
        reset, *inputs = (2 * v for v in range(1, 2 + INPUTS))
        select = [2 * v for v in range(2 + INPUTS, 2 + INPUTS + SELECT_BITS)]
        registers = [graph.leaf() for _ in range(REGISTERS)]
        wires = [*inputs, *registers]
        for number in range(1, 3 * MUTANTS):
            a, b = (rng.choice(wires) ^ rng.randrange(2) for _ in range(2))
            wire = graph.both(a, b) if rng.randrange(3) else graph.differ(a, b)
            if number <= MUTANTS:
                on = 1
                for bit, literal in enumerate(select):
                    on = graph.both(on, literal ^ 1 ^ (number >> bit & 1))
                wire = graph.choose(on, rng.choice((0, 1, wire ^ 1, b)), wire)
            wires.append(wire)
        after = [graph.both(reset, rng.choice(wires[-20:])) if rng.randrange(4) else rng.choice(wires[-20:])
                 for _ in registers]
        self.file = (graph, [wires[-1], rng.choice(wires[-20:])], list(zip(registers, after)))

    def write(self, path):
        graph, outputs, registers = self.file
        names = ["rst_n", *(f"in[{i}]" for i in range(INPUTS)), *(f"mutsel[{i}]" for i in range(SELECT_BITS))]
        kept = graph.write(path, outputs, registers)
        with path.open("ab") as file:
            file.write("".join(f"i{at} {names[variable - 1]}\n" for at, variable in enumerate(kept)).encode())


def differs(design, number):
    """Whether some run of the mutant, from zeros and a clock of reset, shows other outputs than the design's."""
    def clock(state, inputs, mutant, reset):
        given = {"rst_n": reset, **{f"in[{i}]": inputs >> i & 1 for i in range(INPUTS)},
                 **{f"mutsel[{i}]": mutant >> i & 1 for i in range(SELECT_BITS)}}
        values = [0, *(given[name] for name in design.input_names), *state]
        for a, b in design.gates:
            values.append((values[a >> 1] ^ a & 1) & (values[b >> 1] ^ b & 1))
        return (tuple(values[literal >> 1] ^ literal & 1 for literal in design.next),
                tuple(values[literal >> 1] ^ literal & 1 for literal in design.outputs))

    zeros = (0,) * design.registers
    waiting = [(clock(zeros, inputs, 0, 0)[0], clock(zeros, inputs, number, 0)[0]) for inputs in range(1 << INPUTS)]
    seen = set(waiting)
    while waiting:
        sound, other = waiting.pop()
        for inputs in range(1 << INPUTS):
            for reset in (0, 1):
                (next_sound, shown), (next_other, also) = (clock(sound, inputs, 0, reset), clock(other, inputs, number, reset))
                if shown != also:
                    return True
                if (next_sound, next_other) not in seen:
                    seen.add((next_sound, next_other))
                    waiting.append((next_sound, next_other))
    return False


class Proven(unittest.TestCase):
    def test_all_states_agree_with_each_proof(self):
        seed = int(os.environ.get("LOCKSTEP_SEED", "20261122"))
        print(f"seed {seed}; LOCKSTEP_SEED chooses another")
        rng = random.Random(seed)
        proofs = missed = real = 0
        for _ in range(25):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                Machine(rng).write(folder / "machine.aig")
                design = equal_mutants.Aiger(folder / "machine.aig")
                proven = equal_mutants.proven_equal(folder / "machine.aig", MUTANTS, "mutsel", "rst_n", ABC, folder)
                for number in range(1, MUTANTS + 1):
                    shows = differs(design, number)
                    real += shows
                    if number in proven:
                        proofs += 1
                        self.assertFalse(shows, f"seed {seed}: mutant {number} is no equal of its machine")
                    elif not shows:
                        missed += 1
        print(f"{real} real, {proofs} proven equal, {missed} equal without a proof")
        self.assertGreater(proofs, 20)
        self.assertGreater(real, 20)


if __name__ == "__main__":
    if not shutil.which("yosys") or not ABC:
        print("skipped: yosys or ABC is not installed (Debian: apt install yosys berkeley-abc)")
        sys.exit(SKIPPED)
    unittest.main()
