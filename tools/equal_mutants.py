# SPDX-License-Identifier: Apache-2.0
"""Which mutants of a design are the design all the same, proven by ABC. tools/mutate_rtl passes over those.

It takes the whole design, flat, as an and-inverter graph with registers (AIGER); bits of one input choose which mutant is
on. A proof has three parts.

1. From power-on with zeros in all registers and one clock of reset, whatever the inputs are afterwards: which signals of the
   design are constant or equal for ever? ABC finds them by induction (&scorr).
2. Under what 1 found, with the registers cut: does a mutant give each output and the next value of each register as the
   design does? What the mutant leaves alone is the same node of one graph, so only what comes behind it is looked at, and
   all mutants are looked at together (&fraig).
3. The same for the clock of reset at power-on.

If all three agree, both are in the same state for ever and no pin tells them apart. Everything is bounded by numbers of
conflicts and of places, never by time, so that all machines draw the same. What is not proven may be equal all the same: a
register that differs while nobody looks at it counts as a difference.
"""

import heapq
import re
import subprocess

# Conflicts of ABC's solver at one node before it gives up.
CONFLICTS_INDUCTION = 100
CONFLICTS_PROOF = 1000
# A mutant that changes more outputs and registers than this is taken for real.
PLACES_MAX = 4000


class Failed(Exception):
    """What no proof can be had of, or ABC refuses."""


def _number(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _bytes_of(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return out


class Aiger:
    """A binary AIGER file: literals are 2 * variable + inverted; variables are 0 (false), inputs, registers, gates."""

    def __init__(self, path):
        data = path.read_bytes()
        at = data.index(b"\n")
        self.inputs, self.registers, outputs, gates = (int(word) for word in data[:at].split()[2:6])
        at += 1
        rows = []
        for _ in range(self.registers + outputs):
            end = data.index(b"\n", at)
            rows.append([int(word) for word in data[at:end].split()])
            at = end + 1
        self.next = [row[0] for row in rows[:self.registers]]
        # A power-on value of 1 is written out; that of others is 0 or anything.
        self.power_on = [int(row[1:] == [1]) for row in rows[:self.registers]]
        self.outputs = [row[0] for row in rows[self.registers:]]
        self.first_gate = 1 + self.inputs + self.registers
        self.gates = []
        for variable in range(self.first_gate, self.first_gate + gates):
            less, at = _number(data, at)
            still_less, at = _number(data, at)
            self.gates.append((2 * variable - less, 2 * variable - less - still_less))
        self.input_names = {}
        for line in data[at:].split(b"\n"):
            match = re.fullmatch(rb"([ilo])(\d+) ([^ ]*).*", line)
            if not match:
                break
            if match[1] == b"i":
                self.input_names[match[3].decode()] = int(match[2])


class Graph:
    """And-gates of which no two are the same; leaves are variables without a gate."""

    def __init__(self, leaves):
        self.gates = [None] * (1 + leaves)
        self.known = {}

    def leaf(self):
        self.gates.append(None)
        return 2 * (len(self.gates) - 1)

    def both(self, a, b):
        if a > b:
            a, b = b, a
        if a == 0 or a ^ b == 1:
            return 0
        if a == 1 or a == b:
            return b
        literal = self.known.get((a, b))
        if literal is None:
            literal = self.known[a, b] = 2 * len(self.gates)
            self.gates.append((b, a))
        return literal

    def differ(self, a, b):
        return self.both(self.both(a, b) ^ 1, self.both(a ^ 1, b ^ 1) ^ 1)

    def choose(self, on, a, b):
        return self.both(self.both(on, a) ^ 1, self.both(on ^ 1, b) ^ 1) ^ 1

    def write(self, path, outputs, registers=()):
        """What the outputs and the registers need. A register is (leaf, next); it starts with 0. Answers the inputs."""
        needed = bytearray(len(self.gates))
        for literal in [*outputs, *(after for _, after in registers)]:
            needed[literal >> 1] = 1
        for variable in range(len(self.gates) - 1, 0, -1):
            if needed[variable] and self.gates[variable]:
                a, b = self.gates[variable]
                needed[a >> 1] = needed[b >> 1] = 1
        kept = [leaf >> 1 for leaf, _ in registers]
        stays = set(kept)
        inputs = [v for v, gate in enumerate(self.gates) if v and gate is None and needed[v] and v not in stays]
        place = {variable: number for number, variable in enumerate([0, *inputs, *kept])}
        body = bytearray()
        first = len(place)
        for variable, gate in enumerate(self.gates):
            if gate and needed[variable]:
                own = 2 * len(place)
                a, b = sorted((2 * place[literal >> 1] | literal & 1 for literal in gate), reverse=True)
                body += _bytes_of(own - a) + _bytes_of(a - b)
                place[variable] = len(place)
        text = f"aig {len(place) - 1} {len(inputs)} {len(kept)} {len(outputs)} {len(place) - first}\n"
        for literal in [*(after for _, after in registers), *outputs]:
            text += f"{2 * place[literal >> 1] | literal & 1}\n"
        path.write_bytes(text.encode() + body)
        return inputs


def _evaluated(design, graph, leaves):
    """Of each variable of the design its literal in the graph."""
    found = leaves + [0] * len(design.gates)
    for at, (a, b) in enumerate(design.gates, design.first_gate):
        found[at] = graph.both(found[a >> 1] ^ (a & 1), found[b >> 1] ^ (b & 1))
    return found


class Mutants:
    """What of the design hangs on the bits that choose, and what comes behind it."""

    def __init__(self, design, select):
        self.design = design
        self.bits = {}
        for name, place in design.input_names.items():
            if match := re.fullmatch(re.escape(select) + r"\[(\d+)\]", name):
                self.bits[1 + place] = int(match[1])
        if not self.bits:
            raise Failed(f"the design has no input {select}")
        choosing = bytearray(design.first_gate + len(design.gates))
        choosing[0] = 1
        for variable in self.bits:
            choosing[variable] = 1
        self.choosing, self.readers = [], {}
        for variable, (a, b) in enumerate(design.gates, design.first_gate):
            if choosing[a >> 1] and choosing[b >> 1]:
                choosing[variable] = 1
                self.choosing.append((variable, a, b))
            else:
                for literal in (a, b):
                    self.readers.setdefault(literal >> 1, []).append(variable)
        self.results = {}
        for literal in design.outputs + design.next:
            self.results.setdefault(literal >> 1, []).append(literal & 1)

    def switched(self, number):
        """Values of what alone hangs on the bits that choose."""
        value = {0: 0}
        value.update((variable, number >> bit & 1) for variable, bit in self.bits.items())
        for variable, a, b in self.choosing:
            value[variable] = (value[a >> 1] ^ a & 1) & (value[b >> 1] ^ b & 1)
        return value

    def changed(self, number, graph, sound):
        """Pairs of literals, of the design and of this mutant, for all outputs and next values that are not one node."""
        mine = {v: bit for v, bit in self.switched(number).items() if bit != sound[v]}
        waiting, seen = [], set()

        def follow(variable):
            for reader in self.readers.get(variable, ()):
                if reader not in seen:
                    seen.add(reader)
                    heapq.heappush(waiting, reader)

        for variable in list(mine):
            follow(variable)
        gates, first = self.design.gates, self.design.first_gate
        while waiting:
            variable = heapq.heappop(waiting)
            a, b = gates[variable - first]
            literal = graph.both(mine.get(a >> 1, sound[a >> 1]) ^ (a & 1), mine.get(b >> 1, sound[b >> 1]) ^ (b & 1))
            if literal != sound[variable]:
                mine[variable] = literal
                follow(variable)
        return [(sound[variable] ^ inverted, literal ^ inverted)
                for variable, literal in mine.items() for inverted in self.results.get(variable, ())]


def _abc(program, folder, script):
    (folder / "after.aig").unlink(missing_ok=True)
    done = subprocess.run([program, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0 or "Error" in done.stdout or not (folder / "after.aig").exists():
        raise Failed(f"{program} refuses `{script}`: {(done.stdout[-300:] + done.stderr).strip()}")
    return Aiger(folder / "after.aig")


def _reset_once(design, graph, leaves, reset):
    """Literals in the clock of reset: registers as at power-on. Without a reset there is no such clock."""
    leaves = list(leaves)
    leaves[1 + reset] = 0
    for register, value in enumerate(design.power_on):
        leaves[1 + design.inputs + register] = value
    return _evaluated(design, graph, leaves)


def _with_what_holds(design, mutants, abc, folder, reset):
    """A graph and a literal for each variable of the design, in which signals are one that are equal for ever."""
    graph = Graph(2 * design.inputs)
    registers = [graph.leaf() for _ in range(design.registers)]
    chosen = dict.fromkeys(mutants.bits, 0)
    start = list(design.power_on)
    leaves = [0] + [chosen.get(v, 2 * v) for v in range(1, 1 + design.inputs)] + [0] * design.registers
    extra = []
    if reset is not None:
        # Registers that the clock of reset loads from an input show, in the first clock, what came in at that time.
        before = [0] + [chosen.get(v, 2 * (v + design.inputs)) for v in range(1, 1 + design.inputs)]
        loaded = _reset_once(design, graph, before + [0] * design.registers, reset)
        start = [loaded[literal >> 1] ^ (literal & 1) for literal in design.next]
        started = graph.leaf()
        extra = [(started, 1)]
    for register, (leaf, value) in enumerate(zip(registers, start)):
        shown = leaf ^ value if value < 2 else graph.choose(started, leaf, value)
        leaves[1 + design.inputs + register] = shown
    found = _evaluated(design, graph, leaves)
    after = [found[literal >> 1] ^ (literal & 1) ^ (value == 1) for literal, value in zip(design.next, start)]
    # All nodes are outputs, in order to see which have become one.
    shown = [2 * variable for variable in range(1, len(graph.gates))]
    graph.write(folder / "before.aig", shown, [*zip(registers, after), *extra])
    reduced = _abc(abc, folder, f"&r before.aig; &scorr -C {CONFLICTS_INDUCTION}; &w after.aig")
    if len(reduced.outputs) != len(shown):
        raise Failed(f"{abc} gives {len(reduced.outputs)} of {len(shown)} outputs back")
    smaller = Graph(reduced.inputs + reduced.registers)
    literals = _evaluated(reduced, smaller, list(range(0, 2 * reduced.first_gate, 2)))
    became = [0] + [literals[literal >> 1] ^ (literal & 1) for literal in reduced.outputs]
    return smaller, [became[literal >> 1] ^ (literal & 1) for literal in found]


def proven_equal(path, count, select, reset, abc, folder):
    """Of the mutants 1 to count in an AIGER file those that are the design. `select` names the input that chooses;
    `reset` one that resets while it is 0, and is ignored where the design has none of that name."""
    design = Aiger(path)
    mutants = Mutants(design, select)
    reset = design.input_names.get(reset)
    graph, sound = _with_what_holds(design, mutants, abc, folder, reset)
    bases = [sound]
    if reset is not None:
        leaves = [0] + [0 if v in mutants.bits else graph.leaf() for v in range(1, 1 + design.inputs)]
        bases.append(_reset_once(design, graph, leaves + [0] * design.registers, reset))
    asked, outputs = [], []
    alive = set()
    for number in range(1, count + 1):
        pairs = [pair for base in bases for pair in mutants.changed(number, graph, base)]
        if len(pairs) > PLACES_MAX:
            alive.add(number)
            continue
        for mine, other in pairs:
            asked.append(number)
            outputs.append(graph.differ(mine, other))
    if outputs:
        graph.write(folder / "before.aig", outputs)
        answered = _abc(abc, folder, f"&r before.aig; &fraig -x -C {CONFLICTS_PROOF}; &w after.aig").outputs
        if len(answered) != len(outputs):
            raise Failed(f"{abc} gives {len(answered)} of {len(outputs)} outputs back")
        alive.update(number for number, literal in zip(asked, answered) if literal != 0)
    return [number for number in range(1, count + 1) if number not in alive]
