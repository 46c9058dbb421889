#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`lockstep random`: engines with options agree, the same programs end alike in the whole machine, at QEMU and at Spike, a saved
program is replayed, a farm runs seeds, and wrong requests are answered."""

import os
import shutil
import sys

from guest_case import ROOT, Skip, check, main

PROGRAM = """isa riscv64
seed 5
start 0x20
bound 100
paging no
portable {portable}
engines interpreter {other}
word 00500513  # addi a0,zero,5
word 000ab023  # sd zero,0(s5)
"""


def agree(context, *arguments):
    run = context.run("random", "--json", "--seed", context.options.seed, *arguments,
                      "--reproducer", context.folder / "difference.txt")
    check(run.status == 0, f"seed {context.options.seed}, {arguments}: {run.stderr[-2000:].decode()}")
    result = run.result
    check(result["agree"] and result["programs"] > 0, f"{arguments}: {result}")
    return result


def engines_with_options(context):
    for engine in ("jit", "jit:tier=1:links=off", "jit:threads=0:threshold=1", "jit:threads=0:threshold=100",
                   "jit:host=baseline:threads=0:threshold=16"):
        result = agree(context, "--engines", f"interpreter,{engine}", "--instructions", context.options.instructions)
        check(result["instructions"] >= context.options.instructions, f"{engine}: {result}")


def the_whole_machine(context):
    for engine in ("interpreter", "jit"):
        agree(context, "--engines", engine, "--against", "vm", "--instructions", context.options.instructions)


def qemu(context):
    if shutil.which("qemu-system-riscv64") is None:
        raise Skip("qemu-system-riscv64 is not installed")
    agree(context, "--against", "qemu", "--instructions", context.options.instructions)


def spike(context):
    program = os.environ.get("LOCKSTEP_SPIKE") or "spike"
    if shutil.which(program) is None:
        raise Skip(f"{program} is not there: build riscv-isa-sim and name it with LOCKSTEP_SPIKE")
    agree(context, "--against", "spike", "--instructions", context.options.instructions)


def replay(context):
    path = context.folder / "program.txt"
    for portable, other in (("no", "jit"), ("yes", "vm")):
        path.write_text(PROGRAM.format(portable=portable, other=other))
        run = context.run("random", "--json", "--replay", path)
        check(run.status == 0 and run.result["programs"] == 1, f"{other}: {run.stderr.decode()}")
        check(run.result["engines"] == ["interpreter", other], f"{run.result}")


def a_farm_job(context):
    run = context.run("farm", "run", ROOT / "matrix/random.yaml", "--workload", "seeds/1000000", "--workers", 1,
                      "--state", context.folder / "farm")
    check(run.status == 0 and b"1 cells: 1 PASS" in run.stdout, f"{run.stdout.decode()} {run.stderr.decode()}")


def wrong_requests(context):
    path = context.folder / "program.txt"
    path.write_text("word 00500513\nbound x\n")
    for arguments, named in ((("--replay", path), f"{path}:2"), (("--replay", "/nonexistent"), "/nonexistent"),
                             (("--engines", "interpreter"), "--engines"), (("--against", "none"), "--against none"),
                             (("--against", "qemu", "--peer-program", "/nonexistent"), "/nonexistent"),
                             (("--against", "spike", "--peer-program", "/nonexistent"), "LOCKSTEP_SPIKE"),
                             (("--engines", "interpreter,jit:tier=9"), "tier")):
        run = context.run("random", *arguments)
        check(run.status == 2 and named in run.stderr.decode(), f"{arguments}: {run.status} {run.stderr.decode()}")


def add_options(parser):
    parser.add_argument("--seed", type=int, default=1, help="first seed")
    parser.add_argument("--instructions", type=int, default=2000000, help="instructions of each comparison")


if __name__ == "__main__":
    sys.exit(main(__doc__, [engines_with_options, the_whole_machine, replay, wrong_requests, a_farm_job, qemu, spike], add_options))
