# SPDX-License-Identifier: Apache-2.0
"""Progress on standard error, the table on standard output, and the means that stand below it."""

import os
import re
import statistics
import sys
import time
from pathlib import Path

from harness.modes import FLOATING_KIND, INTEGER_KIND
from harness.programs import NATIVE, QEMU, WATCHED

# Below this share of one core the wall time says more about the machine's other work than about the emulator.
BUSY_SHARE = 0.9


class Progress:
    """One line that is written over on a terminal; else a line for each benchmark."""

    def __init__(self, runs):
        self._runs = runs
        self._terminal = sys.stderr.isatty()
        self._total = 0
        self._labels = []
        self._begin = time.monotonic()

    def begin(self, total):
        self._total = total

    def _write(self, text):
        elapsed = f"[{time.monotonic() - self._begin:4.0f} s] "
        print(f"\r\033[K{elapsed}{text}" if self._terminal else f"    {elapsed}{text}",
              end="" if self._terminal else "\n", file=sys.stderr, flush=True)

    def note(self, text):
        self._write(text)

    def run(self, label, key, number):
        new = label not in self._labels
        if new:
            self._labels.append(label)
        text = f"{len(self._labels)} of {max(self._total, len(self._labels))}: {label}"
        if self._terminal:
            self._write(f"{text}, run {number} of {self._runs}, {key}")
        elif new:
            self._write(text)

    def clear(self):
        if self._terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


# What heads a column, and what the ratios compare with.
TITLES = {"seconds": "{} s", "mips": "{} MIPS", "qemu_over": "qemu/{}", "over_qemu": "{}/qemu", "over_native": "{}/native",
          "over_plain": "{}/plain"}
PEERS = {"qemu_over": QEMU, "over_qemu": QEMU, "over_native": NATIVE}
LABEL_WIDTH, LEAST_WIDTH = 29, 10


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def ratio_of(row, figure, key, clock):
    return row.get(figure, {}).get(key, {}).get(clock)


class Table:
    """Rows as they come; its columns are the programs of the first row."""

    def __init__(self, clock, markdown):
        self._clock = clock
        self._markdown = markdown
        self._columns = None

    def _print(self, label, cells):
        if self._markdown:
            print("| " + " | ".join([label, *cells]) + " |", flush=True)
        else:
            print(label.ljust(LABEL_WIDTH) + "".join(cell.rjust(width) for cell, (_, _, width) in zip(cells, self._columns)), flush=True)

    def _head(self, row):
        keys = list(row["programs"])
        ours = [key for key in keys if key not in (QEMU, NATIVE)]
        shown = [(key, "seconds") for key in keys]
        shown += [(key, "mips") for key in ours if row["instructions"]]
        shown += [(key, figure) for figure, peer in PEERS.items() if peer in keys for key in ours]
        shown += [(key, "over_plain") for key in ours if WATCHED in key]
        self._columns = [(key, figure, max(LEAST_WIDTH, len(TITLES[figure].format(key)) + 2)) for key, figure in shown]
        self._print("", [TITLES[figure].format(key) for key, figure, _ in self._columns])
        if self._markdown:
            self._print("---", ["---"] * len(self._columns))

    def add(self, row):
        if self._columns is None:
            self._head(row)
        cells = []
        for key, figure, _ in self._columns:
            if figure == "seconds":
                cells.append(number(row["programs"][key][self._clock], 3))
            elif figure == "mips":
                spent = row["programs"][key][self._clock]
                cells.append(number(row["instructions"] / spent / 1e6 if spent else None, 0))
            else:
                cells.append(number(ratio_of(row, figure, key, self._clock)))
        self._print(row["label"], cells)

    def add_means(self, means):
        for name, mean in means.items():
            cells = []
            for key, figure, _ in self._columns:
                value = mean.get(figure, {}).get(key, {}).get(self._clock)
                cells.append(number(value) if value else "")
            self._print("mean of " + name, cells)


def means_of(rows):
    """Geometric means of the ratios, for each group and kind of kernel; a single row has none."""
    means = {}
    for group in dict.fromkeys(row["group"] for row in rows):
        of_group = [row for row in rows if row["group"] == group and row["kind"] in (INTEGER_KIND, FLOATING_KIND)]
        for kind in ("all", INTEGER_KIND, FLOATING_KIND):
            chosen = [row for row in of_group if kind in ("all", row["kind"])]
            if len(chosen) < 2:
                continue
            mean = {}
            for figure in ("qemu_over", "over_qemu", "over_native", "over_plain"):
                for key, clocks in chosen[0].get(figure, {}).items():
                    for clock in clocks:
                        values = [ratio_of(row, figure, key, clock) for row in chosen]
                        if None not in values:
                            mean.setdefault(figure, {}).setdefault(key, {})[clock] = statistics.geometric_mean(values)
            means[f"{group} {kind}".strip()] = mean
    return means


def noise_of(rows):
    """What a reader must know before trusting a difference: how far runs lie apart, and who had no whole core."""
    spreads = [(program["spread"], row["label"], key) for row in rows for key, program in row["programs"].items()]
    busy = sorted({row["label"] for row in rows for key, program in row["programs"].items()
                   if program["cpu_seconds"] < BUSY_SHARE * program["wall_seconds"]})
    return {"median_spread": statistics.median(spread for spread, _, _ in spreads),
            "largest_spread": dict(zip(("spread", "label", "program"), max(spreads))), "less_than_a_core": busy}


def processor_name():
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else "unknown processor"


def print_head(result):
    pinned = "" if result["pinned_to"] is None else f", everything on core {result['pinned_to']}"
    print(f"{result['processor']}, {result['cores']} cores, load {result['load_at_start']:.1f}{pinned}")
    print(f"medians of {result['runs']} runs, {result['clock']} time; peer: {result['peer'] or 'none, ' + result['peer_skipped']}\n",
          flush=True)


def print_tail(result):
    if "paging" in result:
        print("\npaging: " + ", ".join(f"{key} {paging}" for key, paging in result["paging"].items()))
    for row in result["rows"]:
        for key, scaling in row.get("scaling", {}).items():
            told = [f"{name.replace('_', ' ')} {number(s['median'])} (best runs {number(s['best'])}, by processor time {number(s['by_cpu'])})"
                    for name, s in scaling.items()]
            print(f"\nscaling of {row['label']}, {key}: " + "; ".join(told), end="")
    if any("scaling" in row for row in result["rows"]):
        print()
    if result["runs"] > 1:
        noise = result["noise"]
        worst = noise["largest_spread"]
        print(f"\nFrom the fastest run to the slowest: {noise['median_spread']:.0%} of the median at the middle row, "
              f"{worst['spread']:.0%} at most ({worst['label']} on {worst['program']}).")
    if result["clock"] == "wall" and result["noise"]["less_than_a_core"]:
        print(f"Less than {BUSY_SHARE:.0%} of a core had: {', '.join(result['noise']['less_than_a_core'])}. Where that is not "
              "the guest's own sleep, the machine was busy, and --clock cpu is steadier.")


def print_result(result, markdown):
    """What was printed row by row while it was measured."""
    print_head(result)
    table = Table(f"{result['clock']}_seconds", markdown)
    for row in result["rows"]:
        table.add(row)
    table.add_means(result["geometric_means"])
    print_tail(result)


def load_average():
    return os.getloadavg()[0]
