# SPDX-License-Identifier: Apache-2.0
"""What the tests of the whole program share: the program, the guests' payloads, runs with their results, a console on a
pseudo-terminal, and the rules of a test's end (0 good, 1 failed, 77 skipped with a reason)."""

import argparse
import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = 77
# One boot takes seconds; a machine under load, or a build with sanitizers, takes a hundred times as long at most.
RUN_TIMEOUT_S = 600
# What a console test waits for next comes within seconds.
CONSOLE_TIMEOUT_S = 300
# A short boot: everything that touches the drive and the network, and nothing that only takes time.
SHORT_CHECKS = "machine,cpus,pipes,block,net"
OBSERVABLES = ("instructions", "console_sha256", "state_sha256", "memory_sha256")


class Skip(Exception):
    """The test cannot run here; the text says why."""


class Failure(AssertionError):
    """A check did not hold; the text says which, with both values."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def need_tool(name):
    if shutil.which(name) is None:
        raise Skip(f"{name} is not installed")


@dataclass
class Run:
    """How a run of the program ended."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def result(self):
        """The JSON object of --json."""
        try:
            return json.loads(self.stdout)
        except ValueError as error:
            raise Failure(f"stdout is not one JSON object ({error}); stderr ends: {self.stderr[-600:]!r}") from error

    @property
    def observables(self):
        return {name: self.result["observables"][name] for name in OBSERVABLES}


@dataclass
class Context:
    """One test program's surroundings: options of its command line and a folder of its own."""

    options: argparse.Namespace
    folder: Path

    @property
    def lockstep(self):
        return self.options.lockstep

    def run(self, *arguments, timeout_s=RUN_TIMEOUT_S, **keywords):
        """Runs `lockstep ARGUMENT...` without a console to read from, and hands back how it ended."""
        if "input" not in keywords:
            keywords.setdefault("stdin", subprocess.DEVNULL)
        try:
            done = subprocess.run([self.lockstep, *map(str, arguments)], capture_output=True, timeout=timeout_s, check=False,
                                  **keywords)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"no end after {timeout_s} s: lockstep {' '.join(map(str, arguments))}\n"
                          f"{(error.stderr or b'')[-1000:].decode(errors='replace')}") from error
        return Run(done.returncode, done.stdout, done.stderr)

    def payloads(self):
        """The Debian guest: its payloads by name. Skips where its packages were never fetched."""
        default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lockstep"
        cache = Path(os.environ.get("LOCKSTEP_CACHE") or default)
        if not (cache / "guests/riscv64/debs/versions").is_file():
            raise Skip(f"the guest's packages are not in {cache}; run guests/build riscv64 once")
        return self._guest("riscv64")

    def bare_guests(self):
        need_tool("riscv64-linux-gnu-gcc")
        return self._guest("bare")

    def benchmark_kernels(self):
        need_tool("riscv64-linux-gnu-gcc")
        return self._guest("bench")

    def _guest(self, name):
        made = subprocess.run([ROOT / "guests/build", name, "--quiet", "--print-paths"], capture_output=True, text=True,
                              timeout=RUN_TIMEOUT_S, check=False)
        if made.returncode != 0:
            raise Skip(f"guests/build {name} failed: {made.stderr.strip()}")
        return dict(line.split("\t", 1) for line in made.stdout.splitlines())

    def debian(self, words="", *, drive=None, net=False, smp=1):
        """The options that boot the Debian guest with these words on its command line."""
        payloads = self.payloads()
        arguments = ["--bios", payloads["bios"], "--kernel", payloads["kernel"], "--initrd", payloads["initrd"],
                     "--append", f"console=ttyS0 {words}".strip(), "--smp", smp]
        if drive:
            arguments += ["--drive", drive]
        if net:
            arguments += ["--net", "user"]
        return arguments

    def copy_of_disk(self, name):
        """A disk image of this run alone: the guest writes to it."""
        path = self.folder / name
        shutil.copyfile(self.payloads()["disk"], path)
        return path


def check_same(first, second, what):
    """Fails with both values of each observable that differs."""
    differences = [f"{name}: {first[name]} and {second[name]}" for name in OBSERVABLES if first[name] != second[name]]
    check(not differences, f"{what}: " + "; ".join(differences))


def check_passed(run, what):
    check(run.status == 0, f"{what}: status {run.status}, stderr ends:\n{run.stderr[-1500:].decode(errors='replace')}")


def readable(text):
    """A console's bytes without carriage returns and escape sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.decode(errors="replace").replace("\r", ""))


class Console:
    """The program with its console on a pseudo-terminal, as a person has it."""

    def __init__(self, arguments):
        self._master, self._slave = pty.openpty()
        self.settings_before = termios.tcgetattr(self._slave)
        self._process = subprocess.Popen(list(map(str, arguments)), stdin=self._slave, stdout=self._slave,
                                         stderr=self._slave, start_new_session=True)
        self._seen = b""
        self.all = b""

    def close(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._master)
        os.close(self._slave)

    def settings(self):
        return termios.tcgetattr(self._slave)

    def send(self, text):
        os.write(self._master, text if isinstance(text, bytes) else text.encode())

    def signal(self, number):
        self._process.send_signal(number)

    def _read(self, wait_s):
        if not select.select([self._master], [], [], wait_s)[0]:
            return False
        piece = os.read(self._master, 65536)
        self._seen += piece
        self.all += piece
        return True

    def until(self, wanted, timeout_s=CONSOLE_TIMEOUT_S):
        """Everything up to and with what is wanted (a regular expression on bytes)."""
        end = time.monotonic() + timeout_s
        while (found := re.search(wanted, self._seen)) is None:
            gone = self._process.poll() is not None
            if not self._read(0.5) and gone:
                raise Failure(f"the program ended with {self._process.returncode} before {wanted!r}:\n{self.tail()}")
            if time.monotonic() > end:
                raise Failure(f"{wanted!r} did not come in {timeout_s} s; the console ends:\n{self.tail()}")
        text, self._seen = self._seen[:found.end()], self._seen[found.end():]
        return text

    def tail(self):
        return readable(self.all[-1500:])

    def end(self, timeout_s=CONSOLE_TIMEOUT_S):
        """Waits for the program's end and hands back its status."""
        end = time.monotonic() + timeout_s
        while self._process.poll() is None:
            self._read(0.2)
            if time.monotonic() > end:
                raise Failure(f"the program did not end in {timeout_s} s; the console ends:\n{self.tail()}")
        while self._read(0):
            pass
        return self._process.returncode


class Shell(Console):
    """A console with the Debian guest's shell on it."""

    PROMPT = rb"lockstep:[^ \r\n]*# "

    def wait_for_prompt(self):
        return self.until(self.PROMPT)

    def command(self, text):
        """Types a command; its output, which begins with the echo of the line, and its exit status."""
        self.send(f"{text}; echo '<'end=$?'>'\n")
        output = readable(self.until(rb"<end=\d+>"))
        self.wait_for_prompt()
        body, status = re.fullmatch(r"(.*)<end=(\d+)>", output, re.DOTALL).groups()
        return body, int(status)


@contextlib.contextmanager
def closing_console(console):
    try:
        yield console
    finally:
        console.close()


def main(description, tests, add_options=None):
    """Runs the tests (functions of a Context) in order; each prints PASS, FAIL or SKIP with its name."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--lockstep", default=str(ROOT / "build/release/lockstep"), help="the program (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="REGEX", help="only the tests whose name matches")
    if add_options:
        add_options(parser)
    options = parser.parse_args()
    if shutil.which(options.lockstep) is None:
        print(f"{options.lockstep} is not a program; build it, or name it with --lockstep", file=sys.stderr)
        return 2
    # Tests run it in folders of their own.
    options.lockstep = str(Path(shutil.which(options.lockstep)).absolute())
    # Ctrl-C and a time limit of ctest unwind, so that no guest is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    failed, ran, skipped = 0, 0, 0
    for test in tests:
        if not re.search(options.only, test.__name__):
            continue
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="lockstep-test-") as folder:
            try:
                test(Context(options, Path(folder)))
                verdict, ran = "PASS", ran + 1
            except Skip as reason:
                verdict, skipped = f"SKIP ({reason})", skipped + 1
            except Failure as failure:
                verdict, failed = f"FAIL\n    {failure}", failed + 1
            except Exception:  # pylint: disable=broad-except
                verdict, failed = f"FAIL\n{traceback.format_exc()}", failed + 1
        print(f"{test.__name__} [{time.monotonic() - begin:.1f} s]: {verdict}", flush=True)
    if failed:
        return 1
    return SKIPPED if skipped and not ran else 0
