#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A snapshot taken at random counts of a Debian boot and restored in a new process ends as the unbroken run does,
whichever engine takes it and whichever goes on.

    tests/system/vm_snapshot_test.py                                  # two counts of a short boot, one and four harts
    tests/system/vm_snapshot_test.py --points 50 --only one_hart      # the campaign; --seed N takes a printed seed back
    tests/system/vm_snapshot_test.py --points 10 --full               # fewer counts, all checks of the guest
"""

import random
import shutil
import sys
import time

from guest_case import SHORT_CHECKS, check, check_passed, check_same, main


ENGINES = ("interpreter", "jit")


def campaign(context, smp, devices):
    """The drive is copied for every run, and what a run had written to it by the time of its snapshot goes on with the
    snapshot: a restore reads the image as the snapshotting process left it."""
    options = context.options
    words = "" if options.full else f"lockstep.checks={SHORT_CHECKS}"
    image = context.folder / "disk.img"

    def machine(name=image):
        return context.debian(words, drive=f"file={name}" if devices else None, net=devices, smp=smp)

    if devices:
        context.copy_of_disk("disk.img")
    whole = context.run("vm", "run", "--json", *machine())
    check_passed(whole, "the unbroken run")
    total = whole.observables["instructions"]
    drive_at_the_end = image.read_bytes() if devices else b""
    seed = options.seed if options.seed is not None else random.randrange(1 << 32)
    print(f"    {smp} hart(s), {'drive and network' if devices else 'no devices'}: {total} instructions, seed {seed}", flush=True)
    chosen = random.Random(seed * 16 + smp * 2 + devices)
    began = time.monotonic()
    for number, count in enumerate(sorted(chosen.randrange(1, total) for _ in range(options.points)), 1):
        if devices:
            context.copy_of_disk("disk.img")
        snapshot = context.folder / "machine.snapshot"
        maker = ENGINES[number % 2]
        saved = context.run("vm", "snapshot", "--json", "--engine", maker, *machine(), "--at", count, "--output", snapshot)
        check_passed(saved, f"vm snapshot --at {count} --engine {maker}")
        drive_at_the_snapshot = image.read_bytes() if devices else b""
        for engine in ENGINES:
            if devices:
                image.write_bytes(drive_at_the_snapshot)
            what = f"a snapshot of {maker} at {count}, restored in {engine}"
            restored = context.run("vm", "restore", snapshot, "--json", "--engine", engine)
            check_passed(restored, what)
            check_same(whole.observables, restored.observables, f"the unbroken run and one through {what}")
            if devices:
                check(image.read_bytes() == drive_at_the_end, f"through {what} the drive ends with other bytes")
        print(f"      [{number}/{options.points}, {time.monotonic() - began:.0f} s] at {count} by {maker}: the same end in either "
              f"engine ({snapshot.stat().st_size >> 20} MiB)", flush=True)


def one_hart(context):
    campaign(context, 1, False)


def four_harts_with_drive_and_network(context):
    campaign(context, 4, True)


def a_drive_in_memory_goes_into_the_snapshot(context):
    """With overlay=on the image never changes, so a snapshot is restored as often as one likes."""
    image = context.copy_of_disk("disk.img")
    before = image.read_bytes()
    arguments = context.debian("lockstep.checks=block", drive=f"file={image},overlay=on")
    whole = context.run("vm", "run", "--json", *arguments)
    check_passed(whole, "the unbroken run")
    # Near the end, where the guest has written.
    count = whole.observables["instructions"] * 97 // 100
    snapshot = context.folder / "machine.snapshot"
    check_passed(context.run("vm", "snapshot", *arguments, "--at", count, "--output", snapshot), "vm snapshot")
    copy = context.folder / "copy.snapshot"
    shutil.copyfile(snapshot, copy)
    for name in (snapshot, copy):
        restored = context.run("vm", "restore", name, "--json")
        check_passed(restored, f"vm restore {name.name}")
        check_same(whole.observables, restored.observables, f"the unbroken run and {name.name}")
    check(image.read_bytes() == before, "overlay=on changed the image")


def a_run_goes_on_after_its_snapshot(context):
    """--snapshot-at in a run changes nothing of the run."""
    guests = context.bare_guests()
    arguments = ["--kernel", guests["smp"], "--smp", 4]
    whole = context.run("vm", "run", "--json", *arguments)
    check_passed(whole, "the run")
    snapshot = context.folder / "machine.snapshot"
    count = whole.observables["instructions"] // 2
    broken = context.run("vm", "run", "--json", *arguments, "--snapshot-at", count, "--snapshot-file", snapshot)
    check_passed(broken, "the run with a snapshot on its way")
    check_same(whole.observables, broken.observables, "runs without and with a snapshot on the way")
    restored = context.run("vm", "restore", snapshot, "--json")
    check_passed(restored, "the restored run")
    check_same(whole.observables, restored.observables, "the run and the restored one")


def add_options(parser):
    parser.add_argument("--points", type=int, default=2, help="random counts a machine (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="the seed of the counts, as a run before printed it")
    parser.add_argument("--full", action="store_true", help="all checks of the guest's init")


if __name__ == "__main__":
    sys.exit(main(__doc__.split("\n", maxsplit=1)[0], [one_hart, four_harts_with_drive_and_network,
             a_drive_in_memory_goes_into_the_snapshot, a_run_goes_on_after_its_snapshot], add_options))
