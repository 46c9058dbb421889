# SPDX-License-Identifier: Apache-2.0
"""The programs that are compared, how each is started on the same guest, and one timed run of a process."""

import copy
import os
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# A run that lasts longer hangs: the slowest takes half a minute on a quiet machine.
RUN_LIMIT_S = 300
GUEST_BUILD_LIMIT_S = 600
MEMORY = "512M"
QEMU = "qemu"
NATIVE = "native"
# Ends the key of an older build's engine.
BEFORE = "-before"
# What may be asked of a run beside running (docs/observing.md), and stands behind this in the key of an engine.
WATCHED = "+"
OBSERVATIONS = {"coverage": ["--coverage", os.devnull], "counts": ["--coverage", os.devnull, "--coverage-counts"],
                "memory": ["--trace", f"mem:{os.devnull}"]}
# Ends the key of an engine that begins with the code of its earlier runs.
WARM = "-warm"


class BenchError(Exception):
    """What the caller can put right, or a wrong result; printed without a traceback."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


class Ours:
    """`lockstep vm run` with one engine. `key` is what the results call it: the engine's name and settings."""

    # The guest's clock follows the instructions it has executed, not the host's clock.
    virtual_time = True

    def __init__(self, program, engine, extra, key):
        self.key = key
        self._start = [program, "vm", "run", "--machine", "riscv-virt", "--memory", MEMORY, "--engine", engine, *extra]

    def bare(self, elf, words):
        return [*self._start, "--bios", "none", "--kernel", elf, "--append", words]

    def linux(self, payload, initrd, words):
        return [*self._start, "--bios", payload["bios"], "--kernel", payload["kernel"], "--initrd", initrd, "--append", words]

    def drive_and_network(self, disk):
        return ["--drive", f"file={disk}", "--net", "user"]

    def with_harts(self, harts, threads, key):
        """The same with so many harts; they take turns, or have a thread of the host each."""
        other = copy.copy(self)
        other.key = key
        other._start = [*self._start, "--smp", str(harts), *(["--parallel"] if threads else [])]
        return other


class Qemu:
    """The peer, with the machine, memory and files that ours gets."""

    virtual_time = False

    def __init__(self, program):
        self.key = QEMU
        shown = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
        self.version = shown.splitlines()[0] if shown else program
        self._start = [program, "-M", "virt", "-accel", "tcg", "-smp", "1", "-m", MEMORY, "-display", "none", "-monitor", "none",
                       "-serial", "stdio"]

    def bare(self, elf, words):
        return [*self._start, "-bios", "none", "-kernel", elf, "-append", words]

    def linux(self, payload, initrd, words):
        return [*self._start, "-bios", payload["bios"], "-kernel", payload["kernel"], "-initrd", initrd, "-append", words]

    def drive_and_network(self, disk):
        return ["-drive", f"file={disk},if=none,id=d,format=raw", "-device", "virtio-blk-device,drive=d", "-netdev", "user,id=n",
                "-device", "virtio-net-device,netdev=n"]

    def with_harts(self, harts, threads, key):
        """The same with so many harts; they take turns, or have a thread of the host each."""
        other = copy.copy(self)
        other.key = key
        other._start = [f"tcg,thread={'multi' if threads else 'single'}" if word == "tcg" else word for word in self._start]
        other._start[other._start.index("-smp") + 1] = str(harts)
        return other


def find_qemu(name):
    """The peer and no reason, or None and why it is left out."""
    if name == "none":
        return None, "--qemu none"
    if not shutil.which(name):
        return None, f"{name} is not installed (tools/bootstrap --peers installs it)"
    return Qemu(name), None


def find_ours(program, before, engines, extra, observations=(), code_cache=None):
    """One for each engine, and for each engine of the older build, each with a code cache and each that is observed, where
    these are asked for."""
    ways_out = {program: "tools/build release lockstep builds it, --lockstep names another", before: "--before names it"}
    for path, way_out in ways_out.items():
        if path and not os.access(path, os.X_OK):
            raise BenchError(f"'{path}' is not there; {way_out}.", 2)
    older = [Ours(before, engine, extra, engine + BEFORE) for engine in engines] if before else []
    kept = ["--code-cache", str(code_cache)]
    warm = [Ours(program, engine, [*extra, *kept], engine + WARM) for engine in engines if engine.startswith("jit")]
    observed = [Ours(program, engine, [*extra, *OBSERVATIONS[what]], engine + WATCHED + what)
                for engine in engines for what in observations]
    return [*(Ours(program, engine, extra, engine) for engine in engines), *(warm if code_cache else []), *older, *observed]


def guest_payloads(guest):
    """Paths of a guest's payloads by name; made by guests/build where they are not there yet."""
    done = subprocess.run([str(ROOT / "guests/build"), guest, "--quiet", "--print-paths"], capture_output=True, text=True,
                          timeout=GUEST_BUILD_LIMIT_S, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise BenchError(f"guests/build {guest} failed:\n{done.stderr.strip()}", 2)
    return dict(line.split("\t", 1) for line in done.stdout.splitlines())


def debian_payloads():
    """The Debian guest's, or None where its packages were never fetched: a benchmark does not load 115 MB unasked."""
    cache = os.environ.get("LOCKSTEP_CACHE")
    if not cache:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lockstep"
    return guest_payloads("riscv64") if (Path(cache) / "guests/riscv64/debs/versions").is_file() else None


def run_process(command, folder):
    """One run from the start of the process to its end, with what it printed. Fails when its status is not 0."""
    console = folder / "console"
    with open(console, "wb") as out:
        start = time.perf_counter()
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        except OSError as error:
            raise BenchError(f"cannot start '{command[0]}': {error.strerror}", 2) from error
        timer = threading.Timer(RUN_LIMIT_S, process.kill)
        timer.start()
        try:
            _, wait_status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            timer.cancel()
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(wait_status)
    text = console.read_text(errors="replace")
    if process.returncode != 0:
        reason = f"was stopped after {RUN_LIMIT_S} s or killed" if process.returncode < 0 else f"ended with {process.returncode}"
        raise BenchError(f"{' '.join(command)} {reason}:\n{console_end(text)}")
    return {"wall_seconds": wall, "cpu_seconds": usage.ru_utime + usage.ru_stime}, text


def console_end(text):
    return "\n".join("    | " + line for line in text.splitlines()[-15:])


def kernel_result(text, command):
    """What a kernel of bench/guest computed; fails when it found its own result wrong, or printed none."""
    found = re.search(r"^(\w+ rounds \d+ result 0x[0-9a-f]{16}) PASS\r?$", text, re.MULTILINE)
    if not found:
        raise BenchError(f"no good result of {' '.join(command)}:\n{console_end(text)}")
    return found[1]
