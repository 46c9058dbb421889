# SPDX-License-Identifier: Apache-2.0
"""A test case that lays out a small tree in a temporary folder and runs a script of tools/ on it."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "tools"


class ScriptCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def lay_out(self, files):
        for path, text in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def run_script(self, name, *arguments, environment=None):
        """Runs tools/NAME and returns its exit status, standard output and standard error."""
        done = subprocess.run([str(TOOLS / name), *arguments], capture_output=True, text=True, timeout=60, check=False,
                              stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
        return done.returncode, done.stdout, done.stderr
