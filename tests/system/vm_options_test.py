#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Limits, traces, console and input of `lockstep vm run`."""

import hashlib
import re
import sys
import time

from guest_case import Shell, check, check_passed, check_same, closing_console, main


def the_limit_is_exact(context):
    guest = context.bare_guests()["smp"]
    for smp in (1, 4):
        for limit in (1, 1000, 123457):
            run = context.run("vm", "run", "--kernel", guest, "--smp", smp, "--max-instructions", limit, "--json")
            check(run.status == 124, f"--max-instructions {limit} ended with {run.status}")
            result = run.result
            check(result["exit"]["reason"] == "max-instructions" and result["instructions"] == limit,
                  f"--max-instructions {limit}, {smp} hart(s): {result['exit']}, {result['instructions']} instructions")
            again = context.run("vm", "run", "--kernel", guest, "--smp", smp, "--max-instructions", limit, "--json",
                                "--fusion", "off", "--block-links", "off")
            check_same(run.observables, again.observables, f"limit {limit}, {smp} hart(s), with and without optimizations")


def an_engine_is_described_with_its_settings(context):
    """What --engine does not say comes from --fusion and --block-links; the result names what held, and is the same."""
    guest = context.bare_guests()["hello"]
    first = None
    for engine, options, expected in (("interpreter", (), (True, True)), ("interpreter:fusion=off", (), (False, True)),
                                      ("interpreter:fusion=on", ("--fusion", "off", "--block-links", "off"), (True, False))):
        run = context.run("vm", "run", "--kernel", guest, "--engine", engine, *options, "--json")
        check_passed(run, engine)
        held = run.result["options"]["fusion"], run.result["options"]["block_links"]
        check(run.result["engine"] == "interpreter" and held == expected, f"--engine {engine} {options}: {held}")
        first = first or run.observables
        check_same(first, run.observables, f"--engine interpreter and {engine} {options}")


def the_exec_trace_holds_each_instruction(context):
    guest = context.bare_guests()["hello"]
    trace = context.folder / "exec"
    count = 5000
    run = context.run("vm", "run", "--kernel", guest, "--max-instructions", count, "--trace", f"exec:{trace}", "--json")
    check(run.status == 124, f"status {run.status}")
    lines = trace.read_text().splitlines()
    check(len(lines) == count, f"{len(lines)} lines for {count} instructions")
    pattern = re.compile(r"(\d+) hart0 0x([0-9a-f]{16}) \S+")
    for number, line in enumerate(lines):
        found = pattern.match(line)
        check(found is not None and int(found.group(1)) == number, f"line {number}: {line}")
    check(lines[0].startswith("0 hart0 0x0000000000001000 "), f"the first instruction is {lines[0]}")
    plain = context.run("vm", "run", "--kernel", guest, "--max-instructions", count, "--json")
    check_same(plain.observables, run.observables, "runs with and without a trace")


def device_and_interrupt_traces(context):
    guest = context.bare_guests()["plic"]
    mmio, irq = context.folder / "mmio", context.folder / "irq"
    run = context.run("vm", "run", "--kernel", guest, "--trace", f"mmio:{mmio}", "--trace", f"irq:{irq}", "--json")
    check_passed(run, "the plic guest")
    text = mmio.read_text()
    for pattern in (r"^mmio \d+ write plic\+0x201000 THRESHOLD\[1\] 4 0x", r"^mmio \d+ read uart\S*\+0x5 LSR 1 0x",
                    r"^mmio \d+ write \S+\+0x0 \S+ 4 0x5555"):
        check(re.search(pattern, text, re.MULTILINE) is not None, f"no line {pattern}; the trace begins:\n{text[:800]}")
    text = irq.read_text()
    for pattern in (r"^irq \d+ \d+ source 10 high", r"^irq \d+ \d+ hart 0 mip bit 11 set"):
        check(re.search(pattern, text, re.MULTILINE) is not None, f"no line {pattern}; the trace begins:\n{text[:800]}")


def the_console_log_is_the_console(context):
    guest = context.bare_guests()["hello"]
    log = context.folder / "console"
    run = context.run("vm", "run", "--kernel", guest, "--console-log", log)
    check_passed(run, "hello")
    check(b"hello from hart 0" in run.stdout and log.read_bytes() == run.stdout, "the log is not what stdout had")
    run = context.run("vm", "run", "--kernel", guest, "--console-log", log, "--json")
    check(log.read_bytes() == run.stderr, "with --json the console is not on stderr")
    digest = hashlib.sha256(log.read_bytes()).hexdigest()
    check(run.observables["console_sha256"] == digest, "console_sha256 is not the digest of the console")


def typed(context, *options):
    run = context.run("vm", "run", "--json", *context.debian("lockstep.shell quiet"), *options)
    check_passed(run, " ".join(map(str, options)))
    return run


def a_file_is_typed_at_the_console(context):
    """--input types it as fast as the guest reads, and --input-log keeps it for --replay-input: the same run three times."""
    script = context.folder / "script"
    script.write_text("echo $((6 * 7)) from the shell\nuname -m\nexit\n")
    log = context.folder / "input.log"
    first = typed(context, "--input", script, "--input-log", log)
    check(b"42 from the shell" in first.stderr, f"the shell did not answer: {first.stderr[-600:]!r}")
    check(re.fullmatch(r"(\d+ \d+ [0-9a-f]+\n)+", log.read_text()) is not None, f"the log is {log.read_text()[:300]}")
    check_same(first.observables, typed(context, "--input", script).observables, "two runs with --input")
    check_same(first.observables, typed(context, "--replay-input", log).observables, "--input and --replay-input")


def what_a_person_typed_is_replayed(context):
    """Live input on a terminal, logged with its virtual time; the replay has no terminal and ends the same."""
    log, console = context.folder / "input.log", context.folder / "console"
    arguments = context.debian("lockstep.shell quiet")
    with closing_console(Shell([context.lockstep, "vm", "run", *arguments, "--input-log", log, "--console-log", console])) as shell:
        shell.wait_for_prompt()
        time.sleep(0.7)
        shell.command("echo typed by hand")
        shell.command("cat /proc/uptime")
        shell.send("exit\n")
        check(shell.end() == 0, "the session did not end well")
    replayed = context.folder / "replayed"
    run = context.run("vm", "run", "--json", *arguments, "--replay-input", log, "--console-log", replayed)
    check_passed(run, "the replay")
    check(replayed.read_bytes() == console.read_bytes(), "the replay's console differs from the session's")


def standard_input_that_is_no_terminal_is_typed_too(context):
    run = context.run("vm", "run", *context.debian("lockstep.shell quiet"), input=b"echo a$((2+3))b\nexit\n")
    check_passed(run, "a shell fed by a pipe")
    check(b"a5b" in run.stdout, f"the shell did not answer: {run.stdout[-600:]!r}")


def a_guest_that_fails_has_its_status(context):
    guest = context.benchmark_kernels()["sieve"]
    run = context.run("vm", "run", "--kernel", guest, "--append", "rounds=1 result=1", "--json")
    check(run.status == 1 and run.result["exit"] == {"reason": "guest-fail", "code": 1}, f"{run.status} {run.stdout!r}")
    check("failure" in run.result["message"], f"{run.result['message']}")


if __name__ == "__main__":
    sys.exit(main(__doc__, [the_limit_is_exact, an_engine_is_described_with_its_settings, the_exec_trace_holds_each_instruction,
                            device_and_interrupt_traces,
                            the_console_log_is_the_console, a_guest_that_fails_has_its_status, a_file_is_typed_at_the_console,
                            what_a_person_typed_is_replayed, standard_input_that_is_no_terminal_is_typed_too]))
