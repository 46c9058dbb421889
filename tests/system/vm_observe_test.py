#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Coverage, counts and memory traces are the same on all engines, in files that say what ran, and change no run."""

import struct
import sys

from guest_case import check, check_passed, check_same, main

ENGINES = ("interpreter", "jit:tier=1", "jit:threshold=3:threads=0")
GUESTS = ("integer", "selfmod", "traps", "paging", "timer", "modes", "float", "atomics", "smp")
DRCOV_HEADER = b"DRCOV VERSION: 2\nDRCOV FLAVOR: drcov-64\nModule Table: version 2, count "


def run(context, guest, engine, *options):
    harts = 4 if guest == "smp" else 1
    done = context.run("vm", "run", "--json", "--kernel", context.bare_guests()[guest], "--engine", engine, "--smp", harts,
                       *options)
    check_passed(done, f"{guest} on {engine} with {' '.join(map(str, options))}")
    return done


def lines_of(path, kind):
    return [line.split(" ") for line in path.read_text().splitlines() if line.startswith(kind + " ")]


def engines_cover_the_same(context):
    for guest in GUESTS:
        plain = run(context, guest, "interpreter")
        for extra in ([], ["--coverage-counts"]):
            texts = []
            for engine in ENGINES:
                file = context.folder / "coverage"
                watched = run(context, guest, engine, "--coverage", file, *extra)
                check_same(plain.observables, watched.observables, f"{guest} on {engine}, plain and with {extra}")
                check(watched.result["coverage"]["translations_lost"] == 0, "blocks without a record")
                texts.append(file.read_text())
            for engine, text in zip(ENGINES, texts):
                check(text == texts[0], f"{guest} {extra}: {engine} and {ENGINES[0]} cover different code")


def counts_are_of_all_instructions(context):
    for guest in ("traps", "selfmod", "paging"):
        file = context.folder / "coverage"
        done = run(context, guest, "jit:threshold=3:threads=0", "--coverage", file, "--coverage-counts", "--count").result
        in_blocks = sum(int(count) * int(instructions) for _, _, _, instructions, count, _ in lines_of(file, "block"))
        unfetched = done["counts"]["unfetched"]
        check(in_blocks + unfetched == done["instructions"], f"{guest}: {in_blocks} in blocks and {unfetched} that could not "
              f"be fetched, of {done['instructions']}")
        for part in (done["counts"]["opcodes"], [{"count": n} for n in done["counts"]["classes"].values()]):
            check(sum(one["count"] for one in part) == in_blocks, f"{guest}: opcodes or classes do not add up to {in_blocks}")


def functions_have_their_part(context):
    file = context.folder / "coverage"
    run(context, "integer", "jit", "--coverage", file, "--coverage-counts")
    functions = {line[7]: line for line in lines_of(file, "function")}
    _, _, size, covered, percent, blocks, entered, _ = functions["sums"]
    check(size == covered and percent == "100.0" and int(blocks) > 1, f"sums: {functions['sums']}")
    check(int(entered) > 100, f"sums was called often: {functions['sums']}")
    never = [line for line in functions.values() if line[3] == "0"]
    check(never and all(line[4] == "0.0" for line in never), f"no function without coverage: {sorted(functions)}")


def drcov_has_the_same_blocks(context):
    text, binary = context.folder / "coverage.text", context.folder / "coverage.drcov"
    run(context, "integer", "jit", "--coverage", text)
    run(context, "integer", "jit", "--coverage", binary, "--coverage-format", "drcov")
    data = binary.read_bytes()
    check(data.startswith(DRCOV_HEADER), f"{data[:80]!r}")
    head, _, table = data.partition(b" bbs\n")
    lines = head.decode().splitlines()
    modules = [line.split(", ") for line in lines if line[:1].isdigit()]
    check(lines[3] == "Columns: id, base, end, entry, path", lines[3])
    check(any(path.endswith("integer.elf") for *_, path in modules), f"the kernel is no module: {modules}")
    blocks = list(struct.iter_unpack("<IHH", table))
    check(len(blocks) == int(lines[-1].split(" ")[-1]), f"{len(blocks)} blocks, {lines[-1]}")
    found = [(int(modules[module][1], 16) + start, size) for start, size, module in blocks]
    check(found == [(int(line[1], 16), int(line[2])) for line in lines_of(text, "block")], "blocks differ from the text's")


def engines_trace_the_same_accesses(context):
    for guest in ("integer", "traps", "paging", "atomics", "float", "smp"):
        plain = run(context, guest, "interpreter")
        texts = []
        for engine in ENGINES:
            file = context.folder / "accesses"
            watched = run(context, guest, engine, "--trace", f"mem:{file}")
            check_same(plain.observables, watched.observables, f"{guest} on {engine}, plain and traced")
            texts.append(file.read_text())
            check(watched.result["memory_trace"]["accesses"] == texts[-1].count("\n"), "one line each")
        for engine, text in zip(ENGINES, texts):
            check(text == texts[0], f"{guest}: {engine} and {ENGINES[0]} trace different accesses")


def accesses_are_chosen(context):
    everything, some = context.folder / "all", context.folder / "some"
    run(context, "modes", "jit", "--trace", f"mem:{everything}")
    lines = everything.read_text().splitlines()
    modes = {line.split(" ")[1] for line in lines}
    check({"M", "S", "U"} <= modes, f"modes: {modes}")
    run(context, "modes", "jit", "--trace", f"mem:{some}", "--trace-mode", "user")
    check(some.read_text().splitlines() == [line for line in lines if line.split(" ")[1] == "U"], "--trace-mode user")
    address = int(lines[len(lines) // 2].split(" ")[5], 16)
    run(context, "modes", "jit", "--trace", f"mem:{some}", "--trace-range", f"{address:#x}..{address + 7:#x}")

    def touches(line):
        size, vaddr = int(line.split(" ")[4]), int(line.split(" ")[5], 16)
        return vaddr <= address + 7 and address < vaddr + size

    check(some.read_text().splitlines() == [line for line in lines if touches(line)], "--trace-range")
    limited = run(context, "modes", "jit", "--trace", f"mem:{some}", "--trace-limit", "1K").result
    written = some.read_text().splitlines()
    check(written == lines[:len(written)] and 1024 <= some.stat().st_size < 1200, f"{some.stat().st_size} bytes of 1K")
    check(limited["memory_trace"] == {"accesses": len(written), "left_out": len(lines) - len(written)}, f"{limited['memory_trace']}")


def counters_have_names(context):
    counters = run(context, "integer", "jit").result["engine_counters"]
    for name in ("blocks_translated", "regions_translated", "units_dropped", "entries", "lookups", "exits_hand_over",
                 "code_bytes", "exits_moved"):
        check(name in counters, f"no {name} in {sorted(counters)}")
    check(run(context, "integer", "interpreter").result["engine_counters"]["blocks_translated"] > 0, "the interpreter's")


def mistakes_are_told_before_the_run(context):
    kernel = ("--kernel", context.bare_guests()["hello"])
    for options, words in ((("--coverage", "/nonexistent/file"), b"cannot write '/nonexistent/file'"),
                           (("--trace", "mem:/nonexistent/file"), b"cannot write '/nonexistent/file'"),
                           (("--trace", "mem", "--trace-range", "5"), b"is not FIRST..LAST"),
                           (("--trace", "mem", "--trace-range", "9..5"), b"is not FIRST..LAST"),
                           (("--trace", "mem", "--trace", "mem"), b"more than once"),
                           (("--trace-range", "0..5"), b"add --trace mem"),
                           (("--trace", "irq", "--trace-mode", "user"), b"add --trace mem")):
        done = context.run("vm", "run", *kernel, *options)
        check(done.status == 2 and words in done.stderr and b"hello" not in done.stdout, f"{options}: {done}")
    for options in (("--coverage-counts",), ("--trace-mode", "hypervisor"), ("--coverage", "x", "--coverage-format", "xml")):
        check(context.run("vm", "run", *kernel, *options).status != 0, f"{options} was taken")


if __name__ == "__main__":
    sys.exit(main(__doc__, [engines_cover_the_same, counts_are_of_all_instructions, functions_have_their_part,
                            drcov_has_the_same_blocks, engines_trace_the_same_accesses, accesses_are_chosen,
                            counters_have_names, mistakes_are_told_before_the_run]))
