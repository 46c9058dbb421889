// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/ir/text.h"
#include "jit/passes/passes.h"

// A pass as a change of text: IR in, IR out. Blocks stand one behind another, and are those of one region, entered at
// the first. `# targets ADDRESS...` behind a block says where its indirect jump goes.
namespace lockstep::jit::passes {

// The test machine's state of an ISA (riscv64, arm64, x86_64), and two helpers: `looks` may read the state, `changes`
// may write it as well.
Context test_context(std::string_view isa = "riscv64");

// A region of the text; fails the test when it is not one.
Region read_region(std::string_view text, const Context& context);
std::string print_region(const Region& region, const Context& context);

// What `pass` makes of the text. Fails the test when the result is no IR, when the pass does not say truthfully whether
// it changed something, or when it has more to do in what it made itself.
std::string run_pass(bool (*pass)(Region&, const Context&), std::string_view text, std::string_view isa = "riscv64");

// The text as print_region() writes it.
std::string printed(std::string_view text, std::string_view isa = "riscv64");

}  // namespace lockstep::jit::passes
