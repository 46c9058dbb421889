// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/ir/text.h"
#include "jit/passes/drop_dead.h"
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

// Fails the test unless `pass` makes `after` of `before`.
void expect_pass(bool (*pass)(Region&, const Context&), std::string_view before, std::string_view after,
                 std::string_view isa = "riscv64");

// The same where drop_dead follows the pass, and has gone over `after` as well: tests need not spell out what nobody
// uses any more.
template <bool (*kPass)(Region&, const Context&)>
bool then_drop_dead(Region& region, const Context& context) {
  const bool changed = kPass(region, context);
  return drop_dead(region, context) || changed;
}
template <bool (*kPass)(Region&, const Context&)>
void expect_pass_then_drop_dead(std::string_view before, std::string_view after) {
  const Context context = test_context();
  Region expected = read_region(after, context);
  drop_dead(expected, context);
  expect_pass(then_drop_dead<kPass>, before, print_region(expected, context));
}

}  // namespace lockstep::jit::passes
