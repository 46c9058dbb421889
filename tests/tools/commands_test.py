# SPDX-License-Identifier: Apache-2.0
"""What ./run, ./test and tools/build say to somebody who asks, or asks for something that is not there."""

import unittest

from script_case import TOOLS, ScriptCase


class Commands(ScriptCase):
    def run_root(self, name, *arguments):
        return self.run_script(TOOLS.parent / name, *arguments, environment={"CI": "true", "LOCKSTEP_UNDER_TEST": "1"})

    def test_help_teaches_and_ends_well(self):
        for name in ("run", "test", "tools/build", "tools/bootstrap", "tools/check_format", "tools/check_tidy"):
            with self.subTest(name):
                status, output, _ = self.run_root(name, "--help")
                self.assertEqual(status, 0)
                self.assertTrue(output.startswith("Usage: "), output)

    def test_an_unknown_option_is_named(self):
        status, _, errors = self.run_root("test", "--fast")
        self.assertEqual(status, 2)
        self.assertEqual(errors, "error: ./test: unknown option '--fast'\n       ./test --help lists the options.\n")

    def test_an_option_without_its_value_is_named(self):
        for name, option in (("test", "--part"), ("test", "--jobs"), ("run", "--matrix"), ("run", "--jobs")):
            with self.subTest(f"{name} {option}"):
                status, _, errors = self.run_root(name, option)
                self.assertEqual(status, 2)
                self.assertIn(option, errors)
                self.assertIn("--help", errors)

    def test_a_number_of_jobs_that_is_none_is_refused(self):
        status, _, errors = self.run_root("run", "--jobs", "many")
        self.assertEqual((status, errors), (2, "error: --jobs takes a number of processes, not 'many'.\n"))

    def test_a_matrix_that_cannot_be_read_is_named_before_anything_is_built(self):
        status, output, errors = self.run_root("run", "--matrix", "nowhere.yaml")
        self.assertEqual((status, output), (2, ""))
        self.assertIn("nowhere.yaml", errors)


if __name__ == "__main__":
    unittest.main()
