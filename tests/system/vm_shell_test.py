#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""OpenSBI and a Debian kernel to a shell, used on a terminal as a person uses it, with one hart and with four."""

import sys
import time

from guest_case import Shell, check, closing_console, main


def session(context, smp):
    arguments = context.debian("lockstep.shell", drive=f"file={context.copy_of_disk('disk.img')}", net=True, smp=smp)
    with closing_console(Shell([context.lockstep, "vm", "run", *arguments])) as shell:
        shell.wait_for_prompt()
        booted = shell.all
        check(b"OpenSBI" in booted and b"Linux version 6.12" in booted, f"no banner of OpenSBI and of Linux 6.12:\n{shell.tail()}")
        check(shell.settings() != shell.settings_before, "the terminal is not in raw mode while the guest runs")

        def expect(command, *words):
            output, status = shell.command(command)
            check(status == 0, f"'{command}' ended with {status}:\n{output}")
            for word in words:
                check(word in output, f"'{command}' does not print '{word}':\n{output}")
            return output

        expect("nproc", str(smp))
        expect("ls /", "bin", "dev", "init", "proc")
        expect("top -n1 -b", "Mem:", "PID", "CPU:")
        expect("ping -c1 10.0.2.2", "1 packets received, 0% packet loss")
        # The shell's init mounts the drive; this does it by hand.
        expect("umount /mnt && mount -t ext2 /dev/vda /mnt && mount", "/dev/vda on /mnt type ext2")
        expect("cd /mnt && md5sum -c known.md5 && cd /", "known.txt: OK")
        expect("echo kept > /mnt/note && sync")
        begin = time.monotonic()
        expect("sleep 5")
        print(f"    {smp} hart(s): 'sleep 5' took {time.monotonic() - begin:.2f} s of wall time")
        # Job control: Ctrl-C reaches the guest, not the program. The shell has left its line editor when 'begun' comes,
        # and hands the terminal to the process of 'sleep' soon after; before that the key would reach the shell alone.
        shell.send("echo 'be'gun; sleep 1000\n")
        shell.until(rb"begun")
        time.sleep(2)
        shell.send(b"\x03")
        shell.wait_for_prompt()
        expect("true")
        leave(shell)


def leave(shell):
    shell.send(b"\x01h")
    shell.until(rb"Ctrl-A X +leave")
    shell.send(b"\x01x")
    status = shell.end()
    check(status == 0, f"Ctrl-A X ended with {status}")
    check(shell.settings() == shell.settings_before, "the terminal is not as it was before the program")


def shell_with_one_hart(context):
    session(context, 1)


def shell_with_four_harts(context):
    session(context, 4)


def exit_powers_off(context):
    """The end of the shell powers the machine off, and what was written is in the image afterwards."""
    image = context.copy_of_disk("disk.img")
    arguments = context.debian("lockstep.shell quiet", drive=f"file={image}")
    with closing_console(Shell([context.lockstep, "vm", "run", *arguments])) as shell:
        shell.wait_for_prompt()
        shell.command("echo kept-by-the-drive > /mnt/note")
        shell.send("exit\n")
        status = shell.end()
        check(status == 0, f"the power-off ended with {status}")
        check(shell.settings() == shell.settings_before, "the terminal is not as it was before the program")
    check(b"kept-by-the-drive" in image.read_bytes(), "what the guest wrote is not in the image")


def a_signal_restores_the_terminal(context):
    with closing_console(Shell([context.lockstep, "vm", "run", "--kernel", context.benchmark_kernels()["sieve"],
                                "--append", "rounds=4000000000"])) as shell:
        while shell.settings() == shell.settings_before:
            time.sleep(0.05)
        shell.signal(15)
        status = shell.end()
        check(status == -15, f"SIGTERM ended the program with {status}")
        check(shell.settings() == shell.settings_before, "the terminal is not as it was before the program")


if __name__ == "__main__":
    sys.exit(main(__doc__, [shell_with_one_hart, shell_with_four_harts, exit_powers_off, a_signal_restores_the_terminal]))
