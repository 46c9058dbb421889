#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gdb on the host sees guest symbols in generated code, and unwinds from it to the engine."""

import re
import subprocess
import sys

from guest_case import RUN_TIMEOUT_S, Skip, check, main, need_tool

# Stops where generated code asks for a page, some times after the guest has begun, and then goes on, an instruction at a
# time, until the thunk has returned to the guest's code.
COMMANDS = """set pagination off
set confirm off
set debuginfod enabled off
break lockstep::jit::runtime::probe
ignore 1 20
run
echo == called\\n
bt 12
python
import gdb
for _ in range(4000):
  if "guest 0x" in (gdb.selected_frame().name() or ""):
    break
  gdb.execute("stepi", to_string=True)
end
echo == inside\\n
bt 12
kill
quit
"""


def gdb(context, commands, *arguments):
    script = context.folder / "commands.gdb"
    script.write_text(commands)
    done = subprocess.run(["gdb", "-nx", "-batch", "-x", str(script), "--args", context.lockstep, "vm", "run", *arguments],
                          capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL)
    text = done.stdout + done.stderr
    if "ptrace" in text or "Could not trace" in text or "Operation not permitted" in text:
        raise Skip("this host lets no program be debugged")
    return text


def frames_of(text, title):
    part = text.split(f"== {title}\n", 1)
    check(len(part) == 2, f"gdb did not get there:\n{text[-2000:]}")
    return [line for line in part[1].split("== ", 1)[0].splitlines() if line.startswith("#")]


def check_backtrace(frames):
    text = "\n".join(frames)
    guest = [k for k, line in enumerate(frames) if re.search(r" in [a-z_]+\S* \[guest 0x[0-9a-f]+, tier [12]\]", line)]
    check(len(guest) == 1, f"no frame of the guest in the backtrace:\n{text}")
    check("engine_run.cpp" in frames[guest[0] + 1] or "run" in frames[guest[0] + 1], f"it is not the engine's:\n{text}")
    check(any("HartScheduler" in line for line in frames[guest[0] + 2:]), f"it ends before the engine's caller:\n{text}")
    return guest[0]


def a_backtrace_has_guest_symbols(context):
    need_tool("gdb")
    text = gdb(context, COMMANDS, "--kernel", context.bare_guests()["integer"], "--engine", "jit:threads=0:threshold=16",
               "--gdb-jit")
    called = frames_of(text, "called")
    check("lockstep_jit_slow_" in called[check_backtrace(called) - 1], "the thunk has no name:\n" + "\n".join(called))
    check(check_backtrace(frames_of(text, "inside")) == 0, f"not in generated code:\n{text[-2000:]}")


def nothing_is_registered_unasked(context):
    need_tool("gdb")
    text = gdb(context, "set confirm off\nset debuginfod enabled off\nbreak __jit_debug_register_code\nrun\n"
               "echo == ended\\n\ninfo program\nquit\n", "--kernel", context.bare_guests()["hello"], "--engine", "jit")
    check("exited normally" in text, text[-1500:])


if __name__ == "__main__":
    sys.exit(main(__doc__, [a_backtrace_has_guest_symbols, nothing_is_registered_unasked]))
