#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `lockstep vm` says to bad input: one clear message that names the thing, the status for bad usage, never a crash."""

import os
import random
import signal
import socket
import subprocess
import sys

from guest_case import Skip, check, check_passed, main

BAD_USAGE = 2
# No run of these does any work.
TIMEOUT_S = 120


def refuse(context, *arguments, says=(), status=BAD_USAGE, command="run"):
    """The program refuses the line with this status and a short message that holds these words, and with --json also as an
    object."""
    run = context.run("vm", command, *arguments, timeout_s=TIMEOUT_S)
    line = f"vm {command} {' '.join(map(str, arguments))}"
    text = run.stderr.decode(errors="replace")
    check(run.status == status, f"'{line}' ended with {run.status}, not {status}:\n{text[-600:]}")
    for word in (says,) if isinstance(says, str) else says:
        check(word in text, f"'{line}' does not say '{word}':\n{text[-600:]}")
    check(0 < len(text) < 1000, f"'{line}' has a message of {len(text)} bytes")
    return run


def write(context, name, content):
    path = context.folder / name
    path.write_bytes(content)
    return path


def sparse(context, name, size_bytes):
    path = context.folder / name
    with open(path, "wb") as file:
        file.truncate(size_bytes)
    return path


def hello(context):
    return context.bare_guests()["hello"]


def kernels(context):
    good = open(hello(context), "rb").read()
    refuse(context, says=("no --kernel", "guests/build"))
    refuse(context, "--kernel", context.folder / "absent", says=("absent", "No such file"))
    refuse(context, "--kernel", context.folder, says=(str(context.folder), "directory"))
    refuse(context, "--kernel", write(context, "empty", b""), says=("empty", "is empty"))
    refuse(context, "--kernel", write(context, "header.elf", good[:20]), says=("header.elf", "truncated"))
    refuse(context, "--kernel", write(context, "cut.elf", good[:4200]), says=("cut.elf", "truncated", "segment"))
    refuse(context, "--kernel", sparse(context, "large", 200 << 20), "--memory", "64M",
           says=("large", "200 MiB", "64 MiB", "--memory"))
    refuse(context, "--kernel", hello(context), "--bios", context.folder / "absent", says=("firmware", "absent"))
    refuse(context, "--kernel", hello(context), "--initrd", context.folder / "absent", says=("initrd", "absent"))
    refuse(context, "--kernel", hello(context), "--initrd", sparse(context, "ramdisk", 200 << 20), "--memory", "64M",
           says=("initrd", "ramdisk", "200 MiB", "--memory"))
    run = refuse(context, "--kernel", context.folder / "absent", "--json", says="absent")
    check(run.result["exit"] == {"reason": "error", "code": 2} and "absent" in run.result["message"],
          f"--json says {run.stdout!r}")


def an_elf_with_any_byte_changed(context):
    """A mutated header is refused or runs; it never crashes the program. The seed is printed and taken back."""
    good = bytearray(open(hello(context), "rb").read())
    seed = context.options.seed if context.options.seed is not None else random.randrange(1 << 32)
    print(f"    seed {seed}")
    chosen = random.Random(seed)
    for _ in range(40):
        bad = bytearray(good)
        # The ELF header and the program headers are at the start.
        for _ in range(chosen.randrange(1, 4)):
            bad[chosen.randrange(0, 240)] = chosen.randrange(256)
        path = write(context, "mutant.elf", bytes(bad))
        run = context.run("vm", "run", "--kernel", path, "--memory", "16M", "--max-instructions", "1000000",
                          timeout_s=TIMEOUT_S)
        # A mutant may well be a guest that goes to sleep for ever, which is an end of its own and said so.
        asleep = run.status == 3 and b"every hart waits" in run.stderr
        check(0 <= run.status <= 125 and (run.status != 3 or asleep),
              f"seed {seed}: a mutant ended with {run.status}: {run.stderr[-300:]!r}")


def drives(context):
    kernel = ("--kernel", hello(context))
    image = write(context, "disk.img", bytes(1 << 20))
    refuse(context, *kernel, "--drive", f"file={context.folder}/absent", says=("absent", "No such file"))
    refuse(context, *kernel, "--drive", f"file={context.folder}", says="directory")
    refuse(context, *kernel, "--drive", f"file={context.folder},readonly=on", says=(str(context.folder), "disk image"))
    refuse(context, *kernel, "--drive", f"file={write(context, 'odd.img', b'x' * 700)}", says=("odd.img", "512-byte"))
    refuse(context, *kernel, "--drive", "disk.img", says=("'disk.img'", "file=PATH"))
    refuse(context, *kernel, "--drive", "readonly=on", says="names no file")
    refuse(context, *kernel, "--drive", f"file={image},readnoly=on", says=("readnoly=on", "readonly=on|off"))
    refuse(context, *kernel, "--drive", f"file={image},readonly=maybe", says="readonly=maybe")
    refuse(context, *kernel, *["--drive", f"file={image},readonly=on"] * 9, says="drive")


def an_image_that_cannot_be_read(context):
    if os.geteuid() == 0:
        raise Skip("root reads every file")
    image = write(context, "secret.img", bytes(4096))
    image.chmod(0)
    refuse(context, "--kernel", hello(context), "--drive", f"file={image}", says=("secret.img", "Permission denied"))
    image.chmod(0o400)
    refuse(context, "--kernel", hello(context), "--drive", f"file={image}", says=("secret.img", "readonly=on"))


def values(context):
    kernel = ("--kernel", hello(context))
    for value in ("12X", "-1", "", "1.5G", "0x100"):
        refuse(context, *kernel, f"--memory={value}", says=("--memory", "such as 512M") if value else "--memory")
    for value in ("0", "4K", "99999T", "4097K", "1048577"):
        refuse(context, *kernel, "--memory", value, says=("--memory", "1 MiB to 64 GiB"))
    for value in ("10", "us", "-1us", "10 us"):
        refuse(context, *kernel, f"--quantum={value}", says=("--quantum", "such as 10us"))
    for value in ("0us", "2s"):
        refuse(context, *kernel, "--quantum", value, says=("quantum", "at most 1 s"))
    for value in ("abc", "-5", "1e9", "99999999999999999999999"):
        refuse(context, *kernel, f"--max-instructions={value}", says="--max-instructions")
    for value in ("0", "9", "four"):
        refuse(context, *kernel, "--smp", value, says="--smp")
    for option, value in (("--engine", "qemu"), ("--fusion", "maybe"), ("--machine", "pc"), ("--net", "tap")):
        refuse(context, *kernel, option, value, says=(option, value))
    for value, says in (("interpretr", '"interpreter"'), ("interpreter:fuson=off", '"fusion"'), ("interpreter:fusion=of", "on or off"),
                        ("interpreter:", "block-links"), ("interpreter:fusion", "on or off"), (":", "interpreter")):
        refuse(context, *kernel, "--engine", value, says=("--engine", says))


def unknown_words(context):
    kernel = ("--kernel", hello(context))
    refuse(context, "--kernl", hello(context), says=("'--kernl'", '"--kernel"', "lockstep vm run --help"))
    refuse(context, *kernel, "--max-instruction", "5", says=("'--max-instruction'", '"--max-instructions"'))
    refuse(context, *kernel, "--snapshot", "5", says=("'--snapshot'", "snapshot"))
    refuse(context, *kernel, "stray", says=("unknown argument 'stray'",))
    refuse(context, command="restroe", says=("unknown command 'restroe'", '"restore"'))
    run = context.run("vmm", timeout_s=TIMEOUT_S)
    check(run.status == BAD_USAGE and b"unknown command 'vmm'" in run.stderr and b'"vm"' in run.stderr, f"{run}")
    for bare in ((), ("vm",)):
        run = context.run(*bare, timeout_s=TIMEOUT_S)
        check(run.status == BAD_USAGE and run.stderr + run.stdout, f"'lockstep {' '.join(bare)}': {run}")


def files_to_write(context):
    kernel = ("--kernel", hello(context))
    absent = context.folder / "no/folder"
    refuse(context, *kernel, "--console-log", absent, says=("--console-log", "no/folder"))
    refuse(context, *kernel, "--console-log", context.folder, says=("--console-log", "directory"))
    refuse(context, *kernel, "--input-log", absent, says=("input log", "no/folder"))
    refuse(context, *kernel, "--input", absent, says="no/folder")
    refuse(context, *kernel, "--replay-input", absent, says="no/folder")
    refuse(context, *kernel, "--replay-input", write(context, "log", b"12 later 00\n"), says=("log:1", "input log"))
    refuse(context, *kernel, "--trace", "everything", says=("'everything'", "exec, irq, mmio and mem"))
    refuse(context, *kernel, "--trace", f"irq:{absent}", says=("--trace", "no/folder"))
    refuse(context, *kernel, "--snapshot-at", "100", says="--snapshot-file")
    refuse(context, *kernel, "--snapshot-at", "1000", "--snapshot-file", absent, says=("snapshot", "no/folder"))
    refuse(context, *kernel, "--at", "99999999999", "--output", context.folder / "never", command="snapshot",
           says=("before the snapshot", "99999999999"))
    check(not (context.folder / "never").exists(), "a snapshot that was not reached left a file")


def gdb_addresses(context):
    kernel = ("--kernel", hello(context))
    for value in (":99999", "nonsense", ":", ":-1"):
        refuse(context, *kernel, f"--gdb={value}", says=value)
    refuse(context, *kernel, "--gdb", "192.0.2.1:1234", says=("192.0.2.1", "loopback"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refuse(context, *kernel, "--gdb", f":{port}", says=(str(port), "in use"))


def snapshots(context):
    guests = context.bare_guests()
    image = write(context, "disk.img", bytes(1 << 20))
    snapshot = context.folder / "good.snapshot"
    made = context.run("vm", "snapshot", "--kernel", guests["smp"], "--smp", 2, "--memory", "32M", "--drive", f"file={image}",
                       "--at", "20000", "--output", snapshot)
    check_passed(made, "vm snapshot")
    good = snapshot.read_bytes()

    def restore(path, *options, says):
        return refuse(context, path, *options, says=says, command="restore")

    restore(context.folder / "absent", says=("absent", "No such file"))
    restore(context.folder, says="directory")
    restore(guests["hello"], says="not a snapshot")
    restore(write(context, "empty.snapshot", b""), says="empty.snapshot")
    for part in (8, 64, len(good) // 2, len(good) - 1):
        restore(write(context, "cut.snapshot", good[:part]), says="cut.snapshot")
    chosen = random.Random(7)
    for _ in range(12):
        bad = bytearray(good)
        bad[chosen.randrange(len(bad))] ^= 1 << chosen.randrange(8)
        restore(write(context, "bad.snapshot", bytes(bad)), says="bad.snapshot")
    restore(snapshot, "--smp", "4", says=("--smp 4", "--smp 2"))
    restore(snapshot, "--memory", "64M", says=("--memory 64M", "--memory 32M"))
    restore(snapshot, "--quantum", "1ms", says=("--quantum 1ms", "--quantum 10us"))
    restore(snapshot, "--net", "user", says="--net user")
    restore(snapshot, "--kernel", guests["hello"], says="takes no --kernel")
    restore(snapshot, "--drive", f"file={image}", "--drive", f"file={image},readonly=on", says="--drive")
    restore(snapshot, "--drive", f"file={write(context, 'small.img', bytes(512))}", says=("small.img", "2048"))
    image.unlink()
    restore(snapshot, says=("disk.img", "No such file"))
    check_passed(context.run("vm", "restore", snapshot, "--smp", 2, "--memory", "32M", "--drive",
                             f"file={write(context, 'moved.img', bytes(1 << 20))}"), "a restore that repeats the shape")


def nobody_reads_the_console(context):
    """A closed pipe ends the run, as it does with any program of a pipeline; a full disk is told."""
    guests = context.bare_guests()
    for extra in ((), ("--json",)):
        reader, writer = os.pipe()
        os.close(reader)
        run = subprocess.run([context.lockstep, "vm", "run", "--kernel", guests["hello"], *extra], stdin=subprocess.DEVNULL,
                             stdout=writer, stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
        os.close(writer)
        check(run.returncode == -signal.SIGPIPE, f"a closed pipe ended the run with {run.returncode}")
    with open("/dev/full", "wb") as full:
        run = subprocess.run([context.lockstep, "vm", "run", "--kernel", guests["hello"], "--json"], stdin=subprocess.DEVNULL,
                             stdout=full, stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
        check(run.returncode == BAD_USAGE and b"cannot write to stdout" in run.stderr, f"a full disk: {run}")


def guests_that_fail(context):
    """A guest's own failure has its status and is told; a machine that can do nothing more is too."""
    # wfi; j . -- with no timer set nothing ever wakes the hart.
    stuck = write(context, "stuck.bin", bytes.fromhex("73005010" "6ff0dfff"))
    run = context.run("vm", "run", "--kernel", stuck, "--json", timeout_s=TIMEOUT_S)
    check(run.status == 3 and run.result["exit"]["reason"] == "idle", f"{run}")


def add_options(parser):
    parser.add_argument("--seed", type=int, help="the seed of the mutated files, as a run before printed it")


if __name__ == "__main__":
    sys.exit(main(__doc__, [kernels, an_elf_with_any_byte_changed, drives, an_image_that_cannot_be_read, values, unknown_words,
                            files_to_write, gdb_addresses, snapshots, nobody_reads_the_console, guests_that_fail], add_options))
