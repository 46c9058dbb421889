#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each benchmark kernel of bench/guest computes in the guest what it computes on this host, in its quick size."""

import re
import subprocess
import sys

from guest_case import check, check_passed, main, readable

KERNELS = 14


def each_kernel_passes(context):
    payloads = context.benchmark_kernels()
    kernels = [name for name in payloads if "." not in name]
    check(len(kernels) == KERNELS, f"{len(kernels)} kernels, not {KERNELS}: {kernels}")
    for name in kernels:
        run = context.run("vm", "run", "--machine", "riscv-virt", "--bios", "none", "--kernel", payloads[name], "--append",
                          "quick=1")
        check_passed(run, name)
        native = subprocess.run([payloads[name + ".native"], "quick"], capture_output=True, text=True, timeout=60, check=False)
        console = readable(run.stdout)
        check(re.search(r" PASS$", console, re.MULTILINE), f"{name}: {console}")
        check(native.stdout.strip() in console, f"{name}: the host prints {native.stdout!r}, the guest {console!r}")


if __name__ == "__main__":
    sys.exit(main(__doc__, [each_kernel_passes]))
