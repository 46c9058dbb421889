#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's gdb-multiarch on `lockstep vm run --gdb`: breakpoints, steps, registers, memory, harts as threads, and the three
ways to let go."""

import re
import signal
import subprocess
import sys

from guest_case import Console, Failure, Shell, check, closing_console, main, need_tool

TIMEOUT_S = 300


class Stub:
    """The program waiting for gdb on a port of its own choice."""

    def __init__(self, context, *arguments):
        need_tool("gdb-multiarch")
        self._process = subprocess.Popen([context.lockstep, "vm", "run", *map(str, arguments), "--gdb", ":0"],
                                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self._process.stderr.readline().decode()
        found = re.search(r"target remote :(\d+)", line)
        check(found is not None, f"the program does not say its port: {line}")
        self.port = int(found.group(1))

    def gdb(self, *commands, kernel=None):
        """Runs gdb with these commands after it has connected; its output."""
        arguments = ["gdb-multiarch", "-nx", "-batch", "-ex", "set pagination off", "-ex", "set confirm off",
                     "-ex", "set architecture riscv:rv64", "-ex", "set remotetimeout 120"]
        if kernel:
            arguments.append(kernel)
        for command in (f"target remote 127.0.0.1:{self.port}", *commands):
            arguments += ["-ex", command]
        try:
            done = subprocess.run(arguments, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
                                  stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"gdb did not end: {(error.stdout or b'')[-1500:]!r}") from error
        return done.stdout + done.stderr

    def end(self):
        output, errors = self._process.communicate(timeout=TIMEOUT_S)
        return self._process.returncode, output, errors

    def close(self):
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


def expect(output, *patterns):
    for pattern in patterns:
        check(re.search(pattern, output) is not None, f"gdb does not print {pattern!r}:\n{output[-3000:]}")


def address_of_start_kernel(context):
    """From the guest itself: its kernel tells every address to a shell that is root."""
    arguments = context.debian("lockstep.shell nokaslr quiet")
    with closing_console(Shell([context.lockstep, "vm", "run", *arguments])) as shell:
        shell.wait_for_prompt()
        output, _ = shell.command("grep ' start_kernel$' /proc/kallsyms")
        found = re.search(r"\b([0-9a-f]{16}) T start_kernel", output)
        check(found is not None, f"/proc/kallsyms does not hold start_kernel:\n{output}")
        shell.send(b"\x01x")
        shell.end()
        return int(found.group(1), 16)


def a_kernel_stops_at_start_kernel(context):
    address = address_of_start_kernel(context)
    print(f"    start_kernel is at {address:#x}")
    with closing_console(Stub(context, *context.debian("nokaslr earlycon=sbi"))) as stub:
        # The address is mapped only once the kernel has turned its paging on: the breakpoint waits for it.
        output = stub.gdb(f"hbreak *{address:#x}", "continue", "info registers pc sp satp priv", f"x/4i {address:#x}", "stepi",
                          "stepi", "p/x $pc", "x/2gx $sp", "delete", "kill")
        expect(output, rf"Breakpoint 1, {address:#018x}", rf"pc\s+{address:#x}", r"satp\s+0x[89a][0-9a-f]{15}",
               rf"=> {address:#x}:\s+\S+", r"\$1 = 0x[0-9a-f]+", r"0x[0-9a-f]+:\s+0x[0-9a-f]{16}\s+0x[0-9a-f]{16}")
        after = int(re.search(r"\$1 = (0x[0-9a-f]+)", output).group(1), 16)
        check(address < after <= address + 8, f"two steps after {address:#x} pc is {after:#x}")
        status, _, errors = stub.end()
        check(status == 0, f"killed by gdb, the program ended with {status}: {errors!r}")


def a_bare_guest_is_debugged_by_its_symbols(context):
    """Breakpoint by name, steps, registers and memory read and written, detach, and the guest's own end."""
    guest = context.bare_guests()["hello"]
    with closing_console(Stub(context, "--kernel", guest)) as stub:
        output = stub.gdb("p/x $pc", "break main", "continue", "bt 1", "set $a0 = 0x1234567", "p/x $a0", "p/x *(char[4]*)$pc",
                          "set var *(long*)($sp-64) = 0x1122334455667788", "x/gx $sp-64", "stepi", "info symbol $pc",
                          "p/x $mstatus", "p $ft0", "x/1gx 0x10", "monitor time", "detach", kernel=guest)
        expect(output, r"\$1 = 0x1000", r"Breakpoint 1, .*main", r"\$2 = 0x1234567", r"\$3 = \{0x", r"0x1122334455667788",
               r"main", r"\$4 = 0x[0-9a-f]+", "Cannot access memory at address 0x10", r"\d+ instructions", "detached")
        status, console, _ = stub.end()
        check(status == 0 and b"0 failed" in console, f"detached, the guest ended with {status}: {console!r}")


def the_end_of_the_guest_is_told(context):
    guest = context.bare_guests()["hello"]
    with closing_console(Stub(context, "--kernel", guest)) as stub:
        expect(stub.gdb("continue", kernel=guest), r"exited normally")
        check(stub.end()[0] == 0, "the program did not end with the guest's status")


def a_watchpoint_stops_at_the_store(context):
    guest = context.bare_guests()["hello"]
    with closing_console(Stub(context, "--kernel", guest)) as stub:
        output = stub.gdb("break main", "continue", "set $where = ($sp - 4096) & ~7", "watch *(long*)($sp - 16)", "continue",
                          "info watchpoints", "kill", kernel=guest)
        expect(output, r"[Ww]atchpoint 2", r"Old value", r"New value")


def harts_are_threads(context):
    guest = context.bare_guests()["smp"]
    with closing_console(Stub(context, "--kernel", guest, "--smp", 2)) as stub:
        output = stub.gdb("info threads", "break main", "continue", "info threads", "thread 2", "p/x $pc", "stepi", "p/x $pc",
                          "thread 1", "p $mhartid", "thread 2", "p $mhartid", "kill", kernel=guest)
        expect(output, r"\* 1 +Thread", r"\n +2 +Thread", r"Breakpoint 1", r"\$3 = 0\b", r"\$4 = 1\b")
        steps = re.findall(r"\$[12] = (0x[0-9a-f]+)", output)
        check(len(steps) == 2 and steps[0].startswith("0x80"), f"hart 1 does not step: {steps}\n{output}")


def an_interrupt_stops_a_running_guest(context):
    """Ctrl-C in gdb, on a guest that would run for hours."""
    need_tool("gdb-multiarch")
    guest = context.benchmark_kernels()["sieve"]
    with closing_console(Stub(context, "--kernel", guest, "--append", "rounds=4000000000")) as stub:
        with closing_console(Console(["gdb-multiarch", "-nx", "-q", "-ex", "set confirm off", "-ex", "set pagination off", guest,
                                      "-ex", f"target remote 127.0.0.1:{stub.port}"])) as gdb:
            gdb.until(rb"\(gdb\) ")
            gdb.send("continue\n")
            gdb.until(rb"Continuing")
            # The terminal of a test controls no process, so that Ctrl-C has to come as the signal it makes.
            gdb.signal(signal.SIGINT)
            gdb.until(rb"received signal SIGINT")
            gdb.until(rb"\(gdb\) ")
            gdb.send("kill\n")
            gdb.until(rb"killed")
            gdb.send("quit\n")
            gdb.end()
        check(stub.end()[0] == 0, "killed by gdb, the program did not end well")


def a_debugged_run_counts_the_same(context):
    """Breakpoints and steps change nothing that the guest or the digests see."""
    guest = context.bare_guests()["smp"]
    arguments = ["--kernel", guest, "--smp", 2]
    plain = context.run("vm", "run", *arguments, "--json")
    with closing_console(Stub(context, *arguments, "--json")) as stub:
        stub.gdb("break main", "continue", "stepi", "stepi", "stepi", "delete", "continue", kernel=guest)
        _, output, _ = stub.end()
    for name in ("instructions", "console_sha256", "state_sha256", "memory_sha256"):
        value = str(plain.result["observables"][name])
        check(value in output.decode(), f"{name} is {value} in a plain run, and another one in:\n{output.decode()}")


if __name__ == "__main__":
    sys.exit(main(__doc__, [a_bare_guest_is_debugged_by_its_symbols, the_end_of_the_guest_is_told,
                            a_watchpoint_stops_at_the_store, harts_are_threads, an_interrupt_stops_a_running_guest,
                            a_debugged_run_counts_the_same, a_kernel_stops_at_start_kernel]))
