#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same inputs give the same instruction count and digests, on every run and under every option of the engine."""

import sys

from guest_case import SHORT_CHECKS, check, check_passed, check_same, main

ENGINE_OPTIONS = (("--fusion", "off"), ("--block-links", "off"), ("--tlb", "flush"), ("--async-io", "off"), ("--numa", "on"),
                  ("--engine", "jit"), ("--engine", "jit:links=off"))


def boot(context, smp, *options, name="disk.img"):
    """One boot with drive and network; every run has a fresh copy of the image."""
    words = "" if context.options.full else f"lockstep.checks={SHORT_CHECKS}"
    drive = f"file={context.copy_of_disk(name)}"
    run = context.run("vm", "run", "--json", *context.debian(words, drive=drive, net=True, smp=smp), *options)
    check_passed(run, f"{smp} hart(s) {' '.join(options)}")
    check(b"CHECK net PASS" in run.stderr and b"CHECK block PASS" in run.stderr, "network and drive were not checked")
    seen = run.observables
    print(f"    {smp} hart(s) {' '.join(options)}: {seen['instructions']} instructions, {run.result['wall_seconds']:.1f} s, "
          f"memory {seen['memory_sha256'][:12]}", flush=True)
    return seen


def agree(context, smp, options):
    first = boot(context, smp)
    image = (context.folder / "disk.img").read_bytes()
    for chosen in options:
        check_same(first, boot(context, smp, *chosen), f"{smp} hart(s): a plain run and one with '{' '.join(chosen)}'")
        check((context.folder / "disk.img").read_bytes() == image, f"'{' '.join(chosen)}' leaves another drive")


def one_hart(context):
    agree(context, 1, [()] + ([] if not context.options.full else list(ENGINE_OPTIONS)))


def four_harts(context):
    agree(context, 4, [()] + ([] if not context.options.full else list(ENGINE_OPTIONS)))


def engine_options_of_two_harts(context):
    """All options at once and each alone; with --full the two tests above take each alone with the whole boot."""
    everything = tuple(word for option in ENGINE_OPTIONS for word in option if "--engine" not in option)
    agree(context, 2, [everything, ("--engine", "jit"), ("--engine", "jit", *everything)])


def engine_options_on_the_way(context):
    """Each option alone, stopped in the middle of the kernel's boot: the digests hold at any count, not only at the end."""
    limit = ("--max-instructions", "300000000")
    arguments = context.debian("earlycon=sbi", smp=2)

    def stopped(*options):
        run = context.run("vm", "run", "--json", *arguments, *limit, *options)
        check(run.status == 124, f"'{' '.join(options)}' ended with {run.status}")
        return run.observables

    first = stopped()
    check(first["instructions"] == 300000000, f"the limit was 300000000 and {first['instructions']} were begun")
    for option in ENGINE_OPTIONS:
        check_same(first, stopped(*option), f"a plain run and one with {' '.join(option)}")


def add_options(parser):
    parser.add_argument("--full", action="store_true", help="all checks of the guest's init, each option with a whole boot")


if __name__ == "__main__":
    sys.exit(main(__doc__, [one_hart, four_harts, engine_options_of_two_harts, engine_options_on_the_way], add_options))
