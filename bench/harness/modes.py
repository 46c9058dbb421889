# SPDX-License-Identifier: Apache-2.0
"""What bench/run measures. A mode yields one row after another; in a row, every program does the same work, one program
after the other and then all again, so that a slower minute of the machine slows all of them."""

import contextlib
import re
import shutil
import statistics

from harness.console import Console, OrderGuest
from harness.programs import (NATIVE, QEMU, WARM, WATCHED, BenchError, debian_payloads, guest_payloads, kernel_result,
                              run_process)

FLOATING_POINT = ("mandelbrot", "matrix_product", "nbody")
INTEGER_KIND, FLOATING_KIND, SYSTEM_KIND, PARALLEL_KIND = "integer", "floating point", "system", "parallel"
# Bare metal, but not one of the kernels: much code, of which most runs seldom.
WIDE_CODE = "wide_code"


class Skipped(Exception):
    """The mode cannot run here; the text says why."""


class Bench:
    """What a mode needs: options, the programs that are compared, a folder, and whom to tell about progress."""

    def __init__(self, options, ours, qemu, folder, progress):
        self.options = options
        self.ours = ours
        self.qemu = qemu
        self.folder = folder
        self.progress = progress
        self.facts = {}

    @property
    def emulators(self):
        return [*self.ours, *([self.qemu] if self.qemu else [])]

    def chosen(self, labels):
        """The labels that --only names."""
        labels = list(labels)
        found = [label for label in labels if self.options.only.search(label)]
        if not found:
            raise BenchError(f"--only '{self.options.only.pattern}' matches none of: {', '.join(labels)}", 2)
        return found

    def in_turns(self, label, keys, once):
        """Calls once(key) for each key, as many times as asked; the order turns round each time. Warm programs get one more
        call before, which does not count."""
        runs = {key: [] for key in keys}
        for key in keys:
            if key.endswith(WARM):
                self.progress.run(label, key, 0)
                once(key)
        for number in range(self.options.runs):
            for key in keys if number % 2 == 0 else reversed(keys):
                self.progress.run(label, key, number + 1)
                runs[key].append(once(key))
        return runs


def row_of(group, name, kind, runs, instructions=None):
    """Medians and ratios. Above 1, qemu_over says how many times faster ours is; ours_over is its inverse."""
    programs = {}
    for key, times in runs.items():
        programs[key] = {clock: statistics.median(run[clock] for run in times) for clock in ("wall_seconds", "cpu_seconds")}
        walls = [run["wall_seconds"] for run in times]
        programs[key]["spread"] = (max(walls) - min(walls)) / programs[key]["wall_seconds"]
        programs[key]["runs"] = times
    row = {"group": group, "name": name, "label": f"{group}/{name}" if group else name, "kind": kind,
           "instructions": instructions, "programs": programs, "qemu_over": {}, "over_qemu": {}, "over_native": {},
           "over_plain": {}}
    for clock in ("wall_seconds", "cpu_seconds"):
        spent = {key: program[clock] for key, program in programs.items()}
        for key in spent:
            if key in (QEMU, NATIVE) or not spent[key]:
                continue
            if spent.get(QEMU):
                row["qemu_over"].setdefault(key, {})[clock] = spent[QEMU] / spent[key]
                row["over_qemu"].setdefault(key, {})[clock] = spent[key] / spent[QEMU]
            if spent.get(NATIVE):
                row["over_native"].setdefault(key, {})[clock] = spent[key] / spent[NATIVE]
            plain = spent.get(key.partition(WATCHED)[0])
            if WATCHED in key and plain:
                row["over_plain"].setdefault(key, {})[clock] = spent[key] / plain
    return row


def kind_of(kernel):
    return FLOATING_KIND if kernel in FLOATING_POINT else INTEGER_KIND


class SameResult:
    """Every program must compute what the first one did."""

    def __init__(self, label):
        self._label = label
        self.result = None

    def check(self, key, result):
        if self.result is None:
            self.result = result
        if result != self.result:
            raise BenchError(f"{self._label}: {key} computes '{result}', not '{self.result}'")


def bare_row(bench, name, elf, words, native=None):
    """One bare-metal guest, from the start of each process to its end."""
    # The count is the same in every engine. It comes from a run that is not timed, because --json digests the guest's memory.
    _, text = run_process([*bench.ours[0].bare(elf, words), "--json"], bench.folder)
    instructions = int(re.search(r'"instructions": *(\d+)', text)[1])
    commands = {program.key: program.bare(elf, words) for program in bench.emulators}
    if native:
        commands[NATIVE] = native
    same = SameResult(name)

    def once(key):
        times, text = run_process(commands[key], bench.folder)
        same.check(key, kernel_result(text, commands[key]))
        return times

    return row_of("", name, kind_of(name), bench.in_turns(name, list(commands), once), instructions)


def kernel_names(payloads):
    """A payload without a dot in its name is a kernel; the others belong to one or stand for themselves."""
    return sorted(name for name in payloads if "." not in name)


def kernels(bench):
    """The kernels as bare-metal guests, and natively."""
    payloads = guest_payloads("bench")
    names = bench.chosen(kernel_names(payloads))
    bench.progress.begin(len(names))
    size = "quick" if bench.options.quick else "full"
    for name in names:
        native = [payloads[name + ".native"], size] if bench.options.native else None
        yield bare_row(bench, name, payloads[name], f"{size}=1", native)


def cold(bench):
    """Guests of ten million instructions, where starting and translating cost more than running."""
    payloads = guest_payloads("bench")
    paths = {WIDE_CODE: payloads[WIDE_CODE + ".cold"], **{name: payloads[name] for name in kernel_names(payloads)}}
    names = bench.chosen(paths)
    bench.progress.begin(len(names))
    for name in names:
        yield bare_row(bench, name, paths[name], "quick=1")


# Harts of a parallel kernel, and the keys of what it is compared with.
PARALLEL_HARTS = 2
ONE, TURNS = "-one", "-turns"


def scaling_of(programs, key):
    """How many times faster two harts beside one another are than the same two in turns, and than one. On a machine that
    is busy with other work the wall time tells little; processor time divided by the harts is what it would come to."""
    beside = programs[key]
    best = {name: min(run["wall_seconds"] for run in programs[name]["runs"]) for name in programs}
    scaling = {}
    for name, other in (("over_turns", key + TURNS), ("over_one", key + ONE)):
        if other not in programs:
            continue
        scaling[name] = {"median": programs[other]["wall_seconds"] / beside["wall_seconds"], "best": best[other] / best[key],
                         "by_cpu": programs[other]["cpu_seconds"] / (beside["cpu_seconds"] / PARALLEL_HARTS)}
    return scaling


def parallel(bench):
    """Kernels for two harts: on one, on two that take turns, and on two that have a thread of the host each."""
    payloads = guest_payloads("bench")
    names = bench.chosen(sorted(name.removesuffix(".smp") for name in payloads if name.endswith(".smp")))
    bench.progress.begin(len(names))
    programs = []
    for program in bench.emulators:
        programs += [program.with_harts(1, False, program.key + ONE), program.with_harts(PARALLEL_HARTS, True, program.key)]
        if program is not bench.qemu:
            programs.insert(-1, program.with_harts(PARALLEL_HARTS, False, program.key + TURNS))
    for name in names:
        words = "quick=1" if bench.options.quick else "full=1"
        commands = {program.key: program.bare(payloads[name + ".smp"], words) for program in programs}
        same = SameResult(name)

        def once(key, commands=commands, same=same):
            times, text = run_process(commands[key], bench.folder)
            same.check(key, kernel_result(text, commands[key]))
            return times

        row = row_of("", name, PARALLEL_KIND, bench.in_turns(name, list(commands), once))
        row["scaling"] = {program.key: scaling_of(row["programs"], program.key) for program in bench.emulators}
        yield row


def debian_or_skip():
    payloads = debian_payloads()
    if payloads is None:
        raise Skipped("the Debian guest is not in the cache; guests/build riscv64 makes it")
    return payloads


def order_guests(bench, stack):
    """One running Debian guest for each emulator, with the kernels in its file system."""
    debian, addition = debian_or_skip(), guest_payloads("bench")["kernels.cpio"]
    initrd = bench.folder / "initrd"
    with open(initrd, "wb") as out:
        for part in (debian["initrd"], addition):
            with open(part, "rb") as archive:
                shutil.copyfileobj(archive, out)
    guests = {}
    for program in bench.emulators:
        bench.progress.note(f"booting Debian on {program.key}")
        command = program.linux(debian, str(initrd), "console=ttyS0 quiet rdinit=/bench/init")
        guests[program.key] = OrderGuest(program, command, stack)
    bench.facts["paging"] = {key: guest.paging for key, guest in guests.items()}
    return guests


def guest(bench):
    """The kernels as programs of a Debian guest: one process, and four that share its processor."""
    names = kernel_names(guest_payloads("bench"))
    labels = bench.chosen(f"{group}/{name}" for group in ("alone", "four") for name in names)
    bench.progress.begin(len(labels))
    with contextlib.ExitStack() as stack:
        guests = order_guests(bench, stack)
        for label in labels:
            group, name = label.split("/")
            size = "quick" if bench.options.quick else "full" if group == "alone" else "part"
            processes = 1 if group == "alone" else 4
            same = SameResult(label)

            def once(key, order=f"{group} {name} {size}", label=label, processes=processes, same=same):
                times, output = guests[key].order(order)
                results = re.findall(r"^(\w+ rounds \d+ result 0x[0-9a-f]{16}) PASS\r?$", output, re.MULTILINE)
                if len(results) != processes:
                    raise BenchError(f"{label}: {key} prints {output!r}")
                for result in results:
                    same.check(key, result)
                return times

            yield row_of(group, name, kind_of(name), bench.in_turns(label, list(guests), once))


# Name, the order that is timed, the one that prepares it, and the amount: in full and in a test.
SYSTEM_LOADS = (("fork_exec", "fork_exec", "", 200, 5), ("shell_loop", "shell_loop", "", 200000, 500),
                ("md5sum", "md5_sum", "make_file", 32, 1))
# Console lines of one boot. The first one is the kernel's, the second the first that `init` prints, after it has
# inserted the drivers; the machine powers off after its checks.
BOOT_MARKS = (("boot_kernel", rb"Run /init as init process"), ("boot", rb"(?m)^Linux \w+ \d+\.[^\n]*\n"),
              ("boot_to_power_off", rb"(?m)^CHECKS \d+ passed, 0 failed"))


def boot_rows(bench, labels):
    """Debian as it is, with a drive and the network, from the start of the process."""
    debian = debian_or_skip()
    words = "console=ttyS0 earlycon=sbi" + (" lockstep.checks=machine" if bench.options.quick else "")
    programs = {program.key: program for program in bench.emulators}
    boots = {label: {key: [] for key in programs} for label, _ in BOOT_MARKS}

    def once(key):
        program, disk = programs[key], bench.folder / "disk.img"
        shutil.copyfile(debian["disk"], disk)
        command = [*program.linux(debian, debian["initrd"], words), *program.drive_and_network(disk)]
        with Console(program, command) as console:
            for label, mark in BOOT_MARKS:
                _, _, stamp = console.wait_for(mark)
                boots[label][key].append({"wall_seconds": stamp - console.started, "cpu_seconds": console.cpu_seconds()})
            # The last mark tells that the checks passed; what counts is the end.
            boots[BOOT_MARKS[-1][0]][key][-1]["wall_seconds"] = console.wait_for_end() - console.started

    bench.in_turns("boot", list(programs), once)
    for label in labels:
        yield row_of("", label, SYSTEM_KIND, {key: times[-bench.options.runs:] for key, times in boots[label].items()})


def system(bench):
    """Debian's boot, and what a shell in it does."""
    loads = {name: load for name, *load in SYSTEM_LOADS}
    labels = bench.chosen([*(label for label, _ in BOOT_MARKS), *loads])
    boots = [label for label in labels if label not in loads]
    # One boot gives all of its rows.
    bench.progress.begin(len(labels) - max(0, len(boots) - 1))
    if boots:
        yield from boot_rows(bench, boots)
    with contextlib.ExitStack() as stack:
        guests = order_guests(bench, stack) if len(boots) < len(labels) else {}
        for label in labels:
            if label not in loads:
                continue
            order, preparation, full, quick = loads[label]
            amount = quick if bench.options.quick else full
            for program in guests.values() if preparation else ():
                program.order(f"{preparation} {amount}")
            same = SameResult(label)

            def once(key, order=f"{order} {amount}", same=same):
                times, output = guests[key].order(order)
                same.check(key, output.strip())
                return times

            yield row_of("", label, SYSTEM_KIND, bench.in_turns(label, list(guests), once))


# Each mode with its number of runs where nobody says another.
MODES = {"kernels": (kernels, 3), "guest": (guest, 3), "system": (system, 5), "cold": (cold, 21), "parallel": (parallel, 5)}
