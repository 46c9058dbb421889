# SPDX-License-Identifier: Apache-2.0
import json
import subprocess
import unittest

from script_case import ScriptCase

SOURCES = {
    "tlm_models/uart16550.cpp": "",
    "tlm_models/uart16550.h": "",
    "tlm_models/orphan.cpp": "",
    "core/result.h": "",
    "docs/status.md": "",
    "tests/tlm_models/uart16550_test.cpp": '#include "tlm_models/uart16550.h"\n',
    "tests/tlm_models/uart16550_fuzz_test.cpp": "",
    "tests/tlm_models/console_test.cpp": '#include "tlm_models/uart16550.h"\n',
    "tests/tlm_models/plic_test.cpp": "",
    "tests/tools/check_tree_test.py": "",
    "tools/check_tree": "",
    "tests/system/boot_test.cpp": '#include "tlm_models/uart16550.h"\n',
}


class ChangedTests(ScriptCase):
    def setUp(self):
        super().setUp()
        self.lay_out(SOURCES)
        reply = "build/release/.cmake/api/v1/reply/"
        programs = {s.rsplit("/", 1)[1][:-4]: s for s in SOURCES if s.startswith("tests/") and s.endswith(".cpp")}
        targets = [{"name": name, "jsonFile": f"{name}.json"} for name in programs]
        self.lay_out({
            reply + "index-1.json": json.dumps({"objects": [{"kind": "codemodel", "jsonFile": "model.json"}]}),
            reply + "model.json": json.dumps({"configurations": [{"targets": targets}]}),
            **{f"{reply}{name}.json": json.dumps({"name": name, "type": "EXECUTABLE", "sources": [{"path": source}]})
               for name, source in programs.items()},
        })

    def query(self, *arguments):
        status, output, errors = self.run_script("changed_tests", "--root", str(self.root), *arguments)
        self.assertEqual(status, 0, errors)
        return [line.split()[1] for line in output.splitlines()]

    def test_a_device_owns_the_tests_that_mirror_it_or_include_its_header_in_its_part(self):
        self.assertEqual(self.query("--files", "tlm_models/uart16550.cpp"),
                         ["console_test", "uart16550_fuzz_test", "uart16550_test"])

    def test_a_test_owns_itself_alone(self):
        self.assertEqual(self.query("--files", "tests/tlm_models/plic_test.cpp"), ["plic_test"])

    def test_a_file_that_no_test_mirrors_owns_all_tests_of_its_part(self):
        self.assertEqual(len(self.query("--files", "tlm_models/orphan.cpp")), 4)

    def test_a_script_owns_the_script_that_tests_it_which_is_nothing_to_build(self):
        status, output, _ = self.run_script("changed_tests", "--root", str(self.root), "--files", "tools/check_tree")
        self.assertEqual((status, output), (0, "script tools_check_tree_test\n"))

    def test_documents_own_no_test(self):
        self.assertEqual(self.query("--files", "docs/status.md", "README.md"), [])

    def test_chooses_by_part_and_by_word(self):
        self.assertEqual(self.query("--part", "system"), ["boot_test"])
        self.assertEqual(self.query("--match", "fuzz"), ["uart16550_fuzz_test"])

    def test_an_unknown_part_names_the_known_ones(self):
        status, _, errors = self.run_script("changed_tests", "--root", str(self.root), "--part", "cores")
        self.assertEqual(status, 2)
        self.assertEqual(errors, "changed_tests: there is no part 'cores' with tests; known: system, tlm_models, tools\n")

    def test_changed_takes_what_is_not_committed_and_else_the_last_commit(self):
        def git(*arguments):
            subprocess.run(["git", "-C", str(self.root), "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments],
                           check=True, capture_output=True)

        git("init", "-q")
        self.lay_out({".gitignore": "/build/\n"})
        git("add", ".")
        git("commit", "-qm", "first")
        self.lay_out({"tests/tlm_models/plic_test.cpp": "// changed\n"})
        git("commit", "-qam", "second")
        self.assertEqual(self.query("--changed"), ["plic_test"])
        self.lay_out({"tests/system/boot_test.cpp": "// changed\n"})
        self.assertEqual(self.query("--changed"), ["boot_test"])
        self.assertEqual(self.query("--changed=HEAD~1"), ["boot_test", "plic_test"])


if __name__ == "__main__":
    unittest.main()
