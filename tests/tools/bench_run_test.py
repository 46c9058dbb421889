# SPDX-License-Identifier: Apache-2.0
"""bench/run, with shell scripts in the place of the emulators and of the guests' payloads, so that the figures it must
compute are known."""

import json
import shutil
import unittest

from script_case import TOOLS, ScriptCase

BENCH = TOOLS.parent / "bench"

# Prints what a kernel prints, and a guest that takes orders where that is what the command line asks for.
GUEST = """
case "$*" in
  *--version*) echo "a peer 1.0" ;;
  *rdinit=*)
    printf 'boot\\r\\nBENCH ready\\r\\n'
    while read -r order kernel size; do
      printf 'BENCH begin\\r\\n'
      case $order in
        paging) echo "paging sv48" ;;
        alone) echo "$kernel rounds 1 result 0x0000000000000001 PASS" ;;
        four) for process in 1 2 3 4; do echo "$kernel rounds 1 result 0x0000000000000002 PASS"; done ;;
        md5_sum) echo "digest /tmp/file" ;;
      esac
      printf 'BENCH end 0\\r\\n'
    done
    ;;
  *--initrd*|*-initrd*)
    echo "[    0.1] Run /init as init process"
    echo "Linux lockstep 6.12.0 riscv64"
    echo "CHECKS 9 passed, 0 failed"
    ;;
  *) echo "sieve rounds 1 result 0x0000000000000001 PASS" ;;
esac
"""
LOCKSTEP = '#!/bin/sh\n' + GUEST + 'case "$*" in *--json*) echo "{\\"instructions\\": 5000}" ;; esac\n'
QEMU = "#!/bin/sh\n" + GUEST
# Takes the place of guests/build in the tree of the test.
BUILD = """#!/bin/sh
case $1 in
  bench) for kernel in sieve nbody; do for kind in "" .linux .native; do
      printf '%s\\t%s\\n' "$kernel$kind" "$(dirname "$0")/kernel$kind"
    done; done
    printf 'wide_code.cold\\tkernel\\nkernels.cpio\\t%s/archive\\n' "$(dirname "$0")" ;;
  riscv64) for name in kernel bios initrd disk; do printf '%s\\t%s/archive\\n' $name "$(dirname "$0")"; done ;;
esac
"""


class BenchRun(ScriptCase):
    def setUp(self):
        super().setUp()
        # bench/run asks guests/build of its own tree for the payloads.
        shutil.copytree(BENCH / "harness", self.root / "bench/harness")
        shutil.copy(BENCH / "run", self.root / "bench/run")
        self.lay_out({"guests/build": BUILD, "guests/kernel.native": "#!/bin/sh\n" + GUEST, "guests/archive": "archive\n",
                      "cache/guests/riscv64/debs/versions": "linux 1\n"})
        for program in ("guests/build", "guests/kernel.native"):
            (self.root / program).chmod(0o755)

    def bench(self, *arguments, lockstep=LOCKSTEP, qemu=QEMU):
        self.lay_out({"lockstep": lockstep, "qemu": qemu})
        for program in ("lockstep", "qemu"):
            (self.root / program).chmod(0o755)
        return self.run_script(self.root / "bench/run", "--lockstep", str(self.root / "lockstep"), "--qemu",
                               str(self.root / "qemu"), *arguments, environment={"LOCKSTEP_CACHE": str(self.root / "cache")})

    def good(self, *arguments, **programs):
        status, output, errors = self.bench("--json", *arguments, **programs)
        self.assertEqual(status, 0, errors)
        return json.loads(output)

    def bad(self, wanted_status, *arguments, **programs):
        status, output, errors = self.bench(*arguments, **programs)
        self.assertEqual(status, wanted_status, output + errors)
        return errors

    def test_a_row_has_every_run_of_every_program_and_ratios_of_the_medians(self):
        result = self.good("--only", "sieve", "--runs", "3", "--engine", "jit,interpreter")
        (row,) = result["rows"]
        self.assertEqual({key: len(program["runs"]) for key, program in row["programs"].items()},
                         {"jit": 3, "interpreter": 3, "qemu": 3, "native": 3})
        self.assertEqual(row["instructions"], 5000)
        self.assertEqual(result["peer"], "a peer 1.0")
        walls = {key: sorted(run["wall_seconds"] for run in program["runs"])[1] for key, program in row["programs"].items()}
        for key in ("jit", "interpreter"):
            self.assertAlmostEqual(row["qemu_over"][key]["wall_seconds"], walls["qemu"] / walls[key])
            self.assertAlmostEqual(row["over_qemu"][key]["wall_seconds"], walls[key] / walls["qemu"])
            self.assertAlmostEqual(row["over_native"][key]["wall_seconds"], walls[key] / walls["native"])

    def test_an_older_build_is_measured_in_the_same_turns(self):
        result = self.good("--only", "sieve", "--runs", "2", "--before", str(self.root / "lockstep"))
        self.assertEqual({key: len(program["runs"]) for key, program in result["rows"][0]["programs"].items()},
                         {"jit": 2, "jit-before": 2, "qemu": 2, "native": 2})
        self.assertIn("'nowhere' is not there; --before names it", self.bad(2, "--before", "nowhere"))

    def test_a_slow_peer_shows_in_ratio_and_means(self):
        slow = QEMU.replace("#!/bin/sh\n", "#!/bin/sh\nsleep 0.3\n")
        result = self.good("--runs", "1", qemu=slow)
        self.assertEqual([(row["name"], row["kind"]) for row in result["rows"]], [("nbody", "floating point"), ("sieve", "integer")])
        ratios = [row["qemu_over"]["jit"]["wall_seconds"] for row in result["rows"]]
        self.assertGreater(min(ratios), 1)
        self.assertAlmostEqual(result["geometric_means"]["all"]["qemu_over"]["jit"]["wall_seconds"], (ratios[0] * ratios[1]) ** 0.5)
        self.assertIn("sieve", result["noise"]["less_than_a_core"])

    def test_the_table_has_a_line_for_each_row_and_the_means(self):
        status, output, errors = self.bench("--runs", "1")
        self.assertEqual(status, 0, errors)
        for line in ("nbody", "sieve", "mean of all"):
            self.assertRegex(output, f"(?m)^{line} +")
        self.assertIn("qemu/jit", output)
        self.assertIn("1 of 2: nbody", errors)

    def test_a_result_is_shown_again_with_the_other_clock_and_as_markdown(self):
        status, output, errors = self.bench("--runs", "1", "--json")
        self.assertEqual(status, 0, errors)
        self.lay_out({"result.json": output})
        cpu = json.loads(output)["rows"][0]["programs"]["qemu"]["cpu_seconds"]
        status, shown, errors = self.bench("--show", str(self.root / "result.json"), "--clock", "cpu", "--markdown")
        self.assertEqual(status, 0, errors)
        self.assertIn("cpu time; peer: a peer 1.0", shown)
        self.assertRegex(shown, rf"(?m)^\| nbody \| [0-9.]+ \| {cpu:.3f} \|")
        self.assertRegex(shown, r"(?m)^\| mean of all \|")
        self.assertIn("holds no result", self.bad(2, "--show", str(self.root / "lockstep")))

    def test_in_debian_one_process_and_four(self):
        result = self.good("--guest", "--runs", "2", "--only", "sieve")
        self.assertEqual([row["label"] for row in result["rows"]], ["alone/sieve", "four/sieve"])
        self.assertEqual(result["paging"], {"jit": "sv48", "qemu": "sv48"})
        self.assertEqual(len(result["rows"][1]["programs"]["qemu"]["runs"]), 2)

    def test_the_boots_marks_come_one_after_the_other(self):
        result = self.good("--system", "--runs", "1")
        rows = {row["label"]: row["programs"]["qemu"]["wall_seconds"] for row in result["rows"]}
        self.assertEqual(list(rows), ["boot_kernel", "boot", "boot_to_power_off", "fork_exec", "shell_loop", "md5sum"])
        self.assertLessEqual(rows["boot_kernel"], rows["boot"])
        self.assertLessEqual(rows["boot"], rows["boot_to_power_off"])

    def test_short_guests_run_on_both_engines(self):
        result = self.good("--cold", "--runs", "1")
        self.assertEqual([row["name"] for row in result["rows"]], ["wide_code", "nbody", "sieve"])
        self.assertEqual(list(result["rows"][0]["programs"]), ["jit", "interpreter", "qemu"])

    def test_a_peer_that_is_not_installed_is_left_out_with_the_reason(self):
        result = self.good("--only", "sieve", "--runs", "1", "--qemu", "no-such-emulator")
        self.assertIn("no-such-emulator is not installed", result["peer_skipped"])
        self.assertEqual(result["rows"][0]["qemu_over"], {})

    def test_without_debian_its_modes_measure_nothing_and_say_why(self):
        (self.root / "cache/guests/riscv64/debs/versions").unlink()
        self.assertIn("guests/build riscv64 makes it", self.bad(2, "--system"))

    def test_another_result_is_an_error(self):
        other = QEMU.replace("0x0000000000000001 PASS\" ;;\nesac", "0x0000000000000003 PASS\" ;;\nesac")
        self.assertNotEqual(other, QEMU)
        self.assertRegex(self.bad(1, "--only", "sieve", "--runs", "1", qemu=other), "qemu computes .*0003'")

    def test_a_result_that_the_guest_finds_wrong_is_an_error(self):
        self.assertIn("no good result", self.bad(1, "--only", "sieve", "--runs", "1", qemu=QEMU.replace("PASS", "FAIL")))

    def test_a_run_that_fails_is_shown_with_its_console(self):
        errors = self.bad(1, "--only", "sieve", "--runs", "1", lockstep="#!/bin/sh\necho no memory\nexit 2\n")
        self.assertIn("ended with 2", errors)
        self.assertIn("| no memory", errors)

    def test_an_order_that_fails_in_the_guest_is_shown(self):
        errors = self.bad(1, "--guest", "--only", "alone/sieve", qemu=QEMU.replace("BENCH end 0", "BENCH end 1"))
        self.assertIn("'paging' ended in the guest with 1", errors)

    def test_an_emulator_that_ends_before_its_mark_is_an_error(self):
        errors = self.bad(1, "--system", "--only", "boot", qemu=QEMU.replace("CHECKS 9 passed, 0 failed", "CHECKS 8 passed, 1 failed"))
        self.assertIn("CHECKS 8 passed, 1 failed", errors)

    def test_a_pattern_without_a_match_names_the_rows(self):
        self.assertIn("sieve", self.bad(2, "--only", "pong"))

    def test_a_program_that_is_not_there_is_named(self):
        self.assertIn("nowhere/lockstep", self.bad(2, "--lockstep", "nowhere/lockstep"))


if __name__ == "__main__":
    unittest.main()
