# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import unittest

from script_case import TOOLS, ScriptCase


class Bootstrap(ScriptCase):
    """Runs a copy of tools/bootstrap with its own list of packages and stand-ins for the programs that it calls."""

    def setUp(self):
        super().setUp()
        self.lay_out({"tools/packages.txt": "# a comment\nhave-this # why\n\nwant-that\n", "tools/packages-peers.txt": "a-peer\n"})
        for name in ("bootstrap", "terminal.sh"):
            shutil.copy(TOOLS / name, self.root / "tools" / name)
        self.program("dpkg-query", 'cat "$(dirname "$0")/installed"')
        self.installed("have-this")

    def program(self, name, text):
        file = self.root / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/bash\n{text}\n")
        file.chmod(0o755)

    def installed(self, *names):
        self.lay_out({"bin/installed": "".join(f"installed {name}\n" for name in names)})

    def bootstrap(self, *arguments):
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        return self.run_script(self.root / "tools" / "bootstrap", *arguments,
                               environment={"PATH": path, "LOCKSTEP_SKIP_BOOTSTRAP": "", "CI": "true"})

    def test_says_nothing_when_nothing_is_missing(self):
        self.installed("have-this", "want-that")
        self.assertEqual(self.bootstrap(), (0, "", ""))

    def test_check_names_what_is_missing(self):
        self.assertEqual(self.bootstrap("--check"), (1, "missing: want-that\n", ""))
        self.assertEqual(self.bootstrap("--check", "--peers"), (1, "missing: a-peer want-that\n", ""))

    def test_a_package_that_was_removed_but_left_its_settings_is_missing(self):
        self.lay_out({"bin/installed": "installed have-this\nconfig-files want-that\n"})
        self.assertEqual(self.bootstrap("--check")[0], 1)

    def test_without_root_or_sudo_it_tells_the_command_to_give_to_someone_who_has(self):
        self.program("id", "echo 1000")
        for needed in ("bash", "dirname", "sed", "sort", "comm", "cat"):
            (self.root / "bin" / needed).symlink_to(shutil.which(needed))
        status, _, errors = self.run_script(self.root / "tools" / "bootstrap",
                                            environment={"PATH": str(self.root / "bin"), "LOCKSTEP_SKIP_BOOTSTRAP": ""})
        self.assertEqual(status, 2)
        self.assertIn("root or sudo", errors)
        self.assertIn("apt-get install --no-install-recommends want-that", errors)

    def test_a_failing_installation_names_the_network_and_the_packages(self):
        self.program("id", "echo 0")
        self.program("apt-get", "echo 'E: Temporary failure resolving'; exit 100")
        status, _, errors = self.bootstrap()
        self.assertEqual(status, 2)
        self.assertIn("is the network up", errors)
        self.assertIn("want-that", errors)

    def test_installs_what_is_missing(self):
        self.program("id", "echo 0")
        self.program("apt-get", 'case " $* " in *" install "*) echo "installed want-that" >>"$(dirname "$0")/installed";; esac')
        status, output, errors = self.bootstrap()
        self.assertEqual((status, errors), (0, ""))
        self.assertIn("1 Debian packages are missing", output)
        self.assertEqual(self.bootstrap(), (0, "", ""))


if __name__ == "__main__":
    unittest.main()
