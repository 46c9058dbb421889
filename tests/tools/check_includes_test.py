# SPDX-License-Identifier: Apache-2.0
import unittest

from script_case import ScriptCase


class CheckIncludes(ScriptCase):
    def check(self, files):
        self.lay_out(files)
        return self.run_script("check_includes", "--root", str(self.root))

    def assert_accepted(self, files):
        status, _, errors = self.check(files)
        self.assertEqual((status, errors), (0, ""))

    def assert_refused(self, files, expected):
        status, _, errors = self.check(files)
        self.assertEqual(errors.splitlines()[:-1], expected)
        self.assertEqual(status, 1)

    def test_an_include_against_an_arrow_is_named_with_file_and_line(self):
        self.assert_refused(
            {"core/clock.h": '#pragma once\n#include "core/result.h"\n#include "tlm_models/bus.h"\n'},
            ['core/clock.h:3: #include "tlm_models/bus.h": the arrows point the other way: core may include no other part'])

    def test_every_include_along_the_arrows_is_accepted(self):
        self.assert_accepted({
            "cli/main.cpp": '#include "farm/farm.h"\n#include "tlm_models/machine.h"\n#include "core/result.h"\n'
                            "#include <CLI/CLI.hpp>\n",
            "farm/farm.cpp": '#include "matrix/plan.h"\n#include "core/result.h"\n#include <zmq.hpp>\n',
            "tlm_models/vcpu.cpp": '#include "jit/engine.h"\n#include "isa_frontends/riscv64/hart.h"\n#include <systemc>\n'
                                   "#include <tlm_utils/simple_initiator_socket.h>\n",
            "isa_frontends/riscv64/decode.cpp": '#include "core/ir/builder.h"\n#include <cstdint>\n',
        })

    def test_core_is_kept_from_systemc_asmjit_and_zeromq(self):
        self.assert_refused(
            {"core/a.cpp": "#include <systemc>\n#include <asmjit/x86.h>\n#  include <zmq.hpp>\n#include <tlm_core/a.h>\n"},
            ["core/a.cpp:1: #include <systemc>: core may not include SystemC",
             "core/a.cpp:2: #include <asmjit/x86.h>: core may not include asmjit",
             "core/a.cpp:3: #  include <zmq.hpp>: core may not include ZeroMQ",
             "core/a.cpp:4: #include <tlm_core/a.h>: core may not include SystemC"])

    def test_farm_and_matrix_reach_only_the_shared_headers_of_core(self):
        self.assert_refused(
            {"farm/job.cpp": '#include "core/guest_memory.h"\n#include "jit/engine.h"\n',
             "matrix/plan.cpp": '#include "core/result.h"\n#include "farm/job.h"\n'},
            ["matrix/plan.cpp:2: #include \"farm/job.h\": the arrows point the other way: matrix may include no other part",
             "farm/job.cpp:1: #include \"core/guest_memory.h\": farm may include of core only core/result.h, core/sha256.h",
             "farm/job.cpp:2: #include \"jit/engine.h\": the arrows point the other way: farm may include matrix"])

    def test_an_include_that_is_not_from_the_root_is_refused(self):
        self.assert_refused(
            {"core/b.cpp": '#include "b.h"\n#include "../core/b.h"\n', "core/b.h": "#pragma once\n"},
            ['core/b.cpp:1: #include "b.h": includes are written from the root of the tree: "core/b.h"',
             'core/b.cpp:2: #include "../core/b.h": includes are written from the root of the tree, without . or ..'])

    def test_product_code_does_not_include_tests(self):
        self.assert_refused(
            {"jit/a.cpp": '#include "tests/core/random.h"\n#include <gtest/gtest.h>\n'},
            ['jit/a.cpp:1: #include "tests/core/random.h": jit is product code and may not include tests',
             "jit/a.cpp:2: #include <gtest/gtest.h>: jit may not include GoogleTest"])

    def test_tests_may_look_at_everything(self):
        self.assert_accepted({"tests/core/a_test.cpp": '#include "tlm_models/bus.h"\n#include <gtest/gtest.h>\n'})


if __name__ == "__main__":
    unittest.main()
