# SPDX-License-Identifier: Apache-2.0
"""An emulator with its console on a pipe. What happens in the guest is timed on the host, by when the lines that mark it
arrive: the guest's own clock may be virtual, and two emulators' guests need not agree on the time."""

import contextlib
import os
import re
import select
import signal
import subprocess
import time

from harness.programs import RUN_LIMIT_S, BenchError, console_end

READ_BYTES = 65536
# What linux/posix-timers.h calls CPUCLOCK_SCHED: the exact processor time of all threads of another process.
PROCESS_CPU_CLOCK = 2


class Console:
    """The running emulator. Use as a context: its end kills the emulator."""

    def __init__(self, program, command):
        self.key = program.key
        self._command = command
        self._seen = b""
        self._text = b""
        self.started = time.perf_counter()
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                             bufsize=0)
        except OSError as error:
            raise BenchError(f"cannot start '{command[0]}': {error.strerror}", 2) from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def _fail(self, why):
        raise BenchError(f"{why}: {' '.join(self._command)}\n{console_end(self._text[-8192:].decode(errors='replace'))}")

    def _read(self, deadline, wanted):
        left = deadline - time.perf_counter()
        if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
            self._fail(f"{wanted!r} did not come in {RUN_LIMIT_S} s")
        piece = os.read(self._process.stdout.fileno(), READ_BYTES)
        self._seen += piece
        self._text += piece
        return piece

    def cpu_seconds(self):
        """Processor time so far; 0 once the process has ended."""
        try:
            return time.clock_gettime((~self._process.pid << 3) | PROCESS_CPU_CLOCK)
        except OSError:
            return 0.0

    def wait_for(self, pattern):
        """Reads until the pattern has come; returns the match, the text before it and when it arrived."""
        deadline = time.perf_counter() + RUN_LIMIT_S
        while not (found := re.search(pattern, self._seen)):
            if not self._read(deadline, pattern):
                self._fail(f"the emulator ended with {self._process.wait()} before {pattern!r}")
        stamp = time.perf_counter()
        before, self._seen = self._seen[:found.start()], self._seen[found.end():]
        return found, before.decode(errors="replace"), stamp

    def wait_for_end(self):
        """Reads to the end of the process, which must be a good one; returns when that was."""
        deadline = time.perf_counter() + RUN_LIMIT_S
        while self._read(deadline, b"the end"):
            pass
        status = self._process.wait()
        stamp = time.perf_counter()
        if status != 0:
            self._fail(f"the emulator ended with {status}")
        return stamp

    def type_line(self, text):
        try:
            self._process.stdin.write(text.encode() + b"\n")
        except BrokenPipeError:
            self._fail("the emulator reads no more")

    def send_signal(self, number):
        self._process.send_signal(number)


class OrderGuest:
    """A Debian guest that waits for orders (bench/guest/hosted/init)."""

    def __init__(self, program, command, stack):
        self.key = program.key
        # Waiting for input, ours goes on through virtual time as fast as it can, and would take a core from whoever is
        # measured. It does not see that it was stopped; QEMU's clock would, and QEMU sleeps while it waits.
        self._stopped_while_idle = program.virtual_time
        self._console = stack.enter_context(Console(program, command))
        _, _, stamp = self._console.wait_for(rb"BENCH ready\r?\n")
        self.ready_seconds = stamp - self._console.started
        self.paging = self.order("paging")[1].split()[-1]

    def order(self, text):
        """Has the guest do one thing; returns its times and what it printed."""
        with self._awake():
            self._console.type_line(text)
            _, _, begin = self._console.wait_for(rb"BENCH begin\r?\n")
            cpu_begin = self._console.cpu_seconds()
            found, output, end = self._console.wait_for(rb"BENCH end (\d+)\r?\n")
            cpu_end = self._console.cpu_seconds()
        if found[1] != b"0":
            raise BenchError(f"{self.key}: '{text}' ended in the guest with {found[1].decode()}:\n{console_end(output)}")
        return {"wall_seconds": end - begin, "cpu_seconds": cpu_end - cpu_begin}, output

    @contextlib.contextmanager
    def _awake(self):
        if self._stopped_while_idle:
            self._console.send_signal(signal.SIGCONT)
        try:
            yield
        finally:
            if self._stopped_while_idle:
                self._console.send_signal(signal.SIGSTOP)
