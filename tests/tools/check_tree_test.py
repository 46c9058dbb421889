# SPDX-License-Identifier: Apache-2.0
import unittest

from script_case import ScriptCase

LICENCE = "SPDX-License-Identifier: " + "Apache-2.0"


class CheckTree(ScriptCase):
    def check(self, files):
        self.lay_out(files)
        return self.run_script("check_tree", "--root", str(self.root))

    def test_a_source_without_its_licence_line_is_named(self):
        status, _, errors = self.check({"core/a.h": "#pragma once\n", "tools/b": "#!/bin/bash\n", "CMakeLists.txt": "x()\n"})
        self.assertEqual(status, 1)
        self.assertEqual([line.split(":")[0] for line in errors.splitlines()[:-1]], ["CMakeLists.txt", "core/a.h", "tools/b"])

    def test_documents_and_test_data_need_no_licence_line(self):
        status, _, errors = self.check({"README.md": "text\n", "tests/matrix/data/bad.yaml": "a: [\n",
                                        "core/a.h": f"// {LICENCE}\n"})
        self.assertEqual((status, errors), (0, ""))

    def test_paths_of_one_machine_and_mirror_hosts_are_refused(self):
        path, host = "/" + "home/me/x", "deb." + "debian.org"
        status, _, errors = self.check({"README.md": f"see {path}\n\nand {host}\n"})
        self.assertEqual(status, 1)
        self.assertIn(f"README.md:1: '{path[:7]}' is a path of one machine", errors)
        self.assertIn(f"README.md:3: '{host}' is the host of a package mirror", errors)

    def test_a_long_file_is_a_note_and_no_error(self):
        status, output, errors = self.check({"core/a.h": f"// {LICENCE}\n" + "// line\n" * 700})
        self.assertEqual((status, errors), (0, ""))
        self.assertIn("core/a.h: 701 lines", output)


if __name__ == "__main__":
    unittest.main()
